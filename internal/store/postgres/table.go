package postgres

import (
	"errors"
	"fmt"
	"reflect"
	"strings"
	"unicode/utf8"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgtype"

	"github.com/jeton-dev/jeton/internal/functions"
	"github.com/jeton-dev/jeton/internal/store"
	"github.com/jeton-dev/jeton/internal/store/table"
)

// objects reads and writes the table of one type of objects.
type objects[T store.Object] struct{ table.Table[T] }

// An anyTable is a table of objects of any type.
type anyTable interface {
	TableName() string
	// Holds returns the type of the objects.
	Holds() reflect.Type
	// DecodeAny reads a document.
	DecodeAny(body []byte) (store.Object, error)
	// putAny stores an object of the type that the table holds, and returns its
	// document.
	putAny(t *tx, object store.Object) (body string, err error)
	// each passes every object to add, oldest first.
	each(t *tx, add func(store.Object)) error
}

func (t objects[T]) putAny(tx *tx, object store.Object) (string, error) {
	o, ok := object.(T)
	if !ok {
		return "", table.ErrUnknown
	}
	return t.put(tx, o)
}

// storable reports whether PostgreSQL can store a text: it must be valid UTF-8
// without zero bytes.
func storable(text string) bool { return utf8.ValidString(text) && !strings.Contains(text, "\x00") }

func (t objects[T]) get(tx *tx, id string) (T, error) {
	var object T
	if !storable(id) {
		return object, functions.NotFoundError(t.Resource, id)
	}
	var body []byte
	err := tx.scan("SELECT body FROM "+t.Name+" WHERE id = $1", []any{id}, &body)
	if errors.Is(err, pgx.ErrNoRows) {
		return object, functions.NotFoundError(t.Resource, id)
	}
	if err != nil {
		return object, fmt.Errorf("get from %s: %w", t.Name, err)
	}
	return t.Decode(body)
}

// put inserts or replaces an object, and returns its document.
func (t objects[T]) put(tx *tx, object T) (body string, err error) {
	row, err := t.Row(object)
	if err != nil {
		return "", err
	}
	columns := append([]string{"id", "created_at", "body"}, t.Columns...)
	values := append([]any{row.ID, row.CreatedAt, row.Body}, row.Values...)
	places, updates := make([]string, len(columns)), make([]string, len(columns))
	for i, column := range columns {
		places[i], updates[i] = fmt.Sprint("$", i+1), column+" = excluded."+column
		if text, ok := values[i].(string); ok && !storable(text) {
			return "", fmt.Errorf("column %s: the text is not valid UTF-8 or contains a zero byte", column)
		}
	}
	err = tx.exec(fmt.Sprintf("INSERT INTO %s (%s) VALUES (%s) ON CONFLICT (id) DO UPDATE SET %s", t.Name,
		strings.Join(columns, ", "), strings.Join(places, ", "), strings.Join(updates[1:], ", ")), values...)
	return row.Body, err
}

func (t objects[T]) list(tx *tx, filter functions.Filter, page functions.Page) ([]T, int, error) {
	where, arguments, possible := conditions(filter)
	if !possible {
		return nil, 0, nil
	}
	total, err := t.count(tx, where, arguments)
	if err != nil {
		return nil, 0, err
	}
	query := "SELECT body FROM " + t.Name + where + table.Ordering(page.Order())
	if page.Size > 0 {
		window, ok := table.WindowOf(page, total)
		if !ok {
			return nil, total, nil
		}
		// The inner query skips rows in the index, without reading the table.
		query = fmt.Sprintf("SELECT body FROM %[1]s WHERE id IN (SELECT id FROM %[1]s%[2]s%[3]s LIMIT $%[4]d OFFSET $%[5]d)%[6]s",
			t.Name, where, table.Ordering(window.From), len(arguments)+1, len(arguments)+2, table.Ordering(page.Order()))
		arguments = append(arguments, window.Size, window.Skip)
	}
	var found []T
	err = t.query(tx, func(object T) { found = append(found, object) }, query, arguments...)
	return found, total, err
}

// count returns the number of matching objects. For a counted table, the numbers are
// stored by all columns of filters, because counting a long table is slow.
func (t objects[T]) count(tx *tx, where string, arguments []any) (int, error) {
	query := "SELECT count(*) FROM " + t.Name + where
	if t.Counted {
		query = "SELECT coalesce(sum(count), 0)::bigint FROM " + t.Name + "_counts" + where
	}
	var total int
	if err := tx.scan(query, arguments, &total); err != nil {
		return 0, fmt.Errorf("count %s: %w", t.Name, err)
	}
	return total, nil
}

func (t objects[T]) each(tx *tx, add func(store.Object)) error {
	return t.query(tx, func(object T) { add(object) }, "SELECT body FROM "+t.Name+" ORDER BY created_at, id")
}

func (t objects[T]) query(tx *tx, found func(T), query string, arguments ...any) error {
	var body pgtype.DriverBytes
	var undecodable error
	err := tx.rows(query, arguments, []any{&body}, func() error {
		object, err := t.Decode(body)
		if err != nil {
			undecodable = err
			return err
		}
		found(object)
		return nil
	})
	if err != nil && undecodable == nil {
		return fmt.Errorf("list %s: %w", t.Name, err)
	}
	return err
}

// conditions is the WHERE clause of a filter, with its arguments. It returns false
// for a filter with a text that no row can have.
func conditions(f functions.Filter) (where string, arguments []any, possible bool) {
	var terms []string
	for _, c := range table.Conditions(f) {
		if !storable(c.Value) {
			return "", nil, false
		}
		arguments = append(arguments, c.Value)
		terms = append(terms, fmt.Sprintf("%s = $%d", c.Column, len(arguments)))
	}
	if f.Projects != nil {
		ids := make([]string, 0, len(f.Projects))
		for _, id := range f.Projects {
			if storable(id) {
				ids = append(ids, id)
			}
		}
		arguments = append(arguments, ids)
		terms = append(terms, fmt.Sprintf("project_id = ANY($%d)", len(arguments)))
	}
	if len(terms) == 0 {
		return "", nil, true
	}
	return " WHERE " + strings.Join(terms, " AND "), arguments, true
}
