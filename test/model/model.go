package model

import (
	"maps"
	"slices"
	"strings"
)

// Fields are the JSON fields of an object.
type Fields = map[string]any

// A Kind is a kind of object, as in the paths of the API.
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

// Kinds are all kinds.
var Kinds = []Kind{Namespaces, Functions, Tokens, Crons, Domains, Triggers}

// An Object is an object that exists, with its final status.
type Object struct {
	ID string
	// Parents are the IDs of the objects with which it is deleted.
	Parents []string
	Fields  Fields
}

// A Refusal describes an error response. If a call has several reasons for an error, the
// server may return any of them.
type Refusal struct {
	Status int
	// Says is a part of the body.
	Says string
}

// Model has the objects of one project in one region, by kind, in the order of their
// creation.
type Model struct{ Objects map[Kind][]*Object }

// New returns a model without objects.
func New() *Model { return &Model{Objects: map[Kind][]*Object{}} }

// Find returns an object, or nil if it does not exist.
func (m *Model) Find(kind Kind, id string) *Object {
	for _, o := range m.Objects[kind] {
		if o.ID == id {
			return o
		}
	}
	return nil
}

// Add adds an object.
func (m *Model) Add(kind Kind, id string, fields Fields, parents ...string) {
	m.Objects[kind] = append(m.Objects[kind], &Object{ID: id, Parents: parents, Fields: fields})
}

// Delete deletes an object and its children.
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

// NotFound returns the refusal for an object that does not exist.
func NotFound(kind Kind) Refusal {
	if kind == Triggers {
		return Refusal{404, "trigger does not exist"}
	}
	noun := strings.TrimSuffix(string(kind), "s")
	return Refusal{404, strings.ToUpper(noun[:1]) + noun[1:] + " was not found"}
}

// A Query describes a list request.
type Query struct {
	// Where has the required values of fields.
	Where Fields
	// OrderBy is as in the API, and Page counts from 1.
	OrderBy    string
	Page, Size int
}

// List returns the IDs of one page, and the number of objects on all pages.
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
		// A trigger has no field for its namespace.
		id, _ := value.(string)
		within := field == "namespace_id" && slices.Contains(o.Parents, id)
		if o.Fields[field] != value && !within {
			return false
		}
	}
	return true
}

// Changed returns the fields after the change. Null values change nothing.
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
