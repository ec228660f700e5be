package postgres

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgtype"

	"github.com/jeton-dev/jeton/internal/store"
	"github.com/jeton-dev/jeton/internal/store/table"
)

// The queries of trim read trimFirst changes, and then more up to trimMost.
const (
	trimFirst = 8
	trimMost  = 4096
)

// channel is the channel of NOTIFY for new changes.
const channel = "jeton_changes"

// A head is the row of the table head.
type head struct {
	store.Position

	logged, removed int64
}

const selectHead = "SELECT number, uid, logged, removed FROM head"

func (t *tx) readHead(query string) (h head, err error) {
	err = t.scan(query, nil, &h.Number, &h.UID, &h.logged, &h.removed)
	if errors.Is(err, pgx.ErrNoRows) {
		err = errNoHead
	}
	return h, err
}

// lockHead locks the head row until the transaction ends.
func (t *tx) lockHead() (head, error) { return t.readHead(selectHead + " FOR UPDATE") }

// appendLog adds the changes of a transaction to the table of changes, removes those
// that are no longer kept, and updates the head row.
func (s *Store) appendLog(t *tx, c *commit, h head) error {
	now := s.now()
	var numbers []int64
	var kinds, ids, uids, bodies []string
	var deleted []bool
	for i := range c.changes {
		change := &c.changes[i]
		change.CommittedAt = time.Unix(0, now.UnixNano()).UTC()
		numbers, kinds, ids = append(numbers, change.Number), append(kinds, change.Table), append(ids, change.Object.ObjectID())
		deleted, uids, bodies = append(deleted, change.Deleted), append(uids, change.UID), append(bodies, change.Document)
		h.logged += int64(len(change.Document))
	}
	err := t.exec(`INSERT INTO changes (number, at, kind, id, deleted, uid, body)
		SELECT n, $2::bigint, k, i, d, u, b FROM unnest($1::bigint[], $3::text[], $4::text[], $5::boolean[], $6::text[], $7::text[]) AS c (n, k, i, d, u, b)`,
		numbers, now.UnixNano(), kinds, ids, deleted, uids, bodies)
	if err != nil {
		return err
	}
	h.Position = c.last().Position()
	if err := t.trim(&h, now, s.keep); err != nil {
		return err
	}
	const update = "WITH h AS (UPDATE head SET number = $1, uid = $2, logged = $3, removed = $4) SELECT pg_notify($5, $6)"
	return t.exec(update, h.Number, h.UID, h.logged, h.removed, channel, s.instance)
}

// trim removes the oldest changes until the rest is within the bounds. The last
// change stays, so that the position of a current follower is in the log.
func (t *tx) trim(h *head, now time.Time, keep store.Retention) error {
	oldest, before := now.Add(-keep.Age).UnixNano(), h.removed
	done := false
	for limit := trimFirst; !done; limit = min(4*limit, trimMost) {
		var number, at, length int64
		read := 0
		err := t.rows("SELECT number, at, octet_length(body) FROM changes WHERE number > $1 AND number < $2 ORDER BY number LIMIT $3",
			[]any{h.removed, h.Number, limit}, []any{&number, &at, &length}, func() error {
				read++
				if done || h.Number-number < keep.Changes && at >= oldest && h.logged <= keep.Bytes {
					done = true
					return nil
				}
				h.removed, h.logged = number, h.logged-length
				return nil
			})
		if err != nil {
			return err
		}
		done = done || read < limit
	}
	if h.removed == before {
		return nil
	}
	return t.exec("DELETE FROM changes WHERE number <= $1", h.removed)
}

// Follow implements store.Store.
func (s *Store) Follow(ctx context.Context, from store.Position, follower store.Follower) error {
	select {
	case s.writing <- struct{}{}:
		defer func() { <-s.writing }()
	case <-ctx.Done():
		return ctx.Err()
	}
	if _, err := s.settle(ctx); err != nil {
		return s.explain(err)
	}
	s.applying.lock()
	defer s.applying.unlock()
	// A follower that has applied some changes must not get them again.
	position := from
	err := s.retry(ctx, func() error {
		return s.view(ctx, func(t *tx) error {
			if err := s.advance(t); err != nil {
				return err
			}
			return t.bring(&position, s.at, []store.Follower{follower})
		})
	})
	if err != nil {
		return fmt.Errorf("bring a follower up to date: %w", s.explain(err))
	}
	s.followers = append(s.followers, follower)
	return nil
}

// bring brings followers from a position to the position of the transaction's
// snapshot, and sets from to what they have applied.
func (t *tx) bring(from *store.Position, to store.Position, followers []store.Follower) error {
	kept, err := t.keepsAfter(*from, to.Number)
	if err != nil {
		return err
	}
	if !kept {
		if err := t.load(to, followers); err != nil {
			return err
		}
		*from = to
		return nil
	}
	return t.replay(from.Number, func(c store.Change) {
		for _, follower := range followers {
			follower.Apply(c)
		}
		*from = c.Position()
	})
}

