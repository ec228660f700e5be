package postgres

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/jeton-dev/jeton/internal/store"
)

// keepDeleted is how long the row of a deleted object stays, so that a process that was
// paused cannot refer to the object.
const keepDeleted = 7 * 24 * time.Hour

// Condemn records that objects of a function may be deleted after a while: the keys that
// choose returns. No change commits while choose runs. From then on, changes that refer
// to one of the objects are refused (see functions.Tx.Usable). choose may run several times.
func (s *Store) Condemn(ctx context.Context, functionID string, choose func(store.Tx) (keys []string, err error)) error {
	return s.locked(ctx, func(t *tx) error {
		keys, err := choose(t)
		if err != nil || len(keys) == 0 {
			return err
		}
		return t.exec(`INSERT INTO condemned (key, function_id, at) SELECT DISTINCT k, $2, $3::bigint FROM unnest($1::text[]) AS k ON CONFLICT DO NOTHING`,
			keys, functionID, s.now().UnixNano())
	})
}

// locked runs write while no other change commits, and commits. It runs write again if
// that may help. write makes no change for followers.
func (s *Store) locked(ctx context.Context, write func(*tx) error) error {
	return s.explain(s.retry(ctx, func() error {
		var t *tx
		err := pgx.BeginFunc(ctx, s.pool, func(sqlTx pgx.Tx) error {
			t = newTx(ctx, sqlTx)
			if _, err := t.lockHead(); err != nil {
				return err
			}
			return write(t)
		})
		if err != nil && t != nil {
			return t.classify(err)
		}
		return againIf(err)
	}))
}

// Condemned implements table.Statements.
func (t *tx) Condemned(key string) (condemned bool, err error) {
	err = t.scan("SELECT EXISTS (SELECT FROM condemned WHERE key = $1)", []any{key}, &condemned)
	return condemned, err
}

// CondemnedOf returns the keys of the condemned objects of functions that are not deleted
// yet.
func (s *Store) CondemnedOf(ctx context.Context, functionIDs []string) (map[string]bool, error) {
	keys, err := s.keys(ctx, "SELECT key FROM condemned WHERE function_id = ANY($1) AND NOT deleted", functionIDs)
	found := make(map[string]bool, len(keys))
	for _, key := range keys {
		found[key] = true
	}
	return found, err
}

// CondemnedBefore returns at most limit keys of objects that were condemned before a time
// and are not deleted yet, oldest first.
func (s *Store) CondemnedBefore(ctx context.Context, before time.Time, limit int) ([]string, error) {
	return s.keys(ctx, "SELECT key FROM condemned WHERE NOT deleted AND at < $1 ORDER BY at, key LIMIT $2", before.UnixNano(), limit)
}

func (s *Store) keys(ctx context.Context, query string, arguments ...any) (keys []string, err error) {
	err = s.retry(ctx, func() error {
		rows, err := s.pool.Query(ctx, query, arguments...)
		if err == nil {
			keys, err = pgx.CollectRows(rows, pgx.RowTo[string])
		}
		return againIf(err)
	})
	if err != nil {
		return nil, fmt.Errorf("read condemned objects: %w", s.explain(err))
	}
	return keys, nil
}

// NoteDeleted records that condemned objects were deleted. It forgets those that were
// deleted long ago.
func (s *Store) NoteDeleted(ctx context.Context, keys []string) error {
	err := s.retry(ctx, func() error {
		return againIf(pgx.BeginFunc(ctx, s.pool, func(sqlTx pgx.Tx) error {
			t, now := newTx(ctx, sqlTx), s.now()
			// The time of the deletion replaces that of the decision.
			err := t.exec("UPDATE condemned SET deleted = true, at = $2 WHERE key = ANY($1) AND NOT deleted", keys, now.UnixNano())
			if err == nil {
				err = t.exec(`DELETE FROM condemned WHERE key IN (SELECT key FROM condemned WHERE deleted AND at < $1 LIMIT 10000)`, now.Add(-keepDeleted).UnixNano())
			}
			return err
		}))
	})
	if err != nil {
		return fmt.Errorf("note deleted objects: %w", s.explain(err))
	}
	return nil
}

// BeginSweep reports whether the caller must sweep the bucket, because no process has
// begun a sweep since a time. It returns the key after which the sweep begins.
func (s *Store) BeginSweep(ctx context.Context, since time.Time) (after string, begun bool, err error) {
	err = s.pool.QueryRow(ctx, "UPDATE sweep SET at = $1 WHERE at < $2 RETURNING after", s.now().UnixNano(), since.UnixNano()).Scan(&after)
	if errors.Is(err, pgx.ErrNoRows) {
		return "", false, nil
	}
	if err != nil {
		return "", false, fmt.Errorf("begin a sweep of the bucket: %w", s.explain(err))
	}
	return after, true, nil
}

// EndSweep records the key after which the next sweep begins; "" for the first one.
func (s *Store) EndSweep(ctx context.Context, after string) error {
	if _, err := s.pool.Exec(ctx, "UPDATE sweep SET after = $1", after); err != nil {
		return fmt.Errorf("end a sweep of the bucket: %w", s.explain(err))
	}
	return nil
}
