package table

import (
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"reflect"
	"regexp"
	"strings"
	"time"

	"github.com/jeton-dev/jeton/internal/functions"
	"github.com/jeton-dev/jeton/internal/store"
)

// ErrUndecodable is returned for an object whose row can be read, but not decoded.
var ErrUndecodable = errors.New("an object in it cannot be read")

// ErrUnknown is returned for an object of an unknown type, including a pointer to
// a known type.
var ErrUnknown = errors.New("the store has no table for objects of this type")

// A Table describes the table of one type of objects. Each row has the columns by
// which objects are found, and the whole object as JSON.
type Table[T store.Object] struct {
	Name string
	// Resource is the name of one object in errors.
	Resource string
	// Columns are the columns besides id, created_at and body.
	Columns []string
	// Counted reports whether the numbers of objects are kept in another table.
	Counted bool

	// values returns the values of Columns.
	values  func(T) []any
	created func(T) time.Time
	// ids returns the other IDs and file names in an object. They may be empty.
	ids func(T) []string
}

// Holds returns the type of the objects.
func (t Table[T]) Holds() reflect.Type { return reflect.TypeFor[T]() }

// TableName returns the name of the table.
func (t Table[T]) TableName() string { return t.Name }

// Decode reads a document.
func (t Table[T]) Decode(body []byte) (T, error) {
	var object T
	if err := json.Unmarshal(body, &object); err != nil {
		return object, fmt.Errorf("%w: one of %s: %w", ErrUndecodable, t.Name, err)
	}
	if err := checkIDs(object.ObjectID(), t.ids(object)); err != nil {
		return object, fmt.Errorf("%w: one of %s: %w", ErrUndecodable, t.Name, err)
	}
	return object, nil
}

// DecodeAny is Decode for callers that do not know the type.
func (t Table[T]) DecodeAny(body []byte) (store.Object, error) { return t.Decode(body) }

// Document returns an object as JSON. It is not escaped for HTML, so that the JSON
// arguments of a cron are stored unchanged.
func Document(object any) (string, error) {
	var body strings.Builder
	encoder := json.NewEncoder(&body)
	encoder.SetEscapeHTML(false)
	err := encoder.Encode(object)
	return strings.TrimSuffix(body.String(), "\n"), err
}

// identifier is the form of IDs, digests and file names. A path component of this
// form stays within its folder, even if the database was written by someone else.
var identifier = regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9._-]{0,127}$`)

// checkIDs returns an error unless id and the other texts have the form of an ID.
// Only the other texts may be empty.
func checkIDs(id string, others []string) error {
	if !identifier.MatchString(id) {
		return fmt.Errorf("%.200q is not an ID", id)
	}
	for _, other := range others {
		if other != "" && !identifier.MatchString(other) {
			return fmt.Errorf("%.200q is not an ID", other)
		}
	}
	return nil
}

// A Condition requires that a column has a value.
type Condition struct{ Column, Value string }

// Conditions returns the conditions of a filter other than Filter.Projects.
func Conditions(f functions.Filter) []Condition {
	var set []Condition
	for _, c := range []Condition{
		{"region", string(f.Region)},
		{"project_id", f.ProjectID},
		{"organization_id", f.OrganizationID},
		{"namespace_id", f.NamespaceID},
		{"function_id", f.FunctionID},
		{"name", f.Name},
		{"hostname", f.Hostname},
	} {
		if c.Value != "" {
			set = append(set, c)
		}
	}
	return set
}

// Ordering returns the ORDER BY clause. Objects with equal values are ordered by ID, so
// that pages do not overlap.
func Ordering(o functions.Order) string {
	column := "created_at"
	if o.Field == "name" || o.Field == "hostname" {
		column = o.Field
	}
	if o.Descending {
		return " ORDER BY " + column + " DESC, id DESC"
	}
	return " ORDER BY " + column + ", id"
}

// A Window is the part of a list that one page shows, counted from the end of the
// list that is nearer to the page.
type Window struct {
	// From is the order in which Skip objects are skipped and Size objects read.
	From       functions.Order
	Skip, Size int
}

// WindowOf returns the window of a page of a list of total objects, or false if the
// page is past the end. The page must have a size.
func WindowOf(page functions.Page, total int) (Window, bool) {
	w := Window{From: page.Order(), Skip: page.Offset(), Size: min(page.Size, total-page.Offset())}
	if w.Size <= 0 {
		return Window{}, false
	}
	if after := total - w.Skip - w.Size; after < w.Skip {
		w.Skip, w.From.Descending = after, !w.From.Descending
	}
	return w, true
}

func null(text string) sql.NullString { return sql.NullString{String: text, Valid: text != ""} }
