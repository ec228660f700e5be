package foreign

import (
	"crypto/rsa"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"fmt"
	"math"
	"strings"
)

// The bounds of imported keys. Scaleway's keys have 4096 bits and the exponent 65537. The
// time of a verification grows with the size of the key and of the exponent.
const (
	minKeyBits  = 2048
	maxKeyBits  = 8192
	minExponent = 65537
)

// pemType is the type of the PEM block that Scaleway's API returns (PKCS #1).
const pemType = "RSA PUBLIC KEY"

// CheckKey returns the public key in a text in the form in which it is stored. The text
// must be one PEM block in PKCS #1 form, of a key with 2048 to 8192 bits and an odd
// exponent of at least 65537.
func CheckKey(text string) (string, error) {
	key, err := parseKey(strings.TrimSpace(text) + "\n")
	if err != nil {
		return "", err
	}
	return string(pem.EncodeToMemory(&pem.Block{Type: pemType, Bytes: x509.MarshalPKCS1PublicKey(key)})), nil
}

func parseKey(text string) (*rsa.PublicKey, error) {
	block, rest := pem.Decode([]byte(text))
	switch {
	case block == nil:
		return nil, errors.New("parse public key: not PEM: use the public_key of the token's creation, or the variable SCW_PUBLIC_KEY of a function")
	case block.Type != pemType:
		return nil, fmt.Errorf("parse public key: the PEM block is %.40q, want %q", block.Type, pemType)
	case len(rest) > 0 || len(block.Headers) > 0:
		return nil, errors.New("parse public key: the text has more than one PEM block without headers")
	}
	key, err := x509.ParsePKCS1PublicKey(block.Bytes)
	if err != nil {
		return nil, fmt.Errorf("parse public key: %w", err)
	}
	switch bits := key.N.BitLen(); {
	case bits < minKeyBits || bits > maxKeyBits:
		return nil, fmt.Errorf("parse public key: the modulus has %d bits, want %d to %d", bits, minKeyBits, maxKeyBits)
	case key.E < minExponent || key.E%2 == 0 || key.E > math.MaxInt32:
		return nil, fmt.Errorf("parse public key: the exponent is %d, want an odd number from %d to %d", key.E, minExponent, math.MaxInt32)
	}
	return key, nil
}
