package sqlite

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"strings"

	"github.com/jeton-dev/jeton/internal/functions"
	"github.com/jeton-dev/jeton/internal/store/table"
)

// A tx is one transaction. It lives no longer than one call of View or Update, whose
// context it carries. It implements table.Statements.
type tx struct {
	*table.Tx

	ctx context.Context
	sql *sql.Tx
}

func newTx(ctx context.Context, sqlTx *sql.Tx) *tx {
	t := &tx{ctx: ctx, sql: sqlTx}
	t.Tx = table.NewTx(t)
	return t
}

// GetRow implements table.Statements.
func (t *tx) GetRow(name, id string) (document []byte, err error) {
	err = t.sql.QueryRowContext(t.ctx, "SELECT body FROM "+name+" WHERE id = ?", id).Scan(&document)
	if errors.Is(err, sql.ErrNoRows) {
		return nil, nil
	}
	return document, err
}

// PutRow implements table.Statements.
func (t *tx) PutRow(name string, columns []string, values []any) error {
	updates := make([]string, len(columns)-1)
	for i, column := range columns[1:] {
		updates[i] = column + " = excluded." + column
	}
	query := fmt.Sprintf("INSERT INTO %s (%s) VALUES (%s) ON CONFLICT (id) DO UPDATE SET %s", name,
		strings.Join(columns, ", "), strings.TrimSuffix(strings.Repeat("?, ", len(columns)), ", "), strings.Join(updates, ", "))
	_, err := t.sql.ExecContext(t.ctx, query, values...)
	return err
}

// Condemned implements table.Statements. The only server of the database deletes files
// without announcing it.
func (t *tx) Condemned(string) (bool, error) { return false, nil }

// DeleteRow implements table.Statements.
func (t *tx) DeleteRow(name, id string) error {
	_, err := t.sql.ExecContext(t.ctx, "DELETE FROM "+name+" WHERE id = ?", id)
	return err
}

// ListRows implements table.Statements.
func (t *tx) ListRows(name string, counted bool, filter functions.Filter, page functions.Page, found func([]byte) error) (int, error) {
	where, arguments := conditions(filter)
	if filter.Scans() {
		query := "SELECT body FROM " + name + where + table.Ordering(page.Order()) + " LIMIT ? OFFSET ?"
		return -1, t.documents(name, found, query, append(arguments, page.Size+1, page.Offset())...)
	}
	total, err := t.count(name, counted, where, arguments)
	if err != nil {
		return 0, err
	}
	query := "SELECT body FROM " + name + where + table.Ordering(page.Order())
	if page.Size > 0 {
		window, ok := table.WindowOf(page, total)
		if !ok {
			return total, nil
		}
		// The inner query skips rows in the index, without reading the table.
		query = "SELECT body FROM " + name + " WHERE rowid IN (SELECT rowid FROM " + name + where +
			table.Ordering(window.From) + " LIMIT ? OFFSET ?)" + table.Ordering(page.Order())
		arguments = append(arguments, window.Size, window.Skip)
	}
	return total, t.documents(name, found, query, arguments...)
}

// EachRow implements table.Statements.
func (t *tx) EachRow(name string, found func([]byte) error) error {
	return t.documents(name, found, "SELECT body FROM "+name+" ORDER BY created_at, id")
}

func (t *tx) count(name string, counted bool, where string, arguments []any) (int, error) {
	query := "SELECT count(*) FROM " + name + where
	if counted {
		query = "SELECT coalesce(sum(count), 0) FROM " + name + "_counts" + where
	}
	var total int
	if err := t.sql.QueryRowContext(t.ctx, query, arguments...).Scan(&total); err != nil {
		return 0, fmt.Errorf("count %s: %w", name, err)
	}
	return total, nil
}

func (t *tx) documents(name string, found func([]byte) error, query string, arguments ...any) error {
	rows, err := t.sql.QueryContext(t.ctx, query, arguments...)
	if err != nil {
		return fmt.Errorf("list %s: %w", name, err)
	}
	defer rows.Close()
	for rows.Next() {
		var document sql.RawBytes
		if err := rows.Scan(&document); err != nil {
			return fmt.Errorf("list %s: %w", name, err)
		}
		if err := found(document); err != nil {
			return err
		}
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
	terms, arguments = scanConditions(f, terms, arguments)
	if len(terms) == 0 {
		return "", nil
	}
	return " WHERE " + strings.Join(terms, " AND "), arguments
}

// scanConditions adds the conditions that are compared with every document.
func scanConditions(f functions.Filter, terms []string, arguments []any) ([]string, []any) {
	scan := table.ScanOf(f)
	if scan.ID != "" {
		terms = append(terms, "(id = ? OR namespace_id = ? OR function_id = ?)")
		arguments = append(arguments, scan.ID, scan.ID, scan.ID)
	}
	if scan.Document != "" {
		terms = append(terms, "body LIKE ? ESCAPE '!'", "json_extract(body, '$.Description') LIKE ? ESCAPE '!'")
		arguments = append(arguments, scan.Document, scan.Description)
	}
	if scan.Before != "" {
		terms = append(terms, "json_extract(body, '$.ExpiresAt') > ?", "json_extract(body, '$.ExpiresAt') <= ?")
		arguments = append(arguments, scan.After, scan.Before)
	}
	return terms, arguments
}

// jsonList returns a list of texts as one argument of a statement.
func jsonList(texts []string) string {
	encoded, err := json.Marshal(texts)
	if err != nil {
		return "[]" // A list of texts can always be encoded.
	}
	return string(encoded)
}
