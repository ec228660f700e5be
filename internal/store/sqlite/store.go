package sqlite

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"net/url"
	"sync"
	"sync/atomic"
	"time"

	_ "modernc.org/sqlite" // the driver "sqlite"

	"github.com/jeton-dev/jeton/internal/store"
	"github.com/jeton-dev/jeton/internal/store/table"
)

// readers is the maximum number of concurrent reads. Each has a connection and a cache.
const readers = 8

// Store implements store.Store.
type Store struct {
	path string
	now  func() time.Time
	keep store.Retention
	// reads and writes are pools of connections to the same file. SQLite allows one
	// writer at a time; with WAL, readers continue during a write.
	reads  *sql.DB
	writes *sql.DB

	// mu orders the writers, and the changes that the followers apply. It guards the
	// number of the last change, and the state of the table of changes.
	mu        sync.Mutex
	last      int64
	log       logState
	followers []store.Follower
	// newest is last, for readers that must not wait for mu.
	newest atomic.Int64
	// committing is the number of the last change of the newest transaction whose commit has
	// begun, and applied that of the last change that all followers have applied. Reads see
	// changes between the two.
	committing, applied atomic.Int64

	// doubt is the commit whose outcome is unknown, nil without one; mu guards
	// it. inDoubt reports the same to readers that must not wait for mu.
	doubt   *commit
	inDoubt atomic.Bool
	// background waits for settleLater, which runs every retryLookUp until closing
	// is closed.
	background  sync.WaitGroup
	retryLookUp time.Duration
	closing     chan struct{}
	closeOnce   sync.Once
}

var _ store.Store = (*Store)(nil)

// Open opens the database at path. It creates a missing one and migrates one of an
// older version. It returns ErrNewer for a database of a newer version.
func Open(ctx context.Context, path string, now func() time.Time, options ...Option) (*Store, error) {
	return open(ctx, "sqlite", path, now, options...)
}

// An Option changes a setting of a Store.
type Option func(*Store)

// WithRetention bounds the changes that the store keeps. The default is
// store.DefaultRetention.
func WithRetention(r store.Retention) Option { return func(s *Store) { s.keep = r } }

// open is Open with a named driver.
func open(ctx context.Context, driver, path string, now func() time.Time, options ...Option) (*Store, error) {
	writes, err := sql.Open(driver, dsn(path, "_txlock=immediate"))
	if err != nil {
		return nil, err
	}
	writes.SetMaxOpenConns(1)
	if err := migrate(ctx, writes); err != nil {
		return nil, errors.Join(named(path, err), writes.Close())
	}
	reads, err := sql.Open(driver, dsn(path, "_pragma=query_only(1)"))
	if err != nil {
		return nil, errors.Join(err, writes.Close())
	}
	reads.SetMaxOpenConns(readers)
	reads.SetMaxIdleConns(readers)
	s := &Store{
		path: path, now: now, keep: store.DefaultRetention(), reads: reads, writes: writes,
		retryLookUp: retryLookUp, closing: make(chan struct{}),
	}
	for _, option := range options {
		option(s)
	}
	if err := s.readLast(ctx); err != nil {
		return nil, errors.Join(named(path, err), s.Close())
	}
	return s, nil
}

// readLast reads the number of the last change, and the state of the log.
func (s *Store) readLast(ctx context.Context) error {
	const state = `SELECT coalesce(max(number), 0), coalesce(sum(octet_length(body)), 0), coalesce(min(number), 0),
		coalesce((SELECT at FROM changes ORDER BY number LIMIT 1), 0) FROM changes`
	if err := s.reads.QueryRowContext(ctx, state).Scan(&s.last, &s.log.size, &s.log.oldest, &s.log.oldestAt); err != nil {
		return fmt.Errorf("read the last change: %w", err)
	}
	s.newest.Store(s.last)
	s.committing.Store(s.last)
	s.applied.Store(s.last)
	return nil
}

