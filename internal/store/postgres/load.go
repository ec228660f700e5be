package postgres

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"strings"

	"github.com/jackc/pgx/v5"

	"github.com/jeton-dev/jeton/internal/store"
	"github.com/jeton-dev/jeton/internal/store/table"
	"github.com/jeton-dev/jeton/internal/usage"
)

// ErrNotEmpty is returned by Load and CheckEmpty for a database that is in use.
var ErrNotEmpty = errors.New("the database is not empty: create a new one, and pass its URL")

// A Load is the content for an empty database.
type Load struct {
	// Number is the number of the last change of the store that the objects come from.
	Number int64
	// Objects passes every object to put. An object comes after those that it refers to.
	Objects func(put func(store.Object) error) error
	// Uses passes the last uses of objects to note.
	Uses func(note func(usage.Kind, []usage.Use) error) error
	// Settings and Certificates are rows of the tables of these names.
	Settings, Certificates map[string][]byte
	// Ready is called before the commit. After an error, nothing is stored.
	Ready func() error
}

// loadAtOnce is the number of objects that are sent together.
const loadAtOnce = 500

// CheckEmpty returns ErrNotEmpty if the database has an object, a setting or a change.
func (s *Store) CheckEmpty(ctx context.Context) error {
	return s.explain(s.view(ctx, (*tx).checkEmpty))
}

func (t *tx) checkEmpty() error {
	used := []string{"EXISTS (SELECT FROM head WHERE number > 0)", "EXISTS (SELECT FROM settings)"}
	for _, kind := range table.Kinds {
		used = append(used, "EXISTS (SELECT FROM "+kind.TableName()+")")
	}
	var found bool
	if err := t.scan("SELECT "+strings.Join(used, " OR "), nil, &found); err != nil {
		return err
	}
	if found {
		return ErrNotEmpty
	}
	return nil
}

// Load stores the content in one transaction. Nothing is stored after an error.
func (s *Store) Load(ctx context.Context, l Load) error {
	err := pgx.BeginFunc(ctx, s.pool, func(sqlTx pgx.Tx) error {
		t := newTx(ctx, sqlTx)
		if _, err := t.lockHead(); err != nil {
			return err
		}
		if err := t.checkEmpty(); err != nil {
			return err
		}
		if err := t.exec("SET LOCAL statement_timeout = 0"); err != nil {
			return err
		}
		if err := t.exec("SET LOCAL idle_in_transaction_session_timeout = 0"); err != nil {
			return err
		}
		return t.fill(l)
	})
	if err != nil {
		return fmt.Errorf("load the database: %w", s.explain(err))
	}
	return nil
}

// The trigger that counts tokens would update one row for each token of a namespace. Each
// update reads all earlier versions of the row in the same transaction.
const (
	stopCounting = "ALTER TABLE tokens DISABLE TRIGGER tokens_count"
	countTokens  = `INSERT INTO tokens_counts (namespace_id, function_id, region, project_id, count)
		SELECT coalesce(namespace_id, ''), coalesce(function_id, ''), region, project_id, count(*) FROM tokens GROUP BY 1, 2, 3, 4`
	startCounting = "ALTER TABLE tokens ENABLE TRIGGER tokens_count"
)

func (t *tx) fill(l Load) error {
	if err := t.exec(stopCounting); err != nil {
		return err
	}
	rows := newBulk(t)
	if err := errors.Join(l.Objects(rows.put), rows.flush()); err != nil {
		return err
	}
	// Checks of references that wait for the end of the transaction forbid ALTER TABLE.
	for _, statement := range []string{"SET CONSTRAINTS ALL IMMEDIATE", startCounting, countTokens} {
		if err := t.exec(statement); err != nil {
			return err
		}
	}
	err := l.Uses(func(kind usage.Kind, uses []usage.Use) error {
		ids, minutes := usesOf(uses)
		return t.exec(insertUses(kind), ids, minutes)
	})
	if err != nil {
		return err
	}
	for name, value := range l.Settings {
		if err := t.exec("INSERT INTO settings (name, value) VALUES ($1, $2)", name, value); err != nil {
			return err
		}
	}
	for key, value := range l.Certificates {
		if err := t.exec("INSERT INTO certificates (key, value, modified) VALUES ($1, $2, clock_timestamp())", key, value); err != nil {
			return err
		}
	}
	// The log begins after the last change, so that followers load a snapshot.
	if err := t.exec("UPDATE head SET number = $1, uid = $2, logged = 0, removed = $1", max(l.Number, 1), rand.Text()); err != nil {
		return err
	}
	return l.Ready()
}

// A bulk sends rows in batches. It implements table.Statements for puts only.
type bulk struct {
	*tx

	batch pgx.Batch
	// objects is replaced after each batch, because it collects changes.
	objects *table.Tx
}

func newBulk(t *tx) *bulk {
	b := &bulk{tx: t}
	b.objects = table.NewTx(b)
	return b
}

// PutRow implements table.Statements.
func (b *bulk) PutRow(name string, columns []string, values []any) error {
	statement, err := putStatement(name, columns, values)
	if err == nil {
		b.batch.Queue(statement, values...)
	}
	return err
}

func (b *bulk) put(o store.Object) error {
	if err := b.objects.Put(o); err != nil {
		return err
	}
	if b.batch.Len() < loadAtOnce {
		return nil
	}
	return b.flush()
}

func (b *bulk) flush() error {
	if b.batch.Len() == 0 {
		return nil
	}
	err := b.sql.SendBatch(b.ctx, &b.batch).Close()
	b.batch, b.objects = pgx.Batch{}, table.NewTx(b)
	return err
}
