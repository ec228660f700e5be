package postgres

import (
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/jeton-dev/jeton/internal/usage"
)

// usesAtOnce is the number of uses in one transaction. It is small, so that the
// deletion of a token waits for milliseconds at most.
const usesAtOnce = 1000

// NoteUses implements usage.Store. Uses are not changes: they have no number, and
// followers do not receive them. NoteUses does not lock the head row.
func (s *Store) NoteUses(ctx context.Context, kind usage.Kind, uses []usage.Use) error {
	insert := insertUses(kind)
	for some := range slices.Chunk(uses, usesAtOnce) {
		ids, minutes := usesOf(some)
		err := s.retry(ctx, func() error {
			_, err := s.pool.Exec(ctx, insert, ids, minutes)
			return againIf(err)
		})
		if err != nil {
			return fmt.Errorf("note uses of %s: %w", kind, s.explain(err))
		}
	}
	return nil
}

// insertUses is the statement that notes uses. A use of a deleted object is dropped. A use
// with an earlier time than the stored one does not replace it. Rows are locked in the
// order of their IDs.
func insertUses(kind usage.Kind) string {
	return fmt.Sprintf(`INSERT INTO %[1]s_uses AS u (id, minute)
		SELECT id, max(n.minute) FROM unnest($1::text[], $2::bigint[]) AS n (id, minute) JOIN %[1]s USING (id)
		GROUP BY id ORDER BY id
		ON CONFLICT (id) DO UPDATE SET minute = greatest(u.minute, excluded.minute)`, kind)
}

// usesOf returns the parameters of insertUses.
func usesOf(uses []usage.Use) (ids []string, minutes []int64) {
	ids, minutes = make([]string, 0, len(uses)), make([]int64, 0, len(uses))
	for _, use := range uses {
		if storable(use.ID) {
			ids, minutes = append(ids, use.ID), append(minutes, use.At.Unix()/60)
		}
	}
	return ids, minutes
}

// LastUses implements store.Store.
func (s *Store) LastUses(ctx context.Context, kind usage.Kind, ids []string) (map[string]time.Time, error) {
	found := map[string]time.Time{}
	ids = slices.DeleteFunc(slices.Clone(ids), func(id string) bool { return !storable(id) })
	err := s.retry(ctx, func() error {
		rows, err := s.pool.Query(ctx, fmt.Sprintf("SELECT id, minute FROM %s_uses WHERE id = ANY($1)", kind), ids)
		if err != nil {
			return againIf(err)
		}
		var id string
		var minute int64
		_, err = pgx.ForEachRow(rows, []any{&id, &minute}, func() error {
			found[id] = time.Unix(minute*60, 0).UTC()
			return nil
		})
		return againIf(err)
	})
	if err != nil {
		return nil, fmt.Errorf("read uses of %s: %w", kind, s.explain(err))
	}
	return found, nil
}
