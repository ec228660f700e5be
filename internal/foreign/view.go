package foreign

import (
	"crypto/rsa"
	"slices"
	"sync"
	"time"

	"github.com/google/uuid"

	"github.com/jeton-dev/jeton/internal/functions"
	"github.com/jeton-dev/jeton/internal/store"
)

// A view contains the imported tokens that were not adopted yet, and the keys that verify
// them. It bounds the cost of forged tokens; the store decides. It is safe for concurrent
// use.
type view struct {
	mu sync.RWMutex
	// pending are by the ID of the token, issuers by that of the namespace.
	pending map[uuid.UUID]pending
	issuers map[uuid.UUID]acceptance
}

// pending is a token that was not adopted.
type pending struct {
	// namespace and function are the scope: exactly one is set.
	namespace, function uuid.UUID
	expiresAt           time.Time
}

// acceptance is how a namespace accepts foreign tokens.
type acceptance struct {
	refused bool
	keys    []key
}

type key struct {
	pem    string
	public *rsa.PublicKey
}

func newView() *view {
	return &view{pending: map[uuid.UUID]pending{}, issuers: map[uuid.UUID]acceptance{}}
}

// Apply implements store.Follower.
func (v *view) Apply(change store.Change) {
	switch o := change.Object.(type) {
	case functions.Token:
		v.applyToken(o, change.Deleted)
	case functions.Namespace:
		v.applyNamespace(o, change.Deleted)
	}
}

// Reload implements store.Follower.
func (v *view) Reload(store.Position) store.Loader {
	fresh := newView()
	return store.Loader{
		Add: func(o store.Object) { fresh.Apply(store.Change{Object: o}) },
		Swap: func() {
			v.mu.Lock()
			defer v.mu.Unlock()
			v.pending, v.issuers = fresh.pending, fresh.issuers
		},
	}
}

func (v *view) applyToken(t functions.Token, deleted bool) {
	id, err := uuid.Parse(t.ID)
	if err != nil || !t.Foreign() {
		return
	}
	v.mu.Lock()
	defer v.mu.Unlock()
	if deleted || t.Adopted() {
		delete(v.pending, id)
		return
	}
	v.pending[id] = pending{namespace: idOf(t.NamespaceID), function: idOf(t.FunctionID), expiresAt: t.ExpiresAt}
}

// applyNamespace keeps parsed keys: the other changes of a namespace are frequent.
func (v *view) applyNamespace(n functions.Namespace, deleted bool) {
	id := idOf(n.ID)
	v.mu.Lock()
	defer v.mu.Unlock()
	before := v.issuers[id]
	if deleted || n.Foreign == nil || n.Status == functions.Deleting {
		delete(v.issuers, id)
		return
	}
	now := acceptance{refused: n.Foreign.Refused}
	for _, text := range n.Foreign.Keys {
		if i := slices.IndexFunc(before.keys, func(k key) bool { return k.pem == text }); i >= 0 {
			now.keys = append(now.keys, before.keys[i])
		} else if public, err := parseKey(text); err == nil {
			now.keys = append(now.keys, key{text, public})
		}
	}
	v.issuers[id] = now
}

// find returns the pending token with an ID, and the keys of a namespace; none if the
// namespace does not accept foreign tokens.
func (v *view) find(token, namespace uuid.UUID) (pending, []key, bool) {
	v.mu.RLock()
	defer v.mu.RUnlock()
	p, ok := v.pending[token]
	accepted := v.issuers[namespace]
	if accepted.refused {
		return p, nil, ok
	}
	return p, accepted.keys, ok
}

// idOf returns an ID in 16 bytes; uuid.Nil for a text that is not an ID.
func idOf(text string) uuid.UUID {
	id, err := uuid.Parse(text)
	if err != nil {
		return uuid.Nil
	}
	return id
}
