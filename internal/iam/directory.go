package iam

import (
	"crypto/sha256"
	"errors"
	"sync"
	"time"

	"github.com/google/uuid"
)

// Why a caller is refused. The first two say nothing about the keys that exist;
// the third is for those only who hold one.
var (
	ErrMalformed = errors.New("the secret key is missing or is no UUID")
	ErrUnknown   = errors.New("no API key has this secret key")
	ErrExpired   = errors.New("the API key has expired")
)

// A Directory knows every API key, by the digest of its secret key. It is kept
// by the store's changes: a key that is deleted opens nothing from then on.
type Directory struct {
	mu   sync.RWMutex
	keys map[SecretDigest]APIKey
}

// NewDirectory returns an empty directory.
func NewDirectory() *Directory {
	return &Directory{keys: map[SecretDigest]APIKey{}}
}

// Apply notes a change of an object; those that are no API key are not its
// concern.
func (d *Directory) Apply(object any, deleted bool) {
	key, ok := object.(APIKey)
	if !ok {
		return
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	if deleted {
		delete(d.keys, key.Digest)
	} else {
		d.keys[key.Digest] = key
	}
}

// Authenticate returns the API key that has the given secret key. Returns
// ErrMalformed or ErrUnknown, or ErrExpired together with the key.
func (d *Directory) Authenticate(secretKey string, now time.Time) (APIKey, error) {
	if len(secretKey) != 36 || uuid.Validate(secretKey) != nil {
		return APIKey{}, ErrMalformed
	}
	d.mu.RLock()
	defer d.mu.RUnlock()
	key, ok := d.keys[sha256.Sum256([]byte(secretKey))]
	if !ok {
		return APIKey{}, ErrUnknown
	}
	if key.Expired(now) {
		return key, ErrExpired
	}
	return key, nil
}
