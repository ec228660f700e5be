package postgres

import (
	"cmp"
	"context"
	"errors"

	"github.com/jackc/pgx/v5"

	"github.com/jeton-dev/jeton/internal/store/table"
)

// A tx is one transaction. It exists no longer than one call of View or Update, and
// has its context. It implements table.Statements.
type tx struct {
	*table.Tx

	ctx context.Context
	sql pgx.Tx
	// failed is the first error of a statement. PostgreSQL executes no statement of
	// the transaction after it.
	failed error
}

func newTx(ctx context.Context, sqlTx pgx.Tx) *tx {
	t := &tx{ctx: ctx, sql: sqlTx}
	t.Tx = table.NewTx(t)
	return t
}

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
