package gateway

import (
	"math"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/google/uuid"

	"github.com/jeton-dev/jeton/internal/functions"
	"github.com/jeton-dev/jeton/internal/store"
)

// A Table holds what the gateway must know of functions and tokens to let a
// call through. It is exactly as new as the last change that was applied.
type Table struct {
	// applied counts the changes.
	applied atomic.Int64

	mu sync.RWMutex
	// hosts names the function of each host, its own and the custom ones, and
	// routes has the functions.
	hosts  map[string]string
	routes map[string]route
	tokens map[functions.Digest]grant
	uses   uses
	// revoked are tokens that are gone.
	revoked revoked
}

// A route is where the calls for one function go.
type route struct {
	functionID  string
	namespaceID string
	projectID   string
	// organizationID is that of the project.
	organizationID string
	// function and namespace are the IDs once more, to compare.
	function, namespace uuid.UUID
	// revisionID is empty while the function has not been deployed.
	revisionID string
	// streams reports that the function reads its body as it comes.
	streams  bool
	private  bool
	redirect bool
	timeout  time.Duration
}

// A grant is what one token opens. There can be a million of them, so it is
// small and has no pointers that the garbage collector would have to follow.
type grant struct {
	// scope is the function, or the namespace, whose functions the token opens.
	scope     uuid.UUID
	expiresAt int64 // nanoseconds since 1970; neverExpires
	// place is where the token's ID is, and its last use.
	place uint32
	kind  scopeKind
}

type scopeKind uint8

// The zero scopeKind opens nothing.
const (
	functionScope scopeKind = iota + 1
	namespaceScope
)

// neverExpires is later than any instant.
const neverExpires = math.MaxInt64

func grantOf(t functions.Token) grant {
	g := grant{expiresAt: neverExpires}
	if !t.ExpiresAt.IsZero() {
		g.expiresAt = t.ExpiresAt.UnixNano()
	}
	switch {
	case t.FunctionID != "":
		g.scope, g.kind = parseID(t.FunctionID), functionScope
	case t.NamespaceID != "":
		g.scope, g.kind = parseID(t.NamespaceID), namespaceScope
	}
	return g
}

// opens tells why a token does not open a function; empty if it does.
func (g grant) opens(to route, now time.Time) reason {
	switch {
	case g.scope == uuid.Nil:
		return noScope
	case g.kind == functionScope && g.scope != to.function:
		return otherFunction
	case g.kind == namespaceScope && g.scope != to.namespace:
		return otherNamespace
	case now.UnixNano() >= g.expiresAt:
		return expiredToken
	case g.kind == functionScope || g.kind == namespaceScope:
		return ""
	}
	return noScope
}

// parseID returns the ID in a form that takes 16 bytes; what is no ID becomes
// the zero one, which equals nothing.
func parseID(id string) uuid.UUID {
	parsed, err := uuid.Parse(id)
	if err != nil {
		return uuid.Nil
	}
	return parsed
}

// NewTable returns an empty table.
func NewTable() *Table {
	return &Table{hosts: map[string]string{}, routes: map[string]route{}, tokens: map[functions.Digest]grant{}, revoked: newRevoked()}
}

// Apply notes one change. When it has returned, no call is decided by what was
// before.
func (t *Table) Apply(change store.Change) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.applied.Add(1)
	switch o := change.Object.(type) {
	case functions.Function:
		t.applyFunction(o, change.Deleted || o.Status == functions.Deleting)
	case functions.Domain:
		t.applyDomain(o, change.Deleted || o.Status != functions.Ready)
	case functions.Token:
		t.applyToken(o, change.Deleted)
	}
}

// Reload implements store.Follower. A token that is missing from the snapshot is
// remembered as revoked, and the uses that were not taken yet are kept.
func (t *Table) Reload(store.Position) store.Loader {
	fresh := NewTable()
	return store.Loader{
		Add:  func(o store.Object) { fresh.Apply(store.Change{Object: o}) },
		Swap: func() { t.swap(fresh) },
	}
}

