package postgres

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"

	"github.com/jeton-dev/jeton/internal/store"
)

const (
	// lookUp is how long a writer waits for the outcome of a commit, and retryLookUp
	// the time between two look-ups.
	lookUp      = 5 * time.Second
	retryLookUp = 200 * time.Millisecond
)

// Settled implements store.Store. It is false while the outcome of a commit is unknown,
// and while the followers have a state that the database lost.
func (s *Store) Settled() bool { return !s.inDoubt.Load() && !s.stale.Load() }

// commitFailed returns the error of a commit that returned an error, or nil if the
// changes were committed.
func (s *Store) commitFailed(ctx context.Context, c *commit, cause error) error {
	cause = fmt.Errorf("commit: %w", cause)
	if known, retry := rolledBack(cause); known {
		if retry {
			return again(cause)
		}
		return cause
	}
	s.doubt = c
	committed, err := s.settle(ctx)
	switch {
	case err != nil:
		// No caller has an answer yet, so the old views were right until now. From
		// here on, nothing may be admitted by them.
		s.doubtful(c)
		return errors.Join(cause, err)
	case !committed:
		return again(cause)
	}
	return nil
}

// rolledBack reports whether an error of a commit says that the changes were not
// committed, and whether the transaction may be run again.
func rolledBack(err error) (known, retry bool) {
	if errors.Is(err, pgx.ErrTxCommitRollback) {
		return true, false
	}
	// pgconn.SafeToRetry does not help: it is also true for a connection that was closed
	// after the statement had been sent.
	if e, ok := errors.AsType[*pgconn.PgError](err); ok && e.SeverityUnlocalized == "ERROR" {
		return true, retryable(err)
	}
	return false, false
}

// doubtful makes c the commit in doubt until settle succeeds.
func (s *Store) doubtful(c *commit) {
	s.doubt = c
	s.inDoubt.Store(true)
	s.background.Go(s.settleLater)
}

// settle looks up the commit whose outcome is unknown, if there is one, and reports
// whether it was committed. In that case the followers apply its changes first. The
// caller owns writing.
func (s *Store) settle(ctx context.Context) (committed bool, err error) {
	if s.doubt == nil {
		return false, nil
	}
	// The look-up has its own time: that of the writer may have ended.
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), s.lookUp)
	defer cancel()
	stop := context.AfterFunc(s.ctx, cancel)
	defer stop()
	for {
		if committed, err = s.lookUpDoubt(ctx); err == nil {
			break
		}
		select {
		case <-time.After(s.retryLookUp):
		case <-ctx.Done():
			return false, fmt.Errorf("look up the outcome of change %d: %w: %w", s.doubt.last().Number, err, store.ErrUnsettled)
		}
	}
	s.doubt = nil
	s.inDoubt.Store(false)
	return committed, nil
}

// lookUpDoubt looks up the commit in doubt once. Its transaction held the head row, so
// it has ended when another one locks the row.
func (s *Store) lookUpDoubt(ctx context.Context) (bool, error) {
	sqlTx, err := s.pool.BeginTx(ctx, pgx.TxOptions{IsoLevel: pgx.ReadCommitted})
	if err != nil {
		return false, err
	}
	defer rollback(sqlTx)
	t := newTx(ctx, sqlTx)
	h, err := t.lockHead()
	if err != nil {
		return false, err
	}
	last := s.doubt.last()
	uid, err := t.uidOf(last.Number)
	if err != nil {
		return false, err
	}
	rollback(sqlTx)
	if uid == "" && last.Number <= h.removed {
		// Other processes have made so many changes that it is no longer known.
		s.log.Error("the outcome of a change cannot be looked up, because it was removed from the log", "change", last.Number)
	}
	if err := s.catchUp(ctx); err != nil {
		return false, err
	}
	return uid == last.UID, nil
}

// settleLater repeats settle until the outcome is known or the store is closed.
func (s *Store) settleLater() {
	ticker := time.NewTicker(s.retryLookUp)
	defer ticker.Stop()
	for {
		select {
		case <-ticker.C:
		case <-s.ctx.Done():
			return
		}
		select {
		case s.writing <- struct{}{}:
		case <-s.ctx.Done():
			return
		}
		_, err := s.settle(s.ctx)
		<-s.writing
		if err == nil {
			return
		}
	}
}
