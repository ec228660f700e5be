package sqlite

import (
	"context"
	"database/sql"
	"fmt"
)

// Snapshot writes the state of the store in the file at path, as it is at one
// instant, to a file that is not there yet. Another process may use the store
// meanwhile.
func Snapshot(ctx context.Context, path, into string) error {
	db, err := sql.Open("sqlite", dsn(path, "mode=rw"))
	if err != nil {
		return err
	}
	defer db.Close()
	if _, err := db.ExecContext(ctx, "VACUUM INTO ?", into); err != nil {
		return fmt.Errorf("snapshot of %s: %w", path, err)
	}
	return nil
}

// Verify looks through the whole file for damage.
func (s *Store) Verify(ctx context.Context) error {
	var found string
	if err := s.reads.QueryRowContext(ctx, "PRAGMA integrity_check(1)").Scan(&found); err != nil {
		return fmt.Errorf("integrity check: %w", err)
	}
	if found != "ok" {
		return fmt.Errorf("integrity check: %s", found)
	}
	return nil
}
