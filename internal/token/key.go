package token

import (
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"encoding/pem"
	"fmt"
)

// KeyBits is the size of a namespace's RSA key in bits, as in recorded traffic.
const KeyBits = 4096

// PrivatePurpose is the purpose with which private keys of namespaces are sealed.
const PrivatePurpose = "namespace private key"

// A KeyPair signs the tokens of one namespace.
type KeyPair struct {
	// Public is the public key in PKCS #1 form, encoded as PEM, as Scaleway's API
	// returns it.
	Public string
	// Private is the private key in PKCS #1 form, encoded as DER.
	Private []byte
}

// GenerateKeyPair generates an RSA key pair of the given size. A key of KeyBits takes
// seconds.
func GenerateKeyPair(bits int) (KeyPair, error) {
	key, err := rsa.GenerateKey(rand.Reader, bits)
	if err != nil {
		return KeyPair{}, fmt.Errorf("generate key pair: %w", err)
	}
	public := pem.EncodeToMemory(&pem.Block{Type: "RSA PUBLIC KEY", Bytes: x509.MarshalPKCS1PublicKey(&key.PublicKey)})
	return KeyPair{Public: string(public), Private: x509.MarshalPKCS1PrivateKey(key)}, nil
}

// A Sealer encrypts private keys for storage, and decrypts them.
type Sealer interface {
	Seal(plain []byte, purpose string) []byte
	Open(sealed []byte, purpose string) ([]byte, error)
}

// SealPrivate returns the private key of a pair, sealed for storage in its namespace.
// Minter.Mint opens it.
func SealPrivate(sealer Sealer, pair KeyPair) []byte {
	return sealer.Seal(pair.Private, PrivatePurpose)
}