// swap puts the contents of a new table in the place of those of t.
func (t *Table) swap(fresh *Table) {
	t.mu.Lock()
	defer t.mu.Unlock()
	for digest, old := range t.tokens {
		place := t.uses.at(old.place)
		if g, kept := fresh.tokens[digest]; kept {
			if at, used := place.used.Take(); used {
				fresh.uses.at(g.place).used.Note(at)
			}
			continue
		}
		t.revoked.add(digest, place.token)
	}
	t.hosts, t.routes, t.tokens, t.uses = fresh.hosts, fresh.routes, fresh.tokens, fresh.uses
	t.applied.Add(1)
}

func (t *Table) applyFunction(f functions.Function, gone bool) {
	if gone {
		delete(t.hosts, hostname(f.DomainName))
		delete(t.routes, f.ID)
		return
	}
	t.hosts[hostname(f.DomainName)] = f.ID
	t.routes[f.ID] = routeOf(f)
}

// applyDomain lets calls for a custom hostname through to the function once the
// domain is ready.
func (t *Table) applyDomain(d functions.Domain, gone bool) {
	name := hostname(d.Hostname)
	switch {
	case !gone:
		t.hosts[name] = d.FunctionID
	case t.hosts[name] == d.FunctionID:
		delete(t.hosts, name)
	}
}

func (t *Table) applyToken(token functions.Token, deleted bool) {
	before, known := t.tokens[token.Digest]
	if deleted {
		delete(t.tokens, token.Digest)
		if known {
			t.uses.release(before.place)
			t.revoked.add(token.Digest, parseID(token.ID))
		}
		return
	}
	g := grantOf(token)
	if g.place = before.place; !known {
		g.place = t.uses.take(parseID(token.ID))
	}
	t.tokens[token.Digest] = g
}

func routeOf(f functions.Function) route {
	r := route{
		functionID: f.ID, namespaceID: f.NamespaceID, projectID: f.ProjectID, organizationID: f.OrganizationID,
		function: parseID(f.ID), namespace: parseID(f.NamespaceID),
		// Whatever is not said to be public is private.
		private:  f.Privacy != functions.Public,
		redirect: f.HTTPOption == functions.HTTPRedirected,
		timeout:  f.Timeout,
	}
	if f.Revision != nil {
		r.revisionID, r.streams = f.Revision.ID, streams(f.Revision.Runtime)
	}
	return r
}

// streams reports whether the functions of a runtime read the body of a call as it
// comes. All others get an event, which holds the whole of it.
func streams(runtime string) bool {
	return strings.HasPrefix(runtime, "go") || strings.HasPrefix(runtime, "rust")
}

// changes tells how many changes have been applied.
func (t *Table) changes() int64 { return t.applied.Load() }

// route finds the function of a host, which may carry a port.
func (t *Table) route(host string) (route, bool) {
	name := hostname(host)
	t.mu.RLock()
	defer t.mu.RUnlock()
	r, ok := t.routes[t.hosts[name]]
	return r, ok
}

// open tells why a token does not open a function, empty if it does, which is
// then a use of it; and which token that is, as far as it is known.
func (t *Table) open(digest functions.Digest, to route, now time.Time) (uuid.UUID, reason) {
	t.mu.RLock()
	defer t.mu.RUnlock()
	g, ok := t.tokens[digest]
	if !ok {
		return t.unknown(digest)
	}
	place := t.uses.at(g.place)
	why := g.opens(to, now)
	if why == "" {
		place.used.Note(now)
	}
	return place.token, why
}

// unknown says what can be said of a token that opens nothing. The caller holds the
// lock.
func (t *Table) unknown(digest functions.Digest) (uuid.UUID, reason) {
	if token, was := t.revoked.ids[digest]; was {
		return token, revokedToken
	}
	return uuid.Nil, unknownToken
}

// tokenID is the ID of the token with a digest, if there is one.
func (t *Table) tokenID(digest functions.Digest) (uuid.UUID, bool) {
	t.mu.RLock()
	defer t.mu.RUnlock()
	g, ok := t.tokens[digest]
	if !ok {
		return uuid.Nil, false
	}
	return t.uses.at(g.place).token, true
}

// hostname is the host without its port, in the form in which domain names are
// kept. What is no host at all is no function's either.
func hostname(host string) string {
	name, _, _ := strings.Cut(host, ":")
	return strings.ToLower(strings.TrimSuffix(name, "."))
}
