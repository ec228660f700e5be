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

// A Table contains the functions and tokens for routing and admission. It reflects every
// applied change. It is safe for concurrent use.
type Table struct {
	// applied is the number of applied changes.
	applied atomic.Int64

	mu sync.RWMutex
	// hosts contains the function ID of each hostname, including custom hostnames, and
	// routes the route of each function ID.
	hosts  map[string]string
	routes map[string]route
	names  names
	tokens map[functions.Digest]grant
	uses   uses
	// foreignOff contains the namespaces that deny tokens of other issuers.
	foreignOff map[uuid.UUID]struct{}
	// revoked contains recently deleted tokens, for the log.
	revoked revoked
}

// A route contains the properties of a function that the gateway needs for a call.
type route struct {
	functionID     string
	namespaceID    string
	projectID      string
	organizationID string
	// function and namespace are functionID and namespaceID in the form of grant.scope.
	function, namespace uuid.UUID
	// revisionID is empty if the function has not been deployed.
	revisionID string
	// streams means that the function reads its body as a stream.
	streams  bool
	private  bool
	redirect bool
	timeout  time.Duration
}

// A grant is the scope and expiry of a token. There can be a million grants, so the type is
// small and has no pointers for the garbage collector to follow.
type grant struct {
	// scope is the ID of a function or of a namespace, according to kind.
	scope     uuid.UUID
	expiresAt int64 // Nanoseconds since 1970, or neverExpires.
	// slot is the number of the slot in Table.uses with the token's ID and last use.
	slot uint32
	kind scopeKind
	// foreign means that another issuer has issued the token.
	foreign bool
}

type scopeKind uint8

// The zero scopeKind permits nothing.
const (
	functionScope scopeKind = iota + 1
	namespaceScope
)

// neverExpires is later than any time.
const neverExpires = math.MaxInt64

