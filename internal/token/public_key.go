package token

import (
	"bytes"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/x509"
	"encoding/base64"
	"encoding/json"
	"encoding/pem"
	"errors"
	"fmt"
	"math"
	"math/big"
)

// The bounds of a key that somebody else gives: RFC 7518 wants at least 2048
// bits, and verifying with an overlong key takes overlong.
const (
	minKeyBits = 2048
	maxKeyBits = 8192
	maxKeys    = 10_000
)

// A PublicKey verifies the tokens of one namespace.
type PublicKey struct {
	// ID is the key's thumbprint by RFC 7638.
	ID  string
	key *rsa.PublicKey
}

// A webKey is a key in the form of RFC 7517.
type webKey struct {
	Type      string `json:"kty"`
	Use       string `json:"use,omitempty"`
	Algorithm string `json:"alg,omitempty"`
	ID        string `json:"kid,omitempty"`
	Modulus   string `json:"n"`
	Exponent  string `json:"e"`
}

type webKeySet struct {
	Keys []webKey `json:"keys"`
}

// webKeyOf is the form in which a key is published.
func webKeyOf(key *rsa.PublicKey) webKey {
	encode := base64.RawURLEncoding.EncodeToString
	k := webKey{
		Type: "RSA", Use: "sig", Algorithm: "RS256",
		Modulus: encode(key.N.Bytes()), Exponent: encode(big.NewInt(int64(key.E)).Bytes()),
	}
	// RFC 7638 wants these members alone, in this order, without blanks.
	digest := sha256.Sum256([]byte(`{"e":"` + k.Exponent + `","kty":"RSA","n":"` + k.Modulus + `"}`))
	k.ID = encode(digest[:])
	return k
}

// ParseKeys reads public keys: a JSON Web Key Set, or one key as PEM as the API
// gives it. Keys of a set that are not for RS256 signatures are passed over.
func ParseKeys(content []byte) ([]PublicKey, error) {
	if bytes.HasPrefix(bytes.TrimSpace(content), []byte("-----BEGIN")) {
		key, err := parsePEM(content)
		if err != nil {
			return nil, err
		}
		return []PublicKey{{ID: webKeyOf(key).ID, key: key}}, nil
	}
	var set webKeySet
	if err := json.Unmarshal(content, &set); err != nil {
		return nil, fmt.Errorf("no key set: %w", err)
	}
	if len(set.Keys) > maxKeys {
		return nil, fmt.Errorf("key set of %d keys: at most %d", len(set.Keys), maxKeys)
	}
	var keys []PublicKey
	for i, k := range set.Keys {
		if k.Type != "RSA" || k.Use != "" && k.Use != "sig" || k.Algorithm != "" && k.Algorithm != "RS256" {
			continue
		}
		key, err := k.decode()
		if err != nil {
			return nil, fmt.Errorf("key %d of the set: %w", i+1, err)
		}
		keys = append(keys, PublicKey{ID: webKeyOf(key).ID, key: key})
	}
	return keys, nil
}

func (k webKey) decode() (*rsa.PublicKey, error) {
	if len(k.Modulus) > maxKeyBits || len(k.Exponent) > 8 {
		return nil, errors.New("it is too long")
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
		return nil, errors.New("public key: no PEM")
	}
	key, err := x509.ParsePKCS1PublicKey(block.Bytes)
	if err != nil {
		return nil, fmt.Errorf("public key: %w", err)
	}
	return checkedKey(key)
}

func checkedKey(key *rsa.PublicKey) (*rsa.PublicKey, error) {
	switch bits := key.N.BitLen(); {
	case bits < minKeyBits || bits > maxKeyBits:
		return nil, fmt.Errorf("its modulus has %d bits: from %d to %d are taken", bits, minKeyBits, maxKeyBits)
	case key.E < 3 || key.E%2 == 0 || key.E > math.MaxInt32:
		return nil, errors.New("its exponent is none")
	}
	return key, nil
}
