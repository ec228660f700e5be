package postgres

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/jeton-dev/jeton/internal/store"
)

// Renew counts one renewal of a member's lease, and records the last change that it has
// applied and how far its clock is ahead of that of the database. It does not wait for
// writers. Returns store.ErrFenced or store.ErrDiverged if the lease cannot be renewed.
func (s *Store) Renew(ctx context.Context, incarnation string, applied store.Position, ahead time.Duration) (store.Renewal, error) {
	// Only a position of the database's own history may be recorded: other nodes rely on it.
	const renew = `UPDATE members SET renewals = renewals + 1, applied = $2, applied_uid = $3, clock_offset = $4
		WHERE id = $1 AND EXISTS (SELECT FROM head WHERE number = $2 AND uid = $3
			OR number > $2 AND EXISTS (SELECT FROM changes WHERE number = $2 AND uid = $3))
		RETURNING (SELECT number FROM head), (SELECT uid FROM head), clock_timestamp()`
	var r store.Renewal
	err := s.pool.QueryRow(ctx, renew, incarnation, applied.Number, applied.UID, int64(ahead)).Scan(&r.Head.Number, &r.Head.UID, &r.Time)
	if err == nil {
		s.noteNewest(r.Head.Number)
		return r, nil
	}
	if !errors.Is(err, pgx.ErrNoRows) {
		return store.Renewal{}, fmt.Errorf("renew the lease: %w", s.explain(err))
	}
	var member bool
	err = s.pool.QueryRow(ctx, "SELECT EXISTS (SELECT FROM members WHERE id = $1)", incarnation).Scan(&member)
	switch {
	case err != nil:
		return store.Renewal{}, fmt.Errorf("renew the lease: %w", s.explain(err))
	case member:
		return store.Renewal{}, store.ErrDiverged
	}
	return store.Renewal{}, store.ErrFenced
}

// Leases returns the leases of all members.
func (s *Store) Leases(ctx context.Context) ([]store.Lease, error) {
	rows, err := s.pool.Query(ctx, "SELECT id, renewals, applied, applied_uid, clock_offset FROM members")
	if err != nil {
		return nil, fmt.Errorf("read the leases: %w", s.explain(err))
	}
	leases, err := pgx.CollectRows(rows, func(row pgx.CollectableRow) (l store.Lease, err error) {
		return l, row.Scan(&l.Incarnation, &l.Renewals, &l.Applied.Number, &l.Applied.UID, &l.Ahead)
	})
	if err != nil {
		return nil, fmt.Errorf("read the leases: %w", s.explain(err))
	}
	return leases, nil
}

// Fence removes a member whose number of renewals is still the given one. Returns
// store.ErrRenewed if it is not, and nil if the incarnation is not a member.
func (s *Store) Fence(ctx context.Context, incarnation string, renewals int64) error {
	return s.Update(ctx, func(x store.Tx) error {
		t, ok := x.(*tx)
		if !ok {
			return fmt.Errorf("fence %s: unexpected transaction %T", incarnation, x)
		}
		var current int64
		// A renewal that has begun ends before this statement returns, and one that begins
		// later finds no row.
		err := t.scan("SELECT renewals FROM members WHERE id = $1 FOR UPDATE", []any{incarnation}, &current)
		switch {
		case errors.Is(err, pgx.ErrNoRows):
			return nil
		case err != nil:
			return fmt.Errorf("fence %s: %w", incarnation, err)
		case current != renewals:
			return store.ErrRenewed
		}
		member, err := t.Member(incarnation)
		if err != nil {
			return err
		}
		return t.Delete(member)
	})
}

// OnFork makes fork be called whenever the database is found to lack changes that the
// followers have applied, before they load a snapshot. It must be called before Follow,
// and fork must not use the store.
func (s *Store) OnFork(fork func()) { s.onFork = fork }

// OnFailover makes failedOver be called whenever a connection is found to lead to a server
// that was promoted since the connections before, before the connection is used.
func (s *Store) OnFailover(failedOver func()) { s.onFailover.Store(&failedOver) }

// OnLock makes locked be called with the time for which each write has waited for other
// writes, also of other processes.
func (s *Store) OnLock(locked func(wait time.Duration)) { s.onLock.Store(&locked) }

// CatchUp makes the followers apply all changes that are committed now.
func (s *Store) CatchUp(ctx context.Context) error { return s.explain(s.catchUp(ctx)) }
