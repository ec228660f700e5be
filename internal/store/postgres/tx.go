package postgres

import (
	"cmp"
	"context"
	"crypto/rand"
	"errors"
	"fmt"

	"github.com/jackc/pgx/v5"

	"github.com/jeton-dev/jeton/internal/functions"
	"github.com/jeton-dev/jeton/internal/iam"
	"github.com/jeton-dev/jeton/internal/store"
	"github.com/jeton-dev/jeton/internal/store/table"
)

// A tx implements store.Tx. It exists no longer than one call of View or Update, and
// has its context.
type tx struct {
	ctx context.Context
	sql pgx.Tx
	// failed is the first error of a statement. PostgreSQL executes no statement of
	// the transaction after it.
	failed error

	last int64
	// noted are the changes so far.
	noted []noted
}

// A noted change is not in the table of changes yet.
type noted struct {
	store.Change

	table, body string
}

var _ store.Tx = (*tx)(nil)

// exec executes a statement.
func (t *tx) exec(statement string, arguments ...any) error {
	_, err := t.sql.Exec(t.ctx, statement, arguments...)
	t.failed = cmp.Or(t.failed, err)
	return err
}

// scan reads the only row of a query, or returns pgx.ErrNoRows.
func (t *tx) scan(query string, arguments []any, into ...any) error {
	err := t.sql.QueryRow(t.ctx, query, arguments...).Scan(into...)
	if !errors.Is(err, pgx.ErrNoRows) {
		t.failed = cmp.Or(t.failed, err)
	}
	return err
}

// rows reads each row of a query and calls found after it.
func (t *tx) rows(query string, arguments, into []any, found func() error) error {
	rows, err := t.sql.Query(t.ctx, query, arguments...)
	if err != nil {
		t.failed = cmp.Or(t.failed, err)
		return err
	}
	_, err = pgx.ForEachRow(rows, into, found)
	t.failed = cmp.Or(t.failed, err)
	return err
}

func (t *tx) Project(id string) (iam.Project, error)           { return projects.get(t, id) }
func (t *tx) APIKey(accessKey string) (iam.APIKey, error)      { return apiKeys.get(t, accessKey) }
func (t *tx) Namespace(id string) (functions.Namespace, error) { return namespaces.get(t, id) }
func (t *tx) Function(id string) (functions.Function, error)   { return functionsTable.get(t, id) }
func (t *tx) Token(id string) (functions.Token, error)         { return tokens.get(t, id) }
func (t *tx) Cron(id string) (functions.Cron, error)           { return crons.get(t, id) }
func (t *tx) Trigger(id string) (functions.Trigger, error)     { return triggers.get(t, id) }
func (t *tx) Domain(id string) (functions.Domain, error)       { return domains.get(t, id) }

func (t *tx) Namespaces(f functions.Filter, p functions.Page) ([]functions.Namespace, int, error) {
	return namespaces.list(t, f, p)
}

func (t *tx) Functions(f functions.Filter, p functions.Page) ([]functions.Function, int, error) {
	return functionsTable.list(t, f, p)
}

func (t *tx) Tokens(f functions.Filter, p functions.Page) ([]functions.Token, int, error) {
	return tokens.list(t, f, p)
}

func (t *tx) Crons(f functions.Filter, p functions.Page) ([]functions.Cron, int, error) {
	return crons.list(t, f, p)
}

func (t *tx) Triggers(f functions.Filter, p functions.Page) ([]functions.Trigger, int, error) {
	return triggers.list(t, f, p)
}

func (t *tx) Domains(f functions.Filter, p functions.Page) ([]functions.Domain, int, error) {
	return domains.list(t, f, p)
}

// Projects implements store.Tx.
func (t *tx) Projects() ([]iam.Project, error) {
	all, _, err := projects.list(t, functions.Filter{}, functions.Page{})
	return all, err
}

// APIKeys implements store.Tx.
func (t *tx) APIKeys() ([]iam.APIKey, error) {
	all, _, err := apiKeys.list(t, functions.Filter{}, functions.Page{})
	return all, err
}

// Put implements functions.Tx.
func (t *tx) Put(object store.Object) error {
	kind, err := tableOf(object)
	if err != nil {
		return fmt.Errorf("put %T %s: %w", object, object.ObjectID(), err)
	}
	body, err := kind.putAny(t, object)
	if err != nil {
		return fmt.Errorf("put %T %s: %w", object, object.ObjectID(), err)
	}
	t.note(kind, body, store.Change{Object: object})
	return nil
}

// Delete implements functions.Tx.
func (t *tx) Delete(object store.Object) error {
	kind, err := tableOf(object)
	if err != nil {
		return fmt.Errorf("delete %T %s: %w", object, object.ObjectID(), err)
	}
	if err := t.exec("DELETE FROM "+kind.TableName()+" WHERE id = $1", object.ObjectID()); err != nil {
		return fmt.Errorf("delete %T %s: %w", object, object.ObjectID(), err)
	}
	body, err := table.Document(object)
	if err != nil {
		return fmt.Errorf("delete %T %s: %w", object, object.ObjectID(), err)
	}
	t.note(kind, body, store.Change{Object: object, Deleted: true})
	return nil
}

func (t *tx) note(kind anyTable, body string, change store.Change) {
	t.last++
	change.Number, change.UID = t.last, rand.Text()
	t.noted = append(t.noted, noted{change, kind.TableName(), body})
}
