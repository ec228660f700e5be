package sqlite

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"reflect"
	"strings"
	"time"

	"github.com/jeton-dev/jeton/internal/functions"
	"github.com/jeton-dev/jeton/internal/store"
)

// A table stores the objects of one type. Each row has the columns by which objects are
// found, and the whole object as JSON.
type table[T store.Object] struct {
	name string
	// resource is the name of one object in errors.
	resource string
	// columns are the columns besides id, created_at and body, and values returns
	// those of an object.
	columns []string
	values  func(T) []any
	created func(T) time.Time
	// ids returns the other IDs and file names in an object. They may be empty.
	ids func(T) []string
	// counted reports whether the number of objects is kept in another table.
	counted bool
}

// An anyTable is a table of objects of any type.
type anyTable interface {
	tableName() string
	// holds returns the type of the objects.
	holds() reflect.Type
	// putAny stores an object of the type that the table holds, and returns its
	// document.
	putAny(t *tx, object store.Object) (body string, err error)
	// each passes every object to add, oldest first.
	each(t *tx, add func(store.Object)) error
	// decodeAny reads a document.
	decodeAny(body []byte) (store.Object, error)
	// verify reads all objects of the table, which a database of an older version
	// may not have.
	verify(ctx context.Context, db *sql.DB) error
}

func (t table[T]) tableName() string { return t.name }

func (t table[T]) holds() reflect.Type { return reflect.TypeFor[T]() }

func (t table[T]) putAny(tx *tx, object store.Object) (string, error) {
	o, ok := object.(T)
	if !ok {
		return "", errNoTable
	}
	return t.put(tx, o)
}

func (t table[T]) decodeAny(body []byte) (store.Object, error) { return t.decode(body) }

func null(text string) sql.NullString { return sql.NullString{String: text, Valid: text != ""} }

func (t table[T]) get(tx *tx, id string) (T, error) {
	var object T
	var body []byte
	err := tx.sql.QueryRowContext(tx.ctx, "SELECT body FROM "+t.name+" WHERE id = ?", id).Scan(&body)
	if errors.Is(err, sql.ErrNoRows) {
		return object, functions.NotFoundError(t.resource, id)
	}
	if err != nil {
		return object, fmt.Errorf("get from %s: %w", t.name, err)
	}
	return t.decode(body)
}

// put inserts or replaces an object, and returns its document.
func (t table[T]) put(tx *tx, object T) (body string, err error) {
	if body, err = document(object); err != nil {
		return "", err
	}
	columns := append([]string{"id", "created_at", "body"}, t.columns...)
	values := append([]any{object.ObjectID(), t.created(object).UnixNano(), body}, t.values(object)...)
	updates := make([]string, len(columns)-1)
	for i, column := range columns[1:] {
		updates[i] = column + " = excluded." + column
	}
	query := fmt.Sprintf("INSERT INTO %s (%s) VALUES (%s) ON CONFLICT (id) DO UPDATE SET %s", t.name,
		strings.Join(columns, ", "), strings.TrimSuffix(strings.Repeat("?, ", len(columns)), ", "), strings.Join(updates, ", "))
	_, err = tx.sql.ExecContext(tx.ctx, query, values...)
	return body, err
}

// document returns an object as JSON. It is not escaped for HTML, so that the JSON
// arguments of a cron are stored unchanged.
func document(object any) (string, error) {
	var body strings.Builder
	encoder := json.NewEncoder(&body)
	encoder.SetEscapeHTML(false)
	err := encoder.Encode(object)
	return strings.TrimSuffix(body.String(), "\n"), err
}

// decode reads a document.
func (t table[T]) decode(body []byte) (T, error) {
	var object T
	if err := json.Unmarshal(body, &object); err != nil {
		return object, fmt.Errorf("%w: one of %s: %w", errUndecodable, t.name, err)
	}
	if err := checkIDs(object.ObjectID(), t.ids(object)); err != nil {
		return object, fmt.Errorf("%w: one of %s: %w", errUndecodable, t.name, err)
	}
	return object, nil
}

