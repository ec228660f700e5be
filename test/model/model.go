package model

import (
	"maps"
	"slices"
	"strings"
)

// Fields are those of an object as its JSON has them.
type Fields = map[string]any

// A Kind is a noun of the API, as it stands in paths.
type Kind string

// The kinds.
const (
	Namespaces Kind = "namespaces"
	Functions  Kind = "functions"
	Tokens     Kind = "tokens"
	Crons      Kind = "crons"
	Domains    Kind = "domains"
	Triggers   Kind = "triggers"
)

// Kinds are all of them.
var Kinds = []Kind{Namespaces, Functions, Tokens, Crons, Domains, Triggers}

// An Object is one that there is, in the state in which it comes to rest.
type Object struct {
	ID string
	// Parents are the IDs of what it goes with.
	Parents []string
	Fields  Fields
}

// A Refusal is what a call is answered that cannot be carried out. Of several, any
// may come.
type Refusal struct {
	Status int
	// Says is in the body.
	Says string
}

// Model is the objects of one project in one region, by kind, in the order of their
// creation.
type Model struct{ Objects map[Kind][]*Object }

// New returns a model without objects.
func New() *Model { return &Model{Objects: map[Kind][]*Object{}} }

// Find returns an object, nil if it is not there.
func (m *Model) Find(kind Kind, id string) *Object {
	for _, o := range m.Objects[kind] {
		if o.ID == id {
			return o
		}
	}
	return nil
}

// Add notes that there is an object.
func (m *Model) Add(kind Kind, id string, fields Fields, parents ...string) {
	m.Objects[kind] = append(m.Objects[kind], &Object{ID: id, Parents: parents, Fields: fields})
}

// Delete notes that an object is gone, and all that goes with it.
func (m *Model) Delete(id string) {
	gone := []string{id}
	for len(gone) > 0 {
		for _, kind := range Kinds {
			m.Objects[kind] = slices.DeleteFunc(m.Objects[kind], func(o *Object) bool {
				if slices.Contains(o.Parents, gone[0]) {
					gone = append(gone, o.ID)
				}
				return o.ID == gone[0] || slices.Contains(o.Parents, gone[0])
			})
		}
		gone = gone[1:]
	}
}

// NotFound is the refusal of what is not there.
func NotFound(kind Kind) Refusal {
	if kind == Triggers {
		return Refusal{404, "trigger does not exist"}
	}
	noun := strings.TrimSuffix(string(kind), "s")
	return Refusal{404, strings.ToUpper(noun[:1]) + noun[1:] + " was not found"}
}

// A Query asks for a list.
type Query struct {
	// Where has the values that fields must have.
	Where Fields
	// OrderBy is as in the API, and Page counts from 1.
	OrderBy    string
	Page, Size int
}

// List returns the IDs of a page, and how many match on all pages.
func (m *Model) List(kind Kind, q Query) (ids []string, total int) {
	var found []*Object
	for _, o := range m.Objects[kind] {
		if matches(o, q.Where) {
			found = append(found, o)
		}
	}
	field, descending := strings.CutSuffix(strings.TrimSuffix(q.OrderBy, "_asc"), "_desc")
	if field == "name" || field == "hostname" {
		slices.SortStableFunc(found, func(a, b *Object) int {
			x, _ := a.Fields[field].(string)
			y, _ := b.Fields[field].(string)
			return strings.Compare(x, y)
		})
	}
	if descending {
		slices.Reverse(found)
	}
	first := min((q.Page-1)*q.Size, len(found))
	for _, o := range found[first:min(first+q.Size, len(found))] {
		ids = append(ids, o.ID)
	}
	return ids, len(found)
}

func matches(o *Object, where Fields) bool {
	for field, value := range where {
		// A trigger is not said to be of a namespace, and is one's all the same.
		id, _ := value.(string)
		within := field == "namespace_id" && slices.Contains(o.Parents, id)
		if o.Fields[field] != value && !within {
			return false
		}
	}
	return true
}

// Changed is the fields with those put in their places that are given; null is as
// if it were not.
func (f Change) Changed(before Fields) Fields {
	after := maps.Clone(before)
	for field, value := range f {
		if value != nil {
			after[field] = value
		}
	}
	return after
}

// A Change is the body of a PATCH.
type Change map[string]any