func grantOf(t functions.Token) grant {
	g := grant{expiresAt: neverExpires, foreign: t.Foreign()}
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

// check returns why a token is not valid for a function; empty if it is.
func (g grant) check(to route, now time.Time) reason {
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

// parseID returns an ID in 16 bytes. A text that is not an ID becomes uuid.Nil, which check
// denies.
func parseID(id string) uuid.UUID {
	parsed, err := uuid.Parse(id)
	if err != nil {
		return uuid.Nil
	}
	return parsed
}

// NewTable returns an empty table.
func NewTable() *Table {
	return &Table{
		hosts: map[string]string{}, routes: map[string]route{}, names: newNames(), tokens: map[functions.Digest]grant{},
		foreignOff: map[uuid.UUID]struct{}{}, revoked: newRevoked(),
	}
}

// Apply applies a change. Every decision after Apply has returned takes the change into
// account.
func (t *Table) Apply(change store.Change) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.applied.Add(1)
	switch o := change.Object.(type) {
	case functions.Namespace:
		t.applyNamespace(o, change.Deleted)
	case functions.Function:
		t.applyFunction(o, change.Deleted || o.Status == functions.Deleting)
	case functions.Domain:
		t.applyDomain(o, change.Deleted || o.Status != functions.Ready)
	case functions.Token:
		t.applyToken(o, change.Deleted)
	}
}

// Reload implements store.Follower. A token that is missing from the snapshot counts as revoked,
// and unreported uses of the other tokens are kept.
func (t *Table) Reload(store.Position) store.Loader {
	fresh := NewTable()
	return store.Loader{
		Add:  func(o store.Object) { fresh.Apply(store.Change{Object: o}) },
		Swap: func() { t.swap(fresh) },
	}
}

// swap replaces the contents of t by those of a new table.
func (t *Table) swap(fresh *Table) {
	t.mu.Lock()
	defer t.mu.Unlock()
	for digest, old := range t.tokens {
		slot := t.uses.at(old.slot)
		if g, ok := fresh.tokens[digest]; ok {
			if at, used := slot.used.Take(); used {
				fresh.uses.at(g.slot).used.Note(at)
			}
			continue
		}
		t.revoked.add(digest, slot.token)
	}
	t.hosts, t.routes, t.names, t.tokens, t.uses = fresh.hosts, fresh.routes, fresh.names, fresh.tokens, fresh.uses
	t.foreignOff = fresh.foreignOff
	t.applied.Add(1)
}

func (t *Table) applyFunction(f functions.Function, removed bool) {
	if removed {
		delete(t.hosts, hostname(f.DomainName))
		delete(t.routes, f.ID)
		t.names.removeFunction(f.ID)
		return
	}
	t.hosts[hostname(f.DomainName)] = f.ID
	t.routes[f.ID] = routeOf(f)
	t.names.setFunction(f)
}

// applyDomain adds or removes the custom hostname of a function. Only ready domains are in the
// table.
func (t *Table) applyDomain(d functions.Domain, removed bool) {
	name := hostname(d.Hostname)
	switch {
	case !removed:
		t.hosts[name] = d.FunctionID
	case t.hosts[name] == d.FunctionID:
		delete(t.hosts, name)
	}
}

// applyNamespace records the name of a namespace and whether it denies tokens of other issuers.
func (t *Table) applyNamespace(n functions.Namespace, deleted bool) {
	if deleted {
		t.names.removeNamespace(n.ID)
	} else {
		t.names.setNamespace(n.ID, n.Name)
	}
	id := parseID(n.ID)
	if deleted || n.Foreign == nil || !n.Foreign.Refused {
		delete(t.foreignOff, id)
		return
	}
	t.foreignOff[id] = struct{}{}
}

// applyToken adds or removes a token. A token without a digest cannot be presented: it was
// issued elsewhere and not adopted yet.
func (t *Table) applyToken(token functions.Token, deleted bool) {
	if !token.Adopted() {
		return
	}
	before, known := t.tokens[token.Digest]
	if deleted {
		delete(t.tokens, token.Digest)
		if known {
			t.uses.release(before.slot)
			t.revoked.add(token.Digest, parseID(token.ID))
		}
		return
	}
	g := grantOf(token)
	if g.slot = before.slot; !known {
		g.slot = t.uses.acquire(parseID(token.ID))
	}
	t.tokens[token.Digest] = g
}

func routeOf(f functions.Function) route {
	r := route{
		functionID: f.ID, namespaceID: f.NamespaceID, projectID: f.ProjectID, organizationID: f.OrganizationID,
		function: parseID(f.ID), namespace: parseID(f.NamespaceID),
		// An unknown privacy is treated as private.
		private:  f.Privacy != functions.Public,
		redirect: f.HTTPOption == functions.HTTPRedirected,
		timeout:  f.Timeout,
	}
	if f.Revision != nil {
		r.revisionID, r.streams = f.Revision.ID, streams(f.Revision.Runtime)
	}
	return r
}

// streams reports whether functions of a runtime read the body as a stream. Functions of other
// runtimes get an event that contains the whole body.
func streams(runtime string) bool {
	return strings.HasPrefix(runtime, "go") || strings.HasPrefix(runtime, "rust")
}

// changes returns the number of applied changes.
func (t *Table) changes() int64 { return t.applied.Load() }

// route returns the route of a hostname, with or without a port.
func (t *Table) route(host string) (route, bool) {
	name := hostname(host)
	t.mu.RLock()
	defer t.mu.RUnlock()
	r, ok := t.routes[t.hosts[name]]
	return r, ok
}

// authorize returns why the token with a digest is not valid for a function; empty if it is
// valid, and then it records the use of the token. It also returns the ID of the token, if
// the token is known.
func (t *Table) authorize(digest functions.Digest, to route, now time.Time) (uuid.UUID, reason) {
	t.mu.RLock()
	defer t.mu.RUnlock()
	g, ok := t.tokens[digest]
	if !ok {
		return t.unknown(digest)
	}
	slot := t.uses.at(g.slot)
	denied := g.check(to, now)
	if denied == "" && g.foreign && t.refusesForeign(to.namespace) {
		denied = foreignOff
	}
	if denied == "" {
		slot.used.Note(now)
	}
	return slot.token, denied
}

// refusesForeign reports whether a namespace denies tokens of other issuers. The caller
// holds t.mu.
func (t *Table) refusesForeign(namespace uuid.UUID) bool {
	_, refused := t.foreignOff[namespace]
	return refused
}

// unknown returns the reason for a token that is not in the table, and its ID if it was
// revoked recently. The caller holds t.mu.
func (t *Table) unknown(digest functions.Digest) (uuid.UUID, reason) {
	if token, ok := t.revoked.ids[digest]; ok {
		return token, revokedToken
	}
	return uuid.Nil, unknownToken
}

// tokenID returns the ID of the token with a digest, and whether there is one.
func (t *Table) tokenID(digest functions.Digest) (uuid.UUID, bool) {
	t.mu.RLock()
	defer t.mu.RUnlock()
	g, ok := t.tokens[digest]
	if !ok {
		return uuid.Nil, false
	}
	return t.uses.at(g.slot).token, true
}

// Project returns the project of the function with a hostname, and whether there is one.
func (t *Table) Project(host string) (project string, known bool) {
	r, ok := t.route(host)
	return r.projectID, ok
}

// Serves reports whether a function has a hostname.
func (t *Table) Serves(host string) bool {
	_, ok := t.route(host)
	return ok
}

// hostname returns a host without its port, in lower case and without a final dot. It does
// not validate the host.
func hostname(host string) string {
	name, _, _ := strings.Cut(host, ":")
	return strings.ToLower(strings.TrimSuffix(name, "."))
}
