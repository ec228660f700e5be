package token

import (
	"bytes"
	"crypto"
	"crypto/rsa"
	"crypto/x509"
	"encoding/base64"
	"encoding/json"
	"encoding/pem"
	"errors"
	"fmt"
	"math"
	"math/big"

	"github.com/go-jose/go-jose/v4"
)

// The bounds of keys from elsewhere. RFC 7518 requires at least 2048 bits; the time of a
// verification grows with the size of the key.
const (
	minKeyBits = 2048
	maxKeyBits = 8192
	maxKeys    = 10_000
)

// A PublicKey verifies the tokens of one namespace.
type PublicKey struct {
	// ID is the key's thumbprint (RFC 7638).
	ID  string
	key *rsa.PublicKey
}

// newPublicKey returns a key with its ID.
func newPublicKey(key *rsa.PublicKey) PublicKey { return PublicKey{ID: thumbprint(key), key: key} }

// webKeyOf returns the published form of a key.
func webKeyOf(key *rsa.PublicKey) jose.JSONWebKey {
	return jose.JSONWebKey{Key: key, KeyID: thumbprint(key), Use: "sig", Algorithm: string(jose.RS256)}
}

// thumbprint returns the thumbprint of a key by RFC 7638 and SHA-256, in base64url.
func thumbprint(key *rsa.PublicKey) string {
	// It fails only for keys of unknown types.
	digest, _ := (&jose.JSONWebKey{Key: key}).Thumbprint(crypto.SHA256)
	return base64.RawURLEncoding.EncodeToString(digest)
}

// ParseKeys parses public keys: a JSON Web Key Set, or one key as PEM in PKCS #1 form,
// as the API returns it. It skips the keys of a set that are not for RS256 signatures,
// and returns an error for keys outside of 2048 to 8192 bits and for sets of more than
// 10,000 keys.
func ParseKeys(content []byte) ([]PublicKey, error) {
	if bytes.HasPrefix(bytes.TrimSpace(content), []byte("-----BEGIN")) {
		key, err := parsePEM(content)
		if err != nil {
			return nil, err
		}
		return []PublicKey{newPublicKey(key)}, nil
	}
	var set struct {
		Keys []webKey `json:"keys"`
	}
	if err := json.Unmarshal(content, &set); err != nil {
		return nil, fmt.Errorf("parse key set: %w", err)
	}
	if len(set.Keys) > maxKeys {
		return nil, fmt.Errorf("parse key set: got %d keys, want at most %d", len(set.Keys), maxKeys)
	}
	var keys []PublicKey
	for i, k := range set.Keys {
		if k.Type != "RSA" || k.Use != "" && k.Use != "sig" || k.Algorithm != "" && k.Algorithm != "RS256" {
			continue
		}
		key, err := k.decode()
		if err != nil {
			return nil, fmt.Errorf("parse key set: key %d: %w", i+1, err)
		}
		keys = append(keys, newPublicKey(key))
	}
	return keys, nil
}

// A webKey has the members of a JSON Web Key that ParseKeys reads. It does not use
// go-jose's decoder, which has no bounds, truncates e to 64 bits, and also decodes
// private keys and certificates.
type webKey struct {
	Type      string `json:"kty"`
	Use       string `json:"use"`
	Algorithm string `json:"alg"`
	Modulus   string `json:"n"`
	Exponent  string `json:"e"`
}

func (k webKey) decode() (*rsa.PublicKey, error) {
	if len(k.Modulus) > maxKeyBits || len(k.Exponent) > 8 {
		return nil, errors.New("n or e is too long")
	}
	modulus, err := base64.RawURLEncoding.DecodeString(k.Modulus)
	if err != nil {
		return nil, errors.New("n is not base64url")
	}
	exponent, err := base64.RawURLEncoding.DecodeString(k.Exponent)
	if err != nil {
		return nil, errors.New("e is not base64url")
	}
	return checkedKey(&rsa.PublicKey{
		N: new(big.Int).SetBytes(modulus), E: int(new(big.Int).SetBytes(exponent).Int64()),
	})
}

func parsePEM(content []byte) (*rsa.PublicKey, error) {
	block, _ := pem.Decode(content)
	if block == nil {
		return nil, errors.New("parse public key: not PEM")
	}
	key, err := x509.ParsePKCS1PublicKey(block.Bytes)
	if err != nil {
		return nil, fmt.Errorf("parse public key: %w", err)
	}
	return checkedKey(key)
}

// checkedKey returns the key, or an error if its size or its exponent is out of bounds.
func checkedKey(key *rsa.PublicKey) (*rsa.PublicKey, error) {
	switch bits := key.N.BitLen(); {
	case bits < minKeyBits || bits > maxKeyBits:
		return nil, fmt.Errorf("the modulus has %d bits, want %d to %d", bits, minKeyBits, maxKeyBits)
	case key.E < 3 || key.E%2 == 0 || key.E > math.MaxInt32:
		return nil, errors.New("the exponent is not an odd number from 3 to 2147483647")
	}
	return key, nil
}
