package sqlite

import (
	"context"
	"fmt"
)

// Newest returns the number of the last change that was committed. It never
// waits, not even for a writer that is stuck.
func (s *Store) Newest() int64 { return s.newest.Load() }

// Check tells whether the store can be read and written now. What it writes is
// a number in the file's header that nobody reads: it takes the way to the disk
// that every commit takes, and is no change.
func (s *Store) Check(ctx context.Context) error {
	var schema int
	if err := s.reads.QueryRowContext(ctx, "PRAGMA schema_version").Scan(&schema); err != nil {
		return fmt.Errorf("read: %w", err)
	}
	if _, err := s.writes.ExecContext(ctx, "PRAGMA user_version = 1"); err != nil {
		return fmt.Errorf("write: %w", err)
	}
	return nil
}
