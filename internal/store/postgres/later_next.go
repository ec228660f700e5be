//go:build nextversion

package postgres

import (
	"context"
	"database/sql"

	"github.com/pressly/goose/v3"
)

// laterVersion is the number of a migration after all others.
const laterVersion = 90000

// later adds a column and a table that the version before does not know.
var later = []*goose.Migration{goose.NewGoMigration(laterVersion, &goose.GoFunc{RunTx: func(ctx context.Context, tx *sql.Tx) error {
	_, err := tx.ExecContext(ctx, "ALTER TABLE tokens ADD COLUMN later text; CREATE TABLE later (id text PRIMARY KEY)")
	return err
}}, nil)}
