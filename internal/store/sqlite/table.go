package sqlite

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"reflect"
	"strings"

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
	// verify reads all objects of the table, which a database of an older version
	// may not have.
	verify(ctx context.Context, db *sql.DB) error
}

func (t objects[T]) putAny(tx *tx, object store.Object) (string, error) {
	o, ok := object.(T)
	if !ok {
		return "", table.ErrUnknown
	}
	return t.put(tx, o)
}

func (t objects[T]) get(tx *tx, id string) (T, error) {
	var object T
	var body []byte
	err := tx.sql.QueryRowContext(tx.ctx, "SELECT body FROM "+t.Name+" WHERE id = ?", id).Scan(&body)
	if errors.Is(err, sql.ErrNoRows) {
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
	updates := make([]string, len(columns)-1)
	for i, column := range columns[1:] {
		updates[i] = column + " = excluded." + column
	}
	query := fmt.Sprintf("INSERT INTO %s (%s) VALUES (%s) ON CONFLICT (id) DO UPDATE SET %s", t.Name,
		strings.Join(columns, ", "), strings.TrimSuffix(strings.Repeat("?, ", len(columns)), ", "), strings.Join(updates, ", "))
	_, err = tx.sql.ExecContext(tx.ctx, query, values...)
	return row.Body, err
}

func (t objects[T]) list(tx *tx, filter functions.Filter, page functions.Page) ([]T, int, error) {
	where, arguments := conditions(filter)
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
		query = "SELECT body FROM " + t.Name + " WHERE rowid IN (SELECT rowid FROM " + t.Name + where +
			table.Ordering(window.From) + " LIMIT ? OFFSET ?)" + table.Ordering(page.Order())
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
		query = "SELECT coalesce(sum(count), 0) FROM " + t.Name + "_counts" + where
	}
	var total int
	if err := tx.sql.QueryRowContext(tx.ctx, query, arguments...).Scan(&total); err != nil {
		return 0, fmt.Errorf("count %s: %w", t.Name, err)
	}
	return total, nil
}

func (t objects[T]) each(tx *tx, add func(store.Object)) error {
	return t.query(tx, func(object T) { add(object) },
		"SELECT body FROM "+t.Name+" ORDER BY created_at, id")
}

func (t objects[T]) query(tx *tx, found func(T), query string, arguments ...any) error {
	rows, err := tx.sql.QueryContext(tx.ctx, query, arguments...)
	if err != nil {
		return fmt.Errorf("list %s: %w", t.Name, err)
	}
	defer rows.Close()
	for rows.Next() {
		var body sql.RawBytes
		if err := rows.Scan(&body); err != nil {
			return fmt.Errorf("list %s: %w", t.Name, err)
		}
		object, err := t.Decode(body)
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
	for _, c := range table.Conditions(f) {
		terms = append(terms, c.Column+" = ?")
		arguments = append(arguments, c.Value)
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
