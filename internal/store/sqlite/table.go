package sqlite

import (
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/jeton-dev/jeton/internal/functions"
	"github.com/jeton-dev/jeton/internal/iam"
)

// A table keeps the objects of one type: the columns that they are found by,
// and each whole object as JSON.
type table[T functions.Object] struct {
	name string
	// resource is what an error calls one of the objects.
	resource string
	// columns are those besides id, created_at and body; values gives an
	// object's.
	columns []string
	values  func(T) []any
	created func(T) time.Time
	// counted tells that how many there are is kept in a table of its own.
	counted bool
}

var (
	projects = table[iam.Project]{
		name: "projects", resource: "Project", columns: []string{"organization_id", "name"},
		values:  func(p iam.Project) []any { return []any{p.OrganizationID, p.Name} },
		created: func(p iam.Project) time.Time { return p.CreatedAt },
	}
	apiKeys = table[iam.APIKey]{
		name: "api_keys", resource: "API key", columns: []string{"project_id"},
		values:  func(k iam.APIKey) []any { return []any{k.ProjectID} },
		created: func(k iam.APIKey) time.Time { return k.CreatedAt },
	}
	namespaces = table[functions.Namespace]{
		name: "namespaces", resource: "Namespace", columns: []string{"region", "project_id", "name"},
		values:  func(n functions.Namespace) []any { return []any{n.Region, n.ProjectID, n.Name} },
		created: func(n functions.Namespace) time.Time { return n.CreatedAt },
	}
	functionsTable = table[functions.Function]{
		name: "functions", resource: "Function",
		columns: []string{"region", "project_id", "organization_id", "namespace_id", "name"},
		values: func(f functions.Function) []any {
			return []any{f.Region, f.ProjectID, f.OrganizationID, f.NamespaceID, f.Name}
		},
		created: func(f functions.Function) time.Time { return f.CreatedAt },
	}
	tokens = table[functions.Token]{
		name: "tokens", resource: "Token", columns: []string{"region", "project_id", "namespace_id", "function_id"},
		values: func(t functions.Token) []any {
			return []any{t.Region, t.ProjectID, null(t.NamespaceID), null(t.FunctionID)}
		},
		created: func(t functions.Token) time.Time { return t.CreatedAt },
		counted: true,
	}
	crons = table[functions.Cron]{
		name: "crons", resource: "Cron", columns: []string{"region", "project_id", "function_id"},
		values:  func(c functions.Cron) []any { return []any{c.Region, c.ProjectID, c.FunctionID} },
		created: func(c functions.Cron) time.Time { return c.CreatedAt },
	}
	triggers = table[functions.Trigger]{
		name: "triggers", resource: "Trigger", columns: []string{"region", "project_id", "namespace_id", "function_id"},
		values: func(t functions.Trigger) []any {
			return []any{t.Region, t.ProjectID, t.NamespaceID, t.FunctionID}
		},
		created: func(t functions.Trigger) time.Time { return t.CreatedAt },
	}
	domains = table[functions.Domain]{
		name: "domains", resource: "Domain", columns: []string{"region", "project_id", "function_id", "hostname"},
		values:  func(d functions.Domain) []any { return []any{d.Region, d.ProjectID, d.FunctionID, d.Hostname} },
		created: func(d functions.Domain) time.Time { return d.CreatedAt },
	}
)

// errNoTable refuses an object of a type that the store does not know, be it a
// pointer to one that it does.
var errNoTable = errors.New("the store has no table for objects of this type")

// kind is the name of the table that an object is kept in. Returns errNoTable if
// there is none.
func kind(object functions.Object) (string, error) {
	switch object.(type) {
	case iam.Project:
		return projects.name, nil
	case iam.APIKey:
		return apiKeys.name, nil
	case functions.Namespace:
		return namespaces.name, nil
	case functions.Function:
		return functionsTable.name, nil
	case functions.Cron:
		return crons.name, nil
	case functions.Trigger:
		return triggers.name, nil
	case functions.Domain:
		return domains.name, nil
	case functions.Token:
		return tokens.name, nil
	}
	return "", errNoTable
}

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
	return object, decode(t.name, body, &object)
}

func (t table[T]) put(tx *tx, object T) error {
	body, err := document(object)
	if err != nil {
		return err
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
	return err
}

// document is a whole object as JSON. It is not escaped for HTML: the arguments of
// a cron are JSON already, and come back as they were given.
func document(object any) (string, error) {
	var body strings.Builder
	encoder := json.NewEncoder(&body)
	encoder.SetEscapeHTML(false)
	err := encoder.Encode(object)
	return strings.TrimSuffix(body.String(), "\n"), err
}

// decode reads a document.
func decode(table string, body []byte, into any) error {
	if err := json.Unmarshal(body, into); err != nil {
		return fmt.Errorf("%w: one of %s: %w", errUndecodable, table, err)
	}
	if err := checkIDs(into); err != nil {
		return fmt.Errorf("%w: one of %s: %w", errUndecodable, table, err)
	}
	return nil
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
		// The page is found from the end that it is nearer to.
		skipped, size, from := page.Offset(), min(page.Size, total-page.Offset()), order
		if size <= 0 {
			return nil, total, nil
		}
		if after := total - skipped - size; after < skipped {
			skipped, from.Descending = after, !order.Descending
		}
		// What is passed over is read in the index, and not in the table.
		query = "SELECT body FROM " + t.name + " WHERE rowid IN (SELECT rowid FROM " + t.name + where +
			ordering(from) + " LIMIT ? OFFSET ?)" + ordering(order)
		arguments = append(arguments, size, skipped)
	}
	var found []T
	err = t.query(tx, func(object T) { found = append(found, object) }, query, arguments...)
	return found, total, err
}

// count returns how many objects match. A table that can be long has its counts
// kept, by all columns that it is filtered by.
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

// each reports every object of the table, oldest first.
func (t table[T]) each(tx *tx, apply func(functions.Change)) error {
	return t.query(tx, func(object T) { apply(functions.Change{Object: object}) },
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
		var object T
		if err := decode(t.name, body, &object); err != nil {
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

// jsonList is a list of texts as one argument of a statement.
func jsonList(texts []string) string {
	encoded, err := json.Marshal(texts)
	if err != nil {
		return "[]" // A list of texts can always be encoded.
	}
	return string(encoded)
}

// ordering is the ORDER BY clause; objects that are equal in it come in the
// order of their IDs, so that pages do not overlap.
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
