package postgres

import (
	"context"
	"fmt"
	"log/slog"
	"sync"
	"sync/atomic"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/jeton-dev/jeton/internal/store"
	"github.com/jeton-dev/jeton/internal/store/table"
)

const (
	// updateTimeout bounds one Update with all its runs.
	updateTimeout = 30 * time.Second
	// retryFor is how long a transaction is run again and again. The delay between two
	// runs doubles from retryDelay to retryDelayMost.
	retryFor       = 5 * time.Second
	retryDelay     = 20 * time.Millisecond
	retryDelayMost = 500 * time.Millisecond
)

// Store implements store.Store.
type Store struct {
	// name names the database in errors, without the password.
	name string
	pool *pgxpool.Pool
	now  func() time.Time
	keep store.Retention
	log  *slog.Logger
	// instance is the payload of the notifications of this store.
	instance string
	// poll is the time between two reads of the head row, and deaf ignores notifications.
	poll time.Duration
	deaf bool
	// onLock is called with the time for which a write has waited for the head row; nil for
	// nothing.
	onLock atomic.Pointer[func(time.Duration)]
	// onFailover is called when the timeline of the database has changed; nil for nothing.
	onFailover atomic.Pointer[func()]
	timeline   timeline
	// onFork is called before the followers load a snapshot after a fork; nil for nothing.
	onFork func()

	// writing has one element while a goroutine of this process writes.
	writing chan struct{}
	// doubt is the commit whose outcome is unknown, nil if there is none. The
	// goroutine that writes owns it.
	doubt *commit

	// applying orders the changes that the followers apply. It guards at, the
	// position of all followers.
	applying  lock
	followers []store.Follower
	at        store.Position

	// newest is the number of the last change that is known to be committed.
	newest atomic.Int64
	// inDoubt reports that doubt is set, and stale that the followers have a state
	// that the database does not have.
	inDoubt, stale atomic.Bool

	// patience is how long a catch-up waits for the database.
	patience time.Duration
	// ctx ends when the store is closed. background waits for what runs until then.
	ctx         context.Context
	cancel      context.CancelFunc
	background  sync.WaitGroup
	lookUp      time.Duration
	retryLookUp time.Duration
	// commit commits a transaction. Tests replace it.
	commit func(context.Context, pgx.Tx) error
}

var _ store.Store = (*Store)(nil)

// An Option changes a setting of a Store.
type Option func(*Store)

// WithRetention bounds the changes that the store keeps. The default is
// store.DefaultRetention.
func WithRetention(r store.Retention) Option { return func(s *Store) { s.keep = r } }

// WithLog sets the log for lost connections and forks. The default discards it.
func WithLog(log *slog.Logger) Option { return func(s *Store) { s.log = log } }

// Close implements store.Store.
func (s *Store) Close() error {
	s.cancel()
	s.background.Wait()
	if s.pool != nil {
		s.pool.Close()
	}
	return nil
}

// View implements store.Store. It runs read again if the connection is lost.
func (s *Store) View(ctx context.Context, read func(store.Tx) error) error {
	err := s.retry(ctx, func() error { return s.view(ctx, func(t *tx) error { return read(t) }) })
	return s.explain(err)
}

// view runs read once.
func (s *Store) view(ctx context.Context, read func(*tx) error) error {
	sqlTx, err := s.pool.BeginTx(ctx, pgx.TxOptions{IsoLevel: pgx.RepeatableRead, AccessMode: pgx.ReadOnly})
	if err != nil {
		return againIf(fmt.Errorf("begin read: %w", err))
	}
	defer rollback(sqlTx)
	t := newTx(ctx, sqlTx)
	if store.Tracked(ctx) {
		h, err := t.readHead(selectHead)
		if err != nil {
			return t.classify(fmt.Errorf("read the head row: %w", err))
		}
		store.NoteSeen(ctx, h.Number)
	}
	if err := read(t); err != nil {
		return t.classify(err)
	}
	return nil
}

// Update implements store.Store. It runs write again after a serialization failure, a
// deadlock or a connection that was lost before the commit. The end of ctx does not
// interrupt a transaction that has started, because its outcome would be unknown.
func (s *Store) Update(ctx context.Context, write func(store.Tx) error) error {
	select {
	case s.writing <- struct{}{}:
		defer func() { <-s.writing }()
	case <-ctx.Done():
		return ctx.Err()
	}
	if err := ctx.Err(); err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), updateTimeout)
	defer cancel()
	if _, err := s.settle(ctx); err != nil {
		return s.explain(err)
	}
	return s.explain(s.retry(ctx, func() error { return s.update(ctx, write) }))
}

