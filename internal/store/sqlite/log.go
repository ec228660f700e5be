package sqlite

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"time"

	"github.com/jeton-dev/jeton/internal/store"
)

// appendLog adds the changes of a transaction to the table of changes, removes
// those that are no longer kept, and returns the size of the bodies that are left.
func (t *tx) appendLog(now time.Time, size int64, keep store.Retention) (int64, error) {
	const insert = "INSERT INTO changes (number, at, kind, id, deleted, uid, body) VALUES (?, ?, ?, ?, ?, ?, ?)"
	for _, c := range t.noted {
		if _, err := t.sql.ExecContext(t.ctx, insert, c.Number, now.UnixNano(), c.table, c.Object.ObjectID(), c.Deleted, c.UID, c.body); err != nil {
			return 0, err
		}
		size += int64(len(c.body))
	}
	return t.trim(now, size, keep)
}

// trim removes the oldest changes until the rest is within the bounds. The last
// change stays, because the next number follows from it.
func (t *tx) trim(now time.Time, size int64, keep store.Retention) (int64, error) {
	rows, err := t.sql.QueryContext(t.ctx, "SELECT number, at, coalesce(octet_length(body), 0) FROM changes WHERE number < ? ORDER BY number", t.last)
	if err != nil {
		return 0, err
	}
	defer rows.Close()
	oldest := now.Add(-keep.Age).UnixNano()
	var removed int64
	for rows.Next() {
		var number, at, length int64
		if err := rows.Scan(&number, &at, &length); err != nil {
			return 0, err
		}
		if t.last-number < keep.Changes && at >= oldest && size <= keep.Bytes {
			break
		}
		removed, size = number, size-length
	}
	if err := errors.Join(rows.Err(), rows.Close()); err != nil {
		return 0, err
	}
	if removed > 0 {
		_, err = t.sql.ExecContext(t.ctx, "DELETE FROM changes WHERE number <= ?", removed)
	}
	return size, err
}

// Follow implements store.Store.
func (s *Store) Follow(ctx context.Context, from store.Position, follower store.Follower) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if _, err := s.settle(ctx); err != nil {
		return err
	}
	err := s.view(ctx, func(t *tx) error {
		kept, err := t.keepsAfter(from, s.last)
		if err != nil {
			return err
		}
		if kept {
			return t.replay(from.Number, follower)
		}
		return t.load(follower)
	})
	if err != nil {
		return fmt.Errorf("bring a follower up to date: %w", err)
	}
	s.followers = append(s.followers, follower)
	return nil
}

// keepsAfter reports whether every change after a position is in the log, and the
// position itself is of the same history.
func (t *tx) keepsAfter(from store.Position, last int64) (bool, error) {
	if from.UID == "" {
		return false, nil
	}
	var uid string
	err := t.sql.QueryRowContext(t.ctx, "SELECT uid FROM changes WHERE number = ?", from.Number).Scan(&uid)
	if errors.Is(err, sql.ErrNoRows) || err == nil && uid != from.UID {
		return false, nil
	}
	if err != nil {
		return false, err
	}
	var kept int64
	err = t.sql.QueryRowContext(t.ctx, "SELECT count(*) FROM changes WHERE number > ? AND body IS NOT NULL", from.Number).Scan(&kept)
	return kept == last-from.Number, err
}

// replay applies the changes after a number.
func (t *tx) replay(from int64, follower store.Follower) error {
	rows, err := t.sql.QueryContext(t.ctx, "SELECT number, at, kind, deleted, uid, body FROM changes WHERE number > ? ORDER BY number", from)
	if err != nil {
		return err
	}
	defer rows.Close()
	for rows.Next() {
		var c store.Change
		var at int64
		var kind string
		var body sql.RawBytes
		if err := rows.Scan(&c.Number, &at, &kind, &c.Deleted, &c.UID, &body); err != nil {
			return err
		}
		known, err := tableNamed(kind)
		if err != nil {
			return err
		}
		if c.Object, err = known.DecodeAny(body); err != nil {
			return err
		}
		c.CommittedAt = time.Unix(0, at).UTC()
		follower.Apply(c)
	}
	return rows.Err()
}

// load makes a follower load all objects.
func (t *tx) load(follower store.Follower) error {
	var at store.Position
	err := t.sql.QueryRowContext(t.ctx, "SELECT number, uid FROM changes ORDER BY number DESC LIMIT 1").Scan(&at.Number, &at.UID)
	if err != nil && !errors.Is(err, sql.ErrNoRows) {
		return err
	}
	loader := follower.Reload(at)
	for _, objects := range tables {
		if err := objects.each(t, loader.Add); err != nil {
			return err
		}
	}
	loader.Swap()
	return nil
}
