package sqlite

import (
	"context"
	"database/sql"
	"fmt"
	"time"

	"github.com/jeton-dev/jeton/internal/functions"
	"github.com/jeton-dev/jeton/internal/iam"
)

// keptChanges is how many of the latest changes stay in the table. One who
// follows and is further behind starts from the objects instead.
const keptChanges = 10_000

// tx implements functions.Tx. It lives no longer than one call of View or
// Update, whose context it carries.
type tx struct {
	ctx     context.Context
	sql     *sql.Tx
	last    int64
	changes []functions.Change
}

var _ functions.Tx = (*tx)(nil)

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

// Put implements functions.Tx.
func (t *tx) Put(object functions.Object) error {
	if err := put(t, object); err != nil {
		return fmt.Errorf("put %T %s: %w", object, object.ObjectID(), err)
	}
	t.note(functions.Change{Object: object})
	return nil
}

func put(t *tx, object functions.Object) error {
	switch o := object.(type) {
	case functions.Namespace:
		return namespaces.put(t, o)
	case functions.Function:
		return functionsTable.put(t, o)
	case functions.Token:
		return tokens.put(t, o)
	case functions.Cron:
		return crons.put(t, o)
	case functions.Trigger:
		return triggers.put(t, o)
	case functions.Domain:
		return domains.put(t, o)
	case iam.Project:
		return projects.put(t, o)
	case iam.APIKey:
		return apiKeys.put(t, o)
	}
	return errNoTable
}

// Delete implements functions.Tx.
func (t *tx) Delete(object functions.Object) error {
	name, err := kind(object)
	if err != nil {
		return fmt.Errorf("delete %T %s: %w", object, object.ObjectID(), err)
	}
	if _, err := t.sql.ExecContext(t.ctx, "DELETE FROM "+name+" WHERE id = ?", object.ObjectID()); err != nil {
		return fmt.Errorf("delete from %s %s: %w", name, object.ObjectID(), err)
	}
	t.note(functions.Change{Object: object, Deleted: true})
	return nil
}

func (t *tx) note(change functions.Change) {
	t.last++
	change.Number = t.last
	t.changes = append(t.changes, change)
}

// appendChanges numbers the changes, and returns the uid of the last of them.
func (t *tx) appendChanges(now time.Time) (uid string, err error) {
	const insert = "INSERT INTO changes (number, at, kind, id, deleted, uid) VALUES (?, ?, ?, ?, ?, ?)"
	for _, c := range t.changes {
		name, err := kind(c.Object)
		if err != nil {
			return "", err
		}
		uid = newUID()
		if _, err := t.sql.ExecContext(t.ctx, insert, c.Number, now.UnixNano(), name, c.Object.ObjectID(), c.Deleted, uid); err != nil {
			return "", err
		}
	}
	_, err = t.sql.ExecContext(t.ctx, "DELETE FROM changes WHERE number <= ?", t.last-keptChanges)
	return uid, err
}

// all reports every object, those first that others refer to.
func (t *tx) all(apply func(functions.Change)) error {
	for _, read := range []func(*tx, func(functions.Change)) error{
		projects.each, apiKeys.each, namespaces.each, functionsTable.each, tokens.each,
		crons.each, triggers.each, domains.each,
	} {
		if err := read(t, apply); err != nil {
			return err
		}
	}
	return nil
}
