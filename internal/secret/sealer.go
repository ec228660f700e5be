package secret

import (
	"crypto/aes"
	"crypto/cipher"
	"errors"
	"fmt"
)

// KeySize is the length of a Sealer's key, in bytes.
const KeySize = 32

// ErrSealed is returned by Open for bytes that were sealed with another key or for
// another purpose, or that were modified.
var ErrSealed = errors.New("sealed value does not open")

// A Sealer encrypts values with AES-256-GCM and a random nonce for each value. It is
// safe for concurrent use.
type Sealer struct{ aead cipher.AEAD }

// NewSealer returns a Sealer that uses the given key. It returns an error if the key
// does not have KeySize bytes.
func NewSealer(key []byte) (*Sealer, error) {
	if len(key) != KeySize {
		return nil, fmt.Errorf("sealing key: got %d bytes, want %d", len(key), KeySize)
	}
	block, err := aes.NewCipher(key)
	if err != nil {
		return nil, err
	}
	aead, err := cipher.NewGCMWithRandomNonce(block)
	if err != nil {
		return nil, err
	}
	return &Sealer{aead: aead}, nil
}

// Seal encrypts plain and authenticates the purpose with it. Open returns the value
// only for the same purpose, so that a sealed value cannot replace another that was
// sealed for another purpose.
func (s *Sealer) Seal(plain []byte, purpose string) []byte {
	return s.aead.Seal(nil, nil, plain, []byte(purpose))
}

// Open decrypts bytes that Seal returned for the same purpose, or returns ErrSealed.
func (s *Sealer) Open(sealed []byte, purpose string) ([]byte, error) {
	plain, err := s.aead.Open(nil, nil, sealed, []byte(purpose))
	if err != nil {
		return nil, ErrSealed
	}
	return plain, nil
}