// keepsAfter reports whether every change after a position is in the log, and the
// position itself is of the same history.
func (t *tx) keepsAfter(from store.Position, last int64) (bool, error) {
	if from.UID == "" {
		return false, nil
	}
	uid, err := t.uidOf(from.Number)
	if err != nil || uid != from.UID {
		return false, err
	}
	var kept int64
	err = t.scan("SELECT count(*) FROM changes WHERE number > $1", []any{from.Number}, &kept)
	return kept == last-from.Number, err
}

// uidOf returns the uid of a change, or "" if it is not in the log.
func (t *tx) uidOf(number int64) (uid string, err error) {
	err = t.scan("SELECT uid FROM changes WHERE number = $1", []any{number}, &uid)
	if errors.Is(err, pgx.ErrNoRows) {
		return "", nil
	}
	return uid, err
}

// replay passes the changes after a number to apply.
func (t *tx) replay(from int64, apply func(store.Change)) error {
	if err := t.allowLongReads(); err != nil {
		return err
	}
	var c store.Change
	var at int64
	var kind string
	var body pgtype.DriverBytes
	return t.rows("SELECT number, at, kind, deleted, uid, body FROM changes WHERE number > $1 ORDER BY number", []any{from},
		[]any{&c.Number, &at, &kind, &c.Deleted, &c.UID, &body}, func() (err error) {
			if c.Object, err = table.Decode(kind, body); err != nil {
				return err
			}
			c.CommittedAt = time.Unix(0, at).UTC()
			t.progress()
			apply(c)
			return nil
		})
}

// load makes followers load all objects. Every view is complete before the first is
// swapped.
func (t *tx) load(at store.Position, followers []store.Follower) error {
	if len(followers) == 0 {
		return nil
	}
	if err := t.allowLongReads(); err != nil {
		return err
	}
	loader := store.NewFanout(followers...).Reload(at)
	err := table.Each(t, func(o store.Object) {
		t.progress()
		loader.Add(o)
	})
	if err != nil {
		return err
	}
	loader.Swap()
	return nil
}

// allowLongReads lifts the timeout of statements for the rest of the transaction:
// reading a million tokens takes seconds.
func (t *tx) allowLongReads() error { return t.exec("SET LOCAL statement_timeout = '10min'") }

// apply makes every follower apply one change. The caller holds applying.
func (s *Store) apply(c store.Change) {
	for _, follower := range s.followers {
		follower.Apply(c)
	}
	s.at = c.Position()
}

// behind reports whether a position of the database is behind what the followers have
// applied, or of another history.
func (s *Store) behind(p store.Position) bool {
	s.applying.lock()
	defer s.applying.unlock()
	return forked(s.at, p)
}

// forked reports whether a database at the position head cannot have a follower at
// the position at.
func forked(at, head store.Position) bool {
	return head.Number < at.Number || head.Number == at.Number && head.UID != at.UID
}

// catchUp makes the followers apply all changes that are committed. It returns an error if
// the database does not answer for a while.
func (s *Store) catchUp(ctx context.Context) error {
	return s.retry(ctx, func() error {
		if err := s.applying.lockContext(ctx); err != nil {
			return err
		}
		defer s.applying.unlock()
		ctx, stop := withPatience(ctx, s.patience)
		defer stop()
		err := s.view(ctx, s.advance)
		if err != nil && errors.Is(context.Cause(ctx), errSlow) {
			return fmt.Errorf("read the change log: %w", errSlow)
		}
		return err
	})
}

// advance brings the followers to the position of the transaction's snapshot. The
// caller holds applying.
func (s *Store) advance(t *tx) error {
	h, err := t.readHead(selectHead)
	if err != nil {
		return fmt.Errorf("read the head row: %w", err)
	}
	if h.Position == s.at {
		s.stale.Store(false)
		return nil
	}
	uid, err := t.uidOf(s.at.Number)
	if err != nil {
		return err
	}
	if forked(s.at, h.Position) || uid != "" && uid != s.at.UID {
		return s.reload(t, h.Position)
	}
	s.noteNewest(h.Number)
	if len(s.followers) == 0 {
		s.at = h.Position
		return nil
	}
	if s.at.Number == 0 && h.removed == 0 {
		// The followers loaded an empty database, and the log has all changes since.
		return t.replay(0, s.apply)
	}
	return t.bring(&s.at, h.Position, s.followers)
}

// reload makes the followers load a snapshot after a fork: their views have changes
// that the database lost, and later changes have numbers that the views know.
func (s *Store) reload(t *tx, to store.Position) error {
	s.stale.Store(true)
	if s.onFork != nil {
		s.onFork()
	}
	s.log.Error(ErrForked.Error(), "database", s.name, "applied", s.at.Number, "applied_uid", s.at.UID, "newest", to.Number, "newest_uid", to.UID)
	if err := t.load(to, s.followers); err != nil {
		return err
	}
	s.at = to
	s.newest.Store(to.Number)
	s.stale.Store(false)
	return nil
}

// recover loads a snapshot after a fork, and returns ErrForked.
func (s *Store) recover(ctx context.Context) error {
	if err := s.catchUp(ctx); err != nil {
		return errors.Join(ErrForked, err)
	}
	return ErrForked
}

// errNoHead is returned for a database whose head row is missing.
var errNoHead = fmt.Errorf("%w: the row of the table head is missing", table.ErrUndecodable)
