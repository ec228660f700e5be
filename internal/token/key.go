package token

import (
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"encoding/pem"
	"fmt"
)

// KeyBits is the size of a namespace's key, as in recorded traffic.
const KeyBits = 4096

// privatePurpose is what a namespace's private key is sealed for.
const privatePurpose = "namespace private key"

// A KeyPair signs the tokens of one namespace.
type KeyPair struct {
	// Public is the public key as PEM of PKCS #1, in the very form that
	// Scaleway's API gives it.
	Public string
	// Private is the private key, PKCS #1 in DER.
	Private []byte
}

// GenerateKeyPair makes a key pair. With 4096 bits that takes seconds.
func GenerateKeyPair(bits int) (KeyPair, error) {
	key, err := rsa.GenerateKey(rand.Reader, bits)
	if err != nil {
		return KeyPair{}, fmt.Errorf("generate key pair: %w", err)
	}
	public := pem.EncodeToMemory(&pem.Block{Type: "RSA PUBLIC KEY", Bytes: x509.MarshalPKCS1PublicKey(&key.PublicKey)})
	return KeyPair{Public: string(public), Private: x509.MarshalPKCS1PrivateKey(key)}, nil
}

// A Sealer seals private keys for keeping, and opens them.
type Sealer interface {
	Seal(plain []byte, purpose string) []byte
	Open(sealed []byte, purpose string) ([]byte, error)
}

// SealPrivate seals the private key of a pair for keeping; a Minter opens it.
func SealPrivate(sealer Sealer, pair KeyPair) []byte {
	return sealer.Seal(pair.Private, privatePurpose)
}
