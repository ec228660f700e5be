package gateway

import (
	"strings"
	"sync"
	"time"

	"github.com/jeton-dev/jeton/internal/functions"
)

// A Table holds what the gateway must know of functions and tokens to let a
// call through. It is exactly as new as the last change that was applied.
type Table struct {
	mu     sync.RWMutex
	hosts  map[string]route
	tokens map[functions.Digest]grant
}

// A route is where the calls for one host go.
type route struct {
	functionID  string
	namespaceID string
	projectID   string
	// revisionID is empty while the function has not been deployed.
	revisionID string
	private    bool
	redirect   bool
	timeout    time.Duration
}

// A grant is what one token opens.
type grant struct {
	tokenID     string
	functionID  string
	namespaceID string
	expiresAt   time.Time
}

// NewTable returns an empty table.
func NewTable() *Table {
	return &Table{hosts: map[string]route{}, tokens: map[functions.Digest]grant{}}
}

// Apply notes one change. When it has returned, no call is decided by what was
// before.
func (t *Table) Apply(change functions.Change) {
	t.mu.Lock()
	defer t.mu.Unlock()
	switch o := change.Object.(type) {
	case functions.Function:
		if change.Deleted || o.Status == functions.Deleting {
			delete(t.hosts, o.DomainName)
			return
		}
		t.hosts[o.DomainName] = routeOf(o)
	case functions.Token:
		if change.Deleted {
			delete(t.tokens, o.Digest)
			return
		}
		t.tokens[o.Digest] = grant{tokenID: o.ID, functionID: o.FunctionID, namespaceID: o.NamespaceID, expiresAt: o.ExpiresAt}
	}
}

func routeOf(f functions.Function) route {
	r := route{
		functionID: f.ID, namespaceID: f.NamespaceID, projectID: f.ProjectID,
		// Whatever is not said to be public is private.
		private:  f.Privacy != functions.Public,
		redirect: f.HTTPOption == functions.HTTPRedirected,
		timeout:  f.Timeout,
	}
	if f.Revision != nil {
		r.revisionID = f.Revision.ID
	}
	return r
}

// route finds the function of a host, which may carry a port.
func (t *Table) route(host string) (route, bool) {
	name := hostname(host)
	t.mu.RLock()
	defer t.mu.RUnlock()
	r, ok := t.hosts[name]
	return r, ok
}

// grant finds what a token opens.
func (t *Table) grant(digest functions.Digest) (grant, bool) {
	t.mu.RLock()
	defer t.mu.RUnlock()
	g, ok := t.tokens[digest]
	return g, ok
}

// hostname is the host without its port, in the form in which domain names are
// kept. What is no host at all is no function's either.
func hostname(host string) string {
	name, _, _ := strings.Cut(host, ":")
	return strings.ToLower(strings.TrimSuffix(name, "."))
}
