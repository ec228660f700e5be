package gateway

import (
	"net/http"
	"net/url"
	"strings"

	"github.com/jeton-dev/jeton/internal/functions"
)

// pathPrefix is the start of path-style addresses: /functions/NAMESPACE/NAME/..., where
// NAMESPACE is a name or an ID, or /functions/ID/... with the ID of a function.
const pathPrefix = "/functions/"

// prefixHeader has the part of a path-style address that the function does not receive.
const prefixHeader = "X-Forwarded-Prefix"

// find returns the function that a request addresses, by its hostname or else by its path, and
// the request as the function receives it.
func (g *Gateway) find(r *http.Request, c *call) (route, *http.Request, bool) {
	if to, ok := g.config.Table.route(r.Host); ok || c.internal || g.config.HostsOnly {
		return to, r, ok
	}
	path := r.URL.EscapedPath()
	segments := strings.SplitN(strings.TrimPrefix(path, pathPrefix), "/", 3)
	if !strings.HasPrefix(path, pathPrefix) {
		return route{}, r, false
	}
	to, ok := g.config.Table.routeOfID(segments[0])
	used := 1
	if !ok && len(segments) > 1 {
		to, ok = g.config.Table.routeOfName(segments[0], segments[1])
		used = 2
	}
	if !ok {
		return route{}, r, false
	}
	c.prefix = pathPrefix + strings.Join(segments[:used], "/")
	return to, withoutPrefix(r, c.prefix), true
}

// current returns the route of a call's function now. It returns false if the address of the
// call belongs to no function or to another one.
func (g *Gateway) current(host string, c *call) (route, bool) {
	if c.prefix != "" {
		return g.config.Table.routeOfID(c.to.functionID)
	}
	to, ok := g.config.Table.route(host)
	return to, ok && to.functionID == c.to.functionID
}

// withoutPrefix returns a copy of a request without the first part of its escaped path.
func withoutPrefix(r *http.Request, prefix string) *http.Request {
	rest := strings.TrimPrefix(r.URL.EscapedPath(), prefix)
	if rest == "" {
		rest = "/"
	}
	changed := *r
	changed.URL = new(url.URL)
	*changed.URL = *r.URL
	changed.URL.Path, changed.URL.RawPath = rest, rest
	// The rest of a valid path is valid.
	if decoded, err := url.PathUnescape(rest); err == nil {
		changed.URL.Path = decoded
	}
	return &changed
}

// A pathName is the name of a function within a namespace.
type pathName struct{ namespaceID, name string }

// names finds functions by the names of path-style addresses.
type names struct {
	// functions has the ID of each function by its name, and namespaces the IDs of the
	// namespaces with a name. ofNamespace and ofFunction are the names by ID.
	functions   map[pathName]string
	namespaces  map[string]map[string]struct{}
	ofNamespace map[string]string
	ofFunction  map[string]pathName
}

func newNames() names {
	return names{map[pathName]string{}, map[string]map[string]struct{}{}, map[string]string{}, map[string]pathName{}}
}

func (n names) setFunction(f functions.Function) {
	name := pathName{f.NamespaceID, f.Name}
	n.functions[name], n.ofFunction[f.ID] = f.ID, name
}

func (n names) removeFunction(id string) {
	if name, ok := n.ofFunction[id]; ok && n.functions[name] == id {
		delete(n.functions, name)
	}
	delete(n.ofFunction, id)
}

func (n names) setNamespace(id, name string) {
	if n.namespaces[name] == nil {
		n.namespaces[name] = map[string]struct{}{}
	}
	n.namespaces[name][id], n.ofNamespace[id] = struct{}{}, name
}

func (n names) removeNamespace(id string) {
	name := n.ofNamespace[id]
	delete(n.ofNamespace, id)
	if delete(n.namespaces[name], id); len(n.namespaces[name]) == 0 {
		delete(n.namespaces, name)
	}
}

// find returns the ID of the function with a name in a namespace, given by name or ID. It
// returns "" if there is none, or if several namespaces of that name have one: projects and
// regions can have namespaces of the same name.
func (n names) find(namespace, name string) string {
	if id, ok := n.functions[pathName{namespace, name}]; ok {
		return id
	}
	found := ""
	for id := range n.namespaces[namespace] {
		f, ok := n.functions[pathName{id, name}]
		if ok && found != "" {
			return ""
		}
		if ok {
			found = f
		}
	}
	return found
}

// routeOfID returns the route of the function with an ID.
func (t *Table) routeOfID(id string) (route, bool) {
	t.mu.RLock()
	defer t.mu.RUnlock()
	r, ok := t.routes[id]
	return r, ok
}

// routeOfName returns the route of the function with a name in a namespace. See names.find.
func (t *Table) routeOfName(namespace, name string) (route, bool) {
	t.mu.RLock()
	defer t.mu.RUnlock()
	r, ok := t.routes[t.names.find(namespace, name)]
	return r, ok
}

// Name returns the name of a function with that of its namespace, NAMESPACE/NAME; empty if the
// table does not contain the function.
func (t *Table) Name(functionID string) string {
	t.mu.RLock()
	defer t.mu.RUnlock()
	name, ok := t.names.ofFunction[functionID]
	if !ok {
		return ""
	}
	return t.names.ofNamespace[name.namespaceID] + "/" + name.name
}

// ObjectName is like Name, and returns the name of a namespace for the ID of one.
func (t *Table) ObjectName(id string) string {
	if name := t.Name(id); name != "" {
		return name
	}
	t.mu.RLock()
	defer t.mu.RUnlock()
	return t.names.ofNamespace[id]
}
