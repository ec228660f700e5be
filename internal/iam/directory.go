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

// A Directory knows every project, and every API key, by the digest of its
// secret key. It is kept by the store's changes: a key that is deleted opens
// nothing from then on.
type Directory struct {
	mu       sync.RWMutex
	projects map[string]Project
	keys     map[SecretDigest]APIKey
}

// NewDirectory returns an empty directory.
func NewDirectory() *Directory {
	return &Directory{projects: map[string]Project{}, keys: map[SecretDigest]APIKey{}}
}

// Apply notes a change of an object; those that are no project and no API key
// are not its concern.
func (d *Directory) Apply(object any, deleted bool) {
	switch o := object.(type) {
	case Project:
		apply(d, d.projects, o.ID, o, deleted)
	case APIKey:
		apply(d, d.keys, o.Digest, o, deleted)
	}
}

func apply[K comparable, V any](d *Directory, all map[K]V, key K, value V, deleted bool) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if deleted {
		delete(all, key)
	} else {
		all[key] = value
	}
}

// Project returns the project of an ID; the zero one if there is none.
func (d *Directory) Project(id string) Project {
	d.mu.RLock()
	defer d.mu.RUnlock()
	return d.projects[id]
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
