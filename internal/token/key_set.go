package token

import (
	"encoding/json"
	"maps"
	"slices"
	"sync"

	"github.com/jeton-dev/jeton/internal/functions"
	"github.com/jeton-dev/jeton/internal/store"
)

// A KeySet publishes the keys of all namespaces. It is exactly as new as the
// last change that was applied.
type KeySet struct {
	mu sync.Mutex
	// keys are by the ID of the namespace.
	keys map[string]setEntry
	// document is nil when the keys have changed since it was written.
	document []byte
}

type setEntry struct {
	pem string
	key webKey
}

// NewKeySet returns an empty set.
func NewKeySet() *KeySet { return &KeySet{keys: map[string]setEntry{}} }

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

// Apply notes one change. The key of a namespace that is being deleted is no
// longer published: its tokens are gone.
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
		// A key that nobody can read verifies nothing.
		return
	}
	s.keys[n.ID] = setEntry{pem: n.PublicKey, key: webKeyOf(key)}
	s.document = nil
}

// Document returns the keys as a JSON Web Key Set (RFC 7517), each once. The
// caller does not change it.
func (s *KeySet) Document() []byte {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.document == nil {
		byID := map[string]webKey{}
		for _, entry := range s.keys {
			byID[entry.key.ID] = entry.key
		}
		set := webKeySet{Keys: make([]webKey, 0, len(byID))}
		for _, id := range slices.Sorted(maps.Keys(byID)) {
			set.Keys = append(set.Keys, byID[id])
		}
		// Strings alone can always be encoded.
		s.document, _ = json.Marshal(set)
	}
	return s.document
}