func (t table[T]) list(tx *tx, filter functions.Filter, page functions.Page) ([]T, int, error) {
	where, arguments := conditions(filter)
	total, err := t.count(tx, where, arguments)
	if err != nil {
		return nil, 0, err
	}
	order := page.Order()
	query := "SELECT body FROM " + t.name + where + ordering(order)
	if page.Size > 0 {
		// Count from the end of the list that is nearer to the page.
		skipped, size, from := page.Offset(), min(page.Size, total-page.Offset()), order
		if size <= 0 {
			return nil, total, nil
		}
		if after := total - skipped - size; after < skipped {
			skipped, from.Descending = after, !order.Descending
		}
		// The inner query skips rows in the index, without reading the table.
		query = "SELECT body FROM " + t.name + " WHERE rowid IN (SELECT rowid FROM " + t.name + where +
			ordering(from) + " LIMIT ? OFFSET ?)" + ordering(order)
		arguments = append(arguments, size, skipped)
	}
	var found []T
	err = t.query(tx, func(object T) { found = append(found, object) }, query, arguments...)
	return found, total, err
}

// count returns the number of matching objects. For a counted table, the numbers are
// stored by all columns of filters, because counting a long table is slow.
func (t table[T]) count(tx *tx, where string, arguments []any) (int, error) {
	query := "SELECT count(*) FROM " + t.name + where
	if t.counted {
		query = "SELECT coalesce(sum(count), 0) FROM " + t.name + "_counts" + where
	}
	var total int
	if err := tx.sql.QueryRowContext(tx.ctx, query, arguments...).Scan(&total); err != nil {
		return 0, fmt.Errorf("count %s: %w", t.name, err)
	}
	return total, nil
}

func (t table[T]) each(tx *tx, add func(store.Object)) error {
	return t.query(tx, func(object T) { add(object) },
		"SELECT body FROM "+t.name+" ORDER BY created_at, id")
}

func (t table[T]) query(tx *tx, found func(T), query string, arguments ...any) error {
	rows, err := tx.sql.QueryContext(tx.ctx, query, arguments...)
	if err != nil {
		return fmt.Errorf("list %s: %w", t.name, err)
	}
	defer rows.Close()
	for rows.Next() {
		var body sql.RawBytes
		if err := rows.Scan(&body); err != nil {
			return fmt.Errorf("list %s: %w", t.name, err)
		}
		object, err := t.decode(body)
		if err != nil {
			return err
		}
		found(object)
	}
	return rows.Err()
}

// conditions is the WHERE clause of a filter, with its arguments.
func conditions(f functions.Filter) (string, []any) {
	var terms []string
	var arguments []any
	for _, c := range []struct{ column, value string }{
		{"region", string(f.Region)},
		{"project_id", f.ProjectID},
		{"organization_id", f.OrganizationID},
		{"namespace_id", f.NamespaceID},
		{"function_id", f.FunctionID},
		{"name", f.Name},
		{"hostname", f.Hostname},
	} {
		if c.value != "" {
			terms = append(terms, c.column+" = ?")
			arguments = append(arguments, c.value)
		}
	}
	if f.Projects != nil {
		terms = append(terms, "project_id IN (SELECT value FROM json_each(?))")
		arguments = append(arguments, jsonList(f.Projects))
	}
	if len(terms) == 0 {
		return "", nil
	}
	return " WHERE " + strings.Join(terms, " AND "), arguments
}

// jsonList returns a list of texts as one argument of a statement.
func jsonList(texts []string) string {
	encoded, err := json.Marshal(texts)
	if err != nil {
		return "[]" // A list of texts can always be encoded.
	}
	return string(encoded)
}

// ordering returns the ORDER BY clause. Objects with equal values are ordered by ID, so
// that pages do not overlap.
func ordering(o functions.Order) string {
	column := "created_at"
	if o.Field == "name" || o.Field == "hostname" {
		column = o.Field
	}
	if o.Descending {
		return " ORDER BY " + column + " DESC, id DESC"
	}
	return " ORDER BY " + column + ", id"
}
