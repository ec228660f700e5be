package postgres

import (
	"errors"
	"fmt"
	"strings"
	"unicode/utf8"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgtype"

	"github.com/jeton-dev/jeton/internal/functions"
	"github.com/jeton-dev/jeton/internal/store/table"
)

// storable reports whether PostgreSQL can store a text: it must be valid UTF-8
// without zero bytes.
func storable(text string) bool { return utf8.ValidString(text) && !strings.Contains(text, "\x00") }

// GetRow implements table.Statements.
func (t *tx) GetRow(name, id string) (document []byte, err error) {
	if !storable(id) {
		return nil, nil
	}
	err = t.scan("SELECT body FROM "+name+" WHERE id = $1", []any{id}, &document)
	if errors.Is(err, pgx.ErrNoRows) {
		return nil, nil
	}
	return document, err
}

// PutRow implements table.Statements.
func (t *tx) PutRow(name string, columns []string, values []any) error {
	statement, err := putStatement(name, columns, values)
	if err != nil {
		return err
	}
	return t.exec(statement, values...)
}

func putStatement(name string, columns []string, values []any) (string, error) {
	places, updates := make([]string, len(columns)), make([]string, len(columns))
	for i, column := range columns {
		places[i], updates[i] = fmt.Sprint("$", i+1), column+" = excluded."+column
		if text, ok := values[i].(string); ok && !storable(text) {
			return "", fmt.Errorf("column %s: the text is not valid UTF-8 or contains a zero byte", column)
		}
	}
	return fmt.Sprintf("INSERT INTO %s (%s) VALUES (%s) ON CONFLICT (id) DO UPDATE SET %s", name,
		strings.Join(columns, ", "), strings.Join(places, ", "), strings.Join(updates[1:], ", ")), nil
}

// DeleteRow implements table.Statements.
func (t *tx) DeleteRow(name, id string) error {
	return t.exec("DELETE FROM "+name+" WHERE id = $1", id)
}

// ListRows implements table.Statements.
func (t *tx) ListRows(name string, counted bool, filter functions.Filter, page functions.Page, found func([]byte) error) (int, error) {
	where, arguments, possible := conditions(filter)
	if !possible {
		return 0, nil
	}
	if filter.Scans() {
		query := fmt.Sprintf("SELECT body FROM %s%s%s LIMIT $%d OFFSET $%d",
			name, where, table.Ordering(page.Order()), len(arguments)+1, len(arguments)+2)
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
		query = fmt.Sprintf("SELECT body FROM %[1]s WHERE id IN (SELECT id FROM %[1]s%[2]s%[3]s LIMIT $%[4]d OFFSET $%[5]d)%[6]s",
			name, where, table.Ordering(window.From), len(arguments)+1, len(arguments)+2, table.Ordering(page.Order()))
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
		query = "SELECT coalesce(sum(count), 0)::bigint FROM " + name + "_counts" + where
	}
	var total int
	if err := t.scan(query, arguments, &total); err != nil {
		return 0, fmt.Errorf("count %s: %w", name, err)
	}
	return total, nil
}

func (t *tx) documents(name string, found func([]byte) error, query string, arguments ...any) error {
	var document pgtype.DriverBytes
	var refused error
	err := t.rows(query, arguments, []any{&document}, func() error {
		refused = found(document)
		return refused
	})
	if err != nil && refused == nil {
		return fmt.Errorf("list %s: %w", name, err)
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
	if !storable(f.Search) {
		return "", nil, false
	}
	terms, arguments = scanConditions(f, terms, arguments)
	if len(terms) == 0 {
		return "", nil, true
	}
	return " WHERE " + strings.Join(terms, " AND "), arguments, true
}

// scanConditions adds the conditions that are compared with every document.
func scanConditions(f functions.Filter, terms []string, arguments []any) ([]string, []any) {
	scan := table.ScanOf(f)
	add := func(term string, value string) {
		arguments = append(arguments, value)
		terms = append(terms, fmt.Sprintf(term, len(arguments)))
	}
	if scan.ID != "" {
		add("(id = $%[1]d OR namespace_id = $%[1]d OR function_id = $%[1]d)", scan.ID)
	}
	if scan.Document != "" {
		add("body ILIKE $%d ESCAPE '!'", scan.Document)
		add("body::json->>'Description' ILIKE $%d ESCAPE '!'", scan.Description)
	}
	if scan.Before != "" {
		add("body::json->>'ExpiresAt' > $%d", scan.After)
		add("body::json->>'ExpiresAt' <= $%d", scan.Before)
	}
	return terms, arguments
}