// dsn returns the data source name for a file. With synchronous=FULL, a commit is on the
// disk when it returns.
func dsn(path, option string) string {
	file := url.URL{Scheme: "file", Opaque: (&url.URL{Path: path}).EscapedPath()}
	return file.String() + "?_pragma=busy_timeout(5000)&_pragma=journal_mode(WAL)&_pragma=synchronous(FULL)&_pragma=foreign_keys(1)&" + option
}

// Close implements store.Store.
func (s *Store) Close() error {
	s.closeOnce.Do(func() { close(s.closing) })
	s.background.Wait()
	return errors.Join(s.reads.Close(), s.writes.Close())
}

// View implements store.Store.
func (s *Store) View(ctx context.Context, read func(store.Tx) error) error {
	return s.view(ctx, func(t *tx) error {
		err := read(t)
		// A missing object is a state too.
		if noted := s.noteSeen(ctx, t); noted != nil {
			return noted
		}
		return err
	})
}

// noteSeen notes the state that a transaction has read, if the followers may not have applied
// all of its changes.
func (s *Store) noteSeen(ctx context.Context, t *tx) error {
	// In this order: the transaction shows no change after committing.
	if committing := s.committing.Load(); s.applied.Load() >= committing || !store.Tracked(ctx) {
		return nil
	}
	var number int64
	if err := t.sql.QueryRowContext(ctx, "SELECT coalesce(max(number), 0) FROM changes").Scan(&number); err != nil {
		return fmt.Errorf("read the number of the last change: %w", err)
	}
	store.NoteSeen(ctx, number)
	return nil
}

func (s *Store) view(ctx context.Context, read func(*tx) error) error {
	sqlTx, err := s.reads.BeginTx(ctx, &sql.TxOptions{ReadOnly: true})
	if err != nil {
		return fmt.Errorf("begin read: %w", explain(s.path, err))
	}
	defer rollback(sqlTx)
	return explain(s.path, read(newTx(ctx, sqlTx)))
}

// Update implements store.Store. The end of ctx does not interrupt a transaction that
// has started, because its outcome would be unknown.
func (s *Store) Update(ctx context.Context, write func(store.Tx) error) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if err := ctx.Err(); err != nil {
		return err
	}
	return explain(s.path, s.update(context.WithoutCancel(ctx), write))
}

func (s *Store) update(ctx context.Context, write func(store.Tx) error) error {
	if _, err := s.settle(ctx); err != nil {
		return err
	}
	sqlTx, err := s.writes.BeginTx(ctx, nil)
	if err != nil {
		return fmt.Errorf("begin write: %w", err)
	}
	defer rollback(sqlTx)
	t := newTx(ctx, sqlTx)
	if err := write(t); err != nil {
		return err
	}
	changes := t.Changes(s.last)
	if len(changes) == 0 {
		return nil
	}
	log, err := t.appendLog(changes, s.now(), s.log, s.keep)
	if err != nil {
		return fmt.Errorf("number the changes: %w", err)
	}
	commit := &commit{changes: changes, log: log}
	s.committing.Store(commit.last().Number)
	if err := sqlTx.Commit(); err != nil {
		// The transaction is over: it was committed or rolled back.
		commit.at = s.now()
		return s.commitFailed(ctx, commit, err)
	}
	commit.at = s.now()
	s.acknowledge(commit)
	return nil
}

// A commit is the changes of one transaction.
type commit struct {
	changes []table.LoggedChange
	// log is the state of the log after the commit.
	log logState
	at  time.Time
}

// last returns the last change. Its uid identifies the commit.
func (c *commit) last() store.Change { return c.changes[len(c.changes)-1].Change }

// acknowledge makes every follower apply changes that were committed, in order.
func (s *Store) acknowledge(c *commit) {
	s.last, s.log = c.last().Number, c.log
	s.newest.Store(s.last)
	for _, change := range c.changes {
		change.CommittedAt = c.at
		for _, follower := range s.followers {
			follower.Apply(change.Change)
		}
	}
	s.applied.Store(s.last)
}

// rollback ends a transaction that was not committed. It has no effect after a commit
// or a lost connection.
func rollback(t *sql.Tx) { _ = t.Rollback() }
