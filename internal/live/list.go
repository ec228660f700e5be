package live

import (
	"cmp"
	"slices"
	"strings"

	"github.com/jeton-dev/jeton/internal/functions"
)

// A Query selects functions. Empty fields match every function.
type Query struct {
	// Search is a part of the name, the runtime, the hostname or the name of the
	// namespace, or the ID.
	Search      string
	NamespaceID string
	Status      functions.Status
	// Order is a column: name, namespace, status, runtime or updated. Descending
	// reverses it. Functions with equal values are ordered by namespace and name.
	Order      string
	Descending bool
}

// Orders are the valid values of Query.Order.
var Orders = []string{"name", "namespace", "status", "runtime", "updated"}

// Functions returns the functions in a scope that match a query, from first to first+count,
// and the number of all.
func (v *View) Functions(scope functions.Scope, q Query, first, count int) (found []Function, total int) {
	search := strings.ToLower(strings.TrimSpace(q.Search))
	v.mu.RLock()
	for _, f := range v.functions {
		if f.Region == scope.Region && scope.Covers(f.ProjectID) && v.matches(f, q, search) {
			found = append(found, f)
		}
	}
	v.sort(found, q)
	v.mu.RUnlock()
	total = len(found)
	first = min(first, total)
	return slices.Clip(found[first:min(first+count, total)]), total
}

func (v *View) matches(f Function, q Query, search string) bool {
	if q.NamespaceID != "" && f.NamespaceID != q.NamespaceID || q.Status != "" && f.Status != q.Status {
		return false
	}
	return search == "" || containsFold(f.Name, search) || f.ID == search || containsFold(f.Runtime, search) ||
		containsFold(f.DomainName, search) || containsFold(v.namespaces[f.NamespaceID].name, search)
}

func (v *View) sort(all []Function, q Query) {
	name := func(f Function) string { return v.namespaces[f.NamespaceID].name }
	slices.SortFunc(all, func(a, b Function) int {
		var order int
		switch q.Order {
		case "namespace":
			order = cmp.Compare(name(a), name(b))
		case "status":
			order = cmp.Compare(a.Status, b.Status)
		case "runtime":
			order = cmp.Compare(a.Runtime, b.Runtime)
		case "updated":
			order = a.UpdatedAt.Compare(b.UpdatedAt)
		default:
			order = cmp.Compare(a.Name, b.Name)
		}
		if q.Descending {
			order = -order
		}
		return cmp.Or(order, cmp.Compare(a.Name, b.Name), cmp.Compare(name(a), name(b)), cmp.Compare(a.ID, b.ID))
	})
}

// Counts are the numbers of namespaces and functions in a scope.
type Counts struct {
	Namespaces, Functions int
	// ByStatus are the numbers of functions by status.
	ByStatus map[functions.Status]int
}

// Counts returns the counts of a scope.
func (v *View) Counts(scope functions.Scope) Counts {
	v.mu.RLock()
	defer v.mu.RUnlock()
	c := Counts{ByStatus: map[functions.Status]int{}}
	for _, n := range v.namespaces {
		if n.region == scope.Region && scope.Covers(n.projectID) {
			c.Namespaces++
		}
	}
	for _, f := range v.functions {
		if f.Region == scope.Region && scope.Covers(f.ProjectID) {
			c.Functions++
			c.ByStatus[f.Status]++
		}
	}
	return c
}

// Covers returns a function that reports whether a function ID is in a scope and, unless
// namespaceID is empty, in that namespace.
func (v *View) Covers(scope functions.Scope, namespaceID string) func(functionID string) bool {
	return func(id string) bool {
		f, ok := v.Function(id)
		return ok && f.Region == scope.Region && scope.Covers(f.ProjectID) && (namespaceID == "" || f.NamespaceID == namespaceID)
	}
}
