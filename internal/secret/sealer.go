package secret

import (
	"crypto/aes"
	"crypto/cipher"
	"errors"
	"fmt"
	"sync/atomic"
)

// KeySize is the length of a Sealer's key, in bytes.
const KeySize = 32

// ErrSealed is returned by Open for bytes that were sealed with another key or for
// another purpose, or that were modified.
var ErrSealed = errors.New("sealed value does not open")

// A Sealer encrypts values with AES-256-GCM and a random nonce for each value. It has one
// or more keys: the first one seals, and any of them opens. It is safe for concurrent use.
type Sealer struct{ keys atomic.Pointer[[]cipher.AEAD] }

// NewSealer returns a Sealer that uses the given keys. It returns an error if there is no
// key, or a key does not have KeySize bytes.
func NewSealer(keys ...[]byte) (*Sealer, error) {
	s := new(Sealer)
	return s, s.Use(keys...)
}

// Use replaces the keys. It returns an error, and changes nothing, if there is no key, or a
// key does not have KeySize bytes.
func (s *Sealer) Use(keys ...[]byte) error {
	if len(keys) == 0 {
		return errors.New("sealing key: there is none")
	}
	ciphers := make([]cipher.AEAD, len(keys))
	for i, key := range keys {
		if len(key) != KeySize {
			return fmt.Errorf("sealing key: got %d bytes, want %d", len(key), KeySize)
		}
		block, err := aes.NewCipher(key)
		if err != nil {
			return err
		}
		if ciphers[i], err = cipher.NewGCMWithRandomNonce(block); err != nil {
			return err
		}
	}
	s.keys.Store(&ciphers)
	return nil
}

// Seal encrypts plain and authenticates the purpose with it. Open returns the value
// only for the same purpose, so that a sealed value cannot replace another that was
// sealed for another purpose.
func (s *Sealer) Seal(plain []byte, purpose string) []byte {
	return (*s.keys.Load())[0].Seal(nil, nil, plain, []byte(purpose))
}

// Open decrypts bytes that Seal returned for the same purpose, or returns ErrSealed.
func (s *Sealer) Open(sealed []byte, purpose string) ([]byte, error) {
	plain, _, err := s.open(sealed, purpose)
	return plain, err
}

// Reseal returns the value sealed with the first key, and whether it was sealed with
// another one before. It returns ErrSealed for a value that does not open.
func (s *Sealer) Reseal(sealed []byte, purpose string) (resealed []byte, changed bool, err error) {
	plain, key, err := s.open(sealed, purpose)
	if err != nil || key == 0 {
		return sealed, false, err
	}
	return s.Seal(plain, purpose), true, nil
}

// open also returns the index of the key.
func (s *Sealer) open(sealed []byte, purpose string) (plain []byte, key int, err error) {
	for i, aead := range *s.keys.Load() {
		if plain, err := aead.Open(nil, nil, sealed, []byte(purpose)); err == nil {
			return plain, i, nil
		}
	}
	return nil, 0, ErrSealed
}
