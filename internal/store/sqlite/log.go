package sqlite

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"time"

	"github.com/jeton-dev/jeton/internal/store"
	"github.com/jeton-dev/jeton/internal/store/table"
)

// A logState summarizes the table of changes.
type logState struct {
	// size is the total size of the bodies.
	size int64
	// oldest and oldestAt are the number and time of the oldest change, zero for an
	// empty table.
	oldest, oldestAt int64
}

// exceeds reports whether the oldest change must be removed. last is the number of the
// last change.
func (l logState) exceeds(keep store.Retention, last int64, now time.Time) bool {
	return l.oldest < last &&
		(last-l.oldest >= keep.Changes || l.size > keep.Bytes || l.oldestAt < now.Add(-keep.Age).UnixNano())
}

// appendLog adds the changes of a transaction to the table of changes, removes those
// that are no longer kept, and returns the new state of the table.
func (t *tx) appendLog(changes []table.LoggedChange, now time.Time, state logState, keep store.Retention) (logState, error) {
	const insert = "INSERT INTO changes (number, at, kind, id, deleted, uid, body) VALUES (?, ?, ?, ?, ?, ?, ?)"
	for _, c := range changes {
		if _, err := t.sql.ExecContext(t.ctx, insert, c.Number, now.UnixNano(), c.Table, c.Object.ObjectID(), c.Deleted, c.UID, c.Document); err != nil {
			return state, err
		}
		state.size += int64(len(c.Document))
	}
	if state.oldest == 0 {
		state.oldest, state.oldestAt = changes[0].Number, now.UnixNano()
	}
	last := changes[len(changes)-1].Number
	if !state.exceeds(keep, last, now) {
		return state, nil
	}
	return t.trim(last, now, state, keep)
}

// trim removes the oldest changes until the rest is within the bounds. The last change
// stays, because the next number follows from it.
func (t *tx) trim(last int64, now time.Time, state logState, keep store.Retention) (logState, error) {
	rows, err := t.sql.QueryContext(t.ctx, "SELECT number, at, coalesce(octet_length(body), 0) FROM changes ORDER BY number")
	if err != nil {
		return state, err
	}
	defer rows.Close()
	for rows.Next() {
		var length int64
		if err := rows.Scan(&state.oldest, &state.oldestAt, &length); err != nil {
			return state, err
		}
		if !state.exceeds(keep, last, now) {
			break
		}
		state.size -= length
	}
	if err := errors.Join(rows.Err(), rows.Close()); err != nil {
		return state, err
	}
	_, err = t.sql.ExecContext(t.ctx, "DELETE FROM changes WHERE number < ?", state.oldest)
	return state, err
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
		if c.Object, err = table.Decode(kind, body); err != nil {
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
	if err := table.Each(t, loader.Add); err != nil {
		return err
	}
	loader.Swap()
	return nil
}
