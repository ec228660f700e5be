package sqlite

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/jeton-dev/jeton/internal/usage"
)

// usesAtOnce is the number of uses in one transaction. It is small, so that a change
// waits for milliseconds at most.
const usesAtOnce = 1000

// NoteUses implements usage.Store. Uses are not changes: they have no number, and
// followers do not receive them.
func (s *Store) NoteUses(ctx context.Context, kind usage.Kind, uses []usage.Use) error {
	for some := range slices.Chunk(uses, usesAtOnce) {
		if err := s.noteUses(ctx, kind, some); err != nil {
			return fmt.Errorf("note uses of %s: %w", kind, err)
		}
	}
	return nil
}

func (s *Store) noteUses(ctx context.Context, kind usage.Kind, uses []usage.Use) error {
	sqlTx, err := s.writes.BeginTx(ctx, nil)
	if err != nil {
		return err
	}
	defer rollback(sqlTx)
	// A use of a deleted object is dropped. A use with an earlier time than the
	// stored one does not replace it.
	insert := fmt.Sprintf(`INSERT INTO %[1]s_uses (id, minute)
		SELECT id, ? FROM %[1]s WHERE id = ?
		ON CONFLICT (id) DO UPDATE SET minute = max(minute, excluded.minute)`, kind)
	for _, use := range uses {
		if _, err := sqlTx.ExecContext(ctx, insert, use.At.Unix()/60, use.ID); err != nil {
			return err
		}
	}
	return sqlTx.Commit()
}

// LastUses implements store.Store.
func (s *Store) LastUses(ctx context.Context, kind usage.Kind, ids []string) (map[string]time.Time, error) {
	found := map[string]time.Time{}
	query := fmt.Sprintf("SELECT minute FROM %s_uses WHERE id = ?", kind)
	err := s.view(ctx, func(t *tx) error {
		for _, id := range ids {
			var minute int64
			err := t.sql.QueryRowContext(ctx, query, id).Scan(&minute)
			if errors.Is(err, sql.ErrNoRows) {
				continue
			}
			if err != nil {
				return fmt.Errorf("read uses of %s: %w", kind, err)
			}
			found[id] = time.Unix(minute*60, 0).UTC()
		}
		return nil
	})
	return found, err
}