// update runs write once and commits.
func (s *Store) update(ctx context.Context, write func(store.Tx) error) error {
	sqlTx, err := s.pool.BeginTx(ctx, pgx.TxOptions{IsoLevel: pgx.ReadCommitted})
	if err != nil {
		return againIf(fmt.Errorf("begin write: %w", err))
	}
	defer rollback(sqlTx)
	t := newTx(ctx, sqlTx)
	begun := time.Now()
	head, err := t.lockHead()
	if err != nil {
		return t.classify(fmt.Errorf("lock the head row: %w", err))
	}
	if locked := s.onLock.Load(); locked != nil {
		(*locked)(time.Since(begun))
	}
	store.NoteSeen(ctx, head.Number)
	if s.behind(head.Position) {
		rollback(sqlTx)
		return s.recover(ctx)
	}
	if err := write(t); err != nil {
		return t.classify(err)
	}
	if t.failed != nil {
		// PostgreSQL has ended the transaction, though write ignored the error.
		return t.classify(t.failed)
	}
	changes := t.Changes(head.Number)
	if len(changes) == 0 {
		return nil
	}
	c := &commit{changes: changes, before: head.Position}
	if err := s.appendLog(t, c, head); err != nil {
		return t.classify(fmt.Errorf("number the changes: %w", err))
	}
	if err := s.commit(ctx, sqlTx); err != nil {
		return s.commitFailed(ctx, c, err)
	}
	return s.acknowledge(ctx, c)
}

// A commit is the changes of one transaction.
type commit struct {
	changes []table.LoggedChange
	// before is the position of the last change before them.
	before store.Position
}

// last returns the last change. Its uid identifies the commit.
func (c *commit) last() store.Change { return c.changes[len(c.changes)-1].Change }

// acknowledge makes every follower apply the changes of a commit, after all changes
// before them. If the followers lack changes that cannot be read now, the commit
// becomes a commit in doubt, so that the caller gets an error.
func (s *Store) acknowledge(ctx context.Context, c *commit) error {
	store.NoteSeen(ctx, c.last().Number)
	s.noteNewest(c.last().Number)
	s.applying.lock()
	if s.at == c.before {
		for _, change := range c.changes {
			s.apply(change.Change)
		}
	}
	applied := s.at == c.last().Position()
	s.applying.unlock()
	if applied {
		return nil
	}
	if err := s.catchUp(ctx); err != nil {
		s.doubtful(c)
		return fmt.Errorf("apply change %d: %w: %w", c.last().Number, err, store.ErrUnsettled)
	}
	return nil
}

// noteNewest sets newest unless it is larger.
func (s *Store) noteNewest(number int64) {
	for known := s.newest.Load(); number > known; known = s.newest.Load() {
		if s.newest.CompareAndSwap(known, number) {
			return
		}
	}
}

// errAgain is an error after which a transaction may be run again, because it is known
// to have had no effect.
type errAgain struct{ error }

// Unwrap returns the error itself.
func (e errAgain) Unwrap() error { return e.error }

// again marks an error for retry.
func again(err error) error { return errAgain{err} }

// againIf marks an error for retry if its cause may pass.
func againIf(err error) error {
	if err != nil && retryable(err) {
		return again(err)
	}
	return err
}

// classify returns the error of a transaction that was not committed. It marks the
// error if the first failed statement failed for a reason that may have passed.
func (t *tx) classify(err error) error {
	if t.failed != nil && retryable(t.failed) {
		return again(err)
	}
	return err
}

// retry calls run until it returns no error that is marked for retry, or for retryFor.
func (s *Store) retry(ctx context.Context, run func() error) error {
	begun := time.Now()
	for delay := retryDelay; ; delay = min(2*delay, retryDelayMost) {
		err := run()
		// A marked error within another one says nothing about the transaction.
		if _, marked := err.(errAgain); !marked || time.Since(begun) > retryFor { //nolint:errorlint
			return err
		}
		select {
		case <-time.After(delay):
		case <-ctx.Done():
			return err
		case <-s.ctx.Done():
			return err
		}
	}
}

// rollback ends a transaction that was not committed. It has no effect after a commit
// or a lost connection.
func rollback(t pgx.Tx) {
	ctx, cancel := context.WithTimeout(context.Background(), time.Second)
	defer cancel()
	_ = t.Rollback(ctx)
}
