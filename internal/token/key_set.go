package token

import (
	"encoding/json"
	"maps"
	"slices"
	"sync"

	"github.com/go-jose/go-jose/v4"

	"github.com/jeton-dev/jeton/internal/functions"
	"github.com/jeton-dev/jeton/internal/store"
)

// A KeySet is the published set of all namespaces' public keys. It is current as of the
// last applied change, and is safe for concurrent use.
type KeySet struct {
	mu sync.Mutex
	// keys are by the ID of the namespace.
	keys map[string]publishedKey
	// document is the encoded set; nil if the keys have changed since.
	document []byte
}

type publishedKey struct {
	pem string
	jwk jose.JSONWebKey
}

// NewKeySet returns an empty set.
func NewKeySet() *KeySet { return &KeySet{keys: map[string]publishedKey{}} }

// Reload implements store.Follower.
func (s *KeySet) Reload(store.Position) store.Loader {
	fresh := NewKeySet()
	return store.Loader{
		Add: func(o store.Object) { fresh.Apply(store.Change{Object: o}) },
		Swap: func() {
			s.mu.Lock()
			defer s.mu.Unlock()
			s.keys, s.document = fresh.keys, nil
		},
	}
}

// Apply applies one change. It adds the key of a namespace, and removes it once the
// namespace is being deleted, since its tokens are revoked by then. Changes of other
// objects are ignored, as are keys that cannot be parsed.
func (s *KeySet) Apply(change store.Change) {
	n, ok := change.Object.(functions.Namespace)
	if !ok {
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if change.Deleted || n.Status == functions.Deleting || n.PublicKey == "" {
		if _, published := s.keys[n.ID]; published {
			delete(s.keys, n.ID)
			s.document = nil
		}
		return
	}
	if s.keys[n.ID].pem == n.PublicKey {
		return
	}
	key, err := parsePEM([]byte(n.PublicKey))
	if err != nil {
		return
	}
	s.keys[n.ID] = publishedKey{pem: n.PublicKey, jwk: webKeyOf(key)}
	s.document = nil
}

// Document returns the set as a JSON Web Key Set (RFC 7517), ordered by key ID and
// without duplicates. The caller must not modify it.
func (s *KeySet) Document() []byte {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.document == nil {
		byID := map[string]jose.JSONWebKey{}
		for _, published := range s.keys {
			byID[published.jwk.KeyID] = published.jwk
		}
		set := jose.JSONWebKeySet{Keys: make([]jose.JSONWebKey, 0, len(byID))}
		for _, id := range slices.Sorted(maps.Keys(byID)) {
			set.Keys = append(set.Keys, byID[id])
		}
		// RSA public keys without certificates can always be encoded.
		s.document, _ = json.Marshal(set)
	}
	return s.document
}
