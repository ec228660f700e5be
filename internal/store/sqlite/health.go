package sqlite

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"time"

	"github.com/jeton-dev/jeton/internal/store"
)

// Newest implements store.Store.
func (s *Store) Newest() int64 { return s.newest.Load() }

// NewestAt implements store.Store.
func (s *Store) NewestAt(ctx context.Context) (time.Time, error) {
	var at int64
	err := s.reads.QueryRowContext(ctx, "SELECT at FROM changes ORDER BY number DESC LIMIT 1").Scan(&at)
	if errors.Is(err, sql.ErrNoRows) {
		return time.Time{}, nil
	}
	if err != nil {
		return time.Time{}, fmt.Errorf("read the time of the last change: %w", explain(s.path, err))
	}
	return time.Unix(0, at).UTC(), nil
}

// Check implements store.Store. It writes a number to the header of the file, which
// nothing reads. That takes the same path to the disk as a commit, but is not a change.
func (s *Store) Check(ctx context.Context) error {
	if !s.Settled() {
		return store.ErrUnsettled
	}
	var schema int
	if err := s.reads.QueryRowContext(ctx, "PRAGMA schema_version").Scan(&schema); err != nil {
		return fmt.Errorf("read: %w", err)
	}
	if _, err := s.writes.ExecContext(ctx, "PRAGMA user_version = 1"); err != nil {
		return fmt.Errorf("write: %w", err)
	}
	return nil
}
