package postgres

import (
	"context"
	"fmt"

	"github.com/jackc/pgx/v5"
)

// Canary returns the canary of the database: a value that was sealed with the sealing
// key of the installation, so that a server can refuse another key. If the database has
// no canary, Canary stores the value that seal returns.
func (s *Store) Canary(ctx context.Context, seal func() []byte) (sealed []byte, err error) {
	err = pgx.BeginFunc(ctx, s.pool, func(sqlTx pgx.Tx) error {
		t := newTx(ctx, sqlTx)
		if _, err := t.lockHead(); err != nil {
			return err
		}
		if err := t.exec("INSERT INTO settings (name, value) VALUES ('canary', $1) ON CONFLICT DO NOTHING", seal()); err != nil {
			return err
		}
		return t.scan("SELECT value FROM settings WHERE name = 'canary'", nil, &sealed)
	})
	if err != nil {
		return nil, fmt.Errorf("read the canary of the sealing key: %w", s.explain(err))
	}
	return sealed, nil
}

// HasCanary reports whether the database has a canary.
func (s *Store) HasCanary(ctx context.Context) (has bool, err error) {
	err = s.retry(ctx, func() error {
		return againIf(s.pool.QueryRow(ctx, "SELECT EXISTS (SELECT FROM settings WHERE name = 'canary')").Scan(&has))
	})
	return has, s.explain(err)
}
