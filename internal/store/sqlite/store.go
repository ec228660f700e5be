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

	"github.com/jeton-dev/jeton/internal/functions"
	"github.com/jeton-dev/jeton/internal/iam"
)

// readers is how many reads run at once; each has a connection and its cache.
const readers = 8

// Store implements functions.Store.
type Store struct {
	path string
	now  func() time.Time
	// reads and writes are pools of connections to the same file. SQLite has
	// one writer at a time; WAL lets the readers go on meanwhile.
	reads  *sql.DB
	writes *sql.DB

	// mu orders the writers, and what the followers are told.
	mu        sync.Mutex
	last      int64
	followers []func(functions.Change)
	// newest is last, for those who must not wait for a writer.
	newest atomic.Int64

	// doubt is the commit whose outcome is not known, nil if there is none; mu
	// guards it. inDoubt tells the same to those who must not wait for a writer.
	doubt   *unsettled
	inDoubt atomic.Bool
	// background counts who looks the outcome up, every retryLookUp, until
	// closing is closed.
	background  sync.WaitGroup
	retryLookUp time.Duration
	closing     chan struct{}
	closeOnce   sync.Once
}

var _ functions.Store = (*Store)(nil)

// Open opens the store in the file at path, makes it where there is none, and
// brings an older one up to date. It refuses one that a newer version of the
// program wrote.
func Open(ctx context.Context, path string, now func() time.Time) (*Store, error) {
	return open(ctx, "sqlite", path, now)
}

// open is Open with the driver of a name.
func open(ctx context.Context, driver, path string, now func() time.Time) (*Store, error) {
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
	s := &Store{path: path, now: now, reads: reads, writes: writes, retryLookUp: retryLookUp, closing: make(chan struct{})}
	if err := s.readLast(ctx); err != nil {
		return nil, errors.Join(named(path, err), s.Close())
	}
	return s, nil
}

// readLast reads the number of the last change that was committed.
func (s *Store) readLast(ctx context.Context) error {
	const newest = "SELECT coalesce(max(number), 0) FROM changes"
	if err := s.reads.QueryRowContext(ctx, newest).Scan(&s.last); err != nil {
		return fmt.Errorf("read the last change: %w", err)
	}
	s.newest.Store(s.last)
	return nil
}

// dsn names the file and how to open it. With synchronous=FULL a commit has
// reached the disk before it is acknowledged.
func dsn(path, option string) string {
	file := url.URL{Scheme: "file", Opaque: (&url.URL{Path: path}).EscapedPath()}
	return file.String() + "?_pragma=busy_timeout(5000)&_pragma=journal_mode(WAL)&_pragma=synchronous(FULL)&_pragma=foreign_keys(1)&" + option
}

// Close closes the file. No other method may be running.
func (s *Store) Close() error {
	s.closeOnce.Do(func() { close(s.closing) })
	s.background.Wait()
	return errors.Join(s.reads.Close(), s.writes.Close())
}

// View implements functions.Store.
func (s *Store) View(ctx context.Context, read func(functions.Tx) error) error {
	return s.view(ctx, func(t *tx) error { return read(t) })
}

func (s *Store) view(ctx context.Context, read func(*tx) error) error {
	sqlTx, err := s.reads.BeginTx(ctx, &sql.TxOptions{ReadOnly: true})
	if err != nil {
		return fmt.Errorf("begin read: %w", explain(s.path, err))
	}
	defer rollback(sqlTx)
	return explain(s.path, read(&tx{ctx: ctx, sql: sqlTx}))
}

// Projects returns all projects, oldest first.
func (s *Store) Projects(ctx context.Context) ([]iam.Project, error) {
	return everything(ctx, s, projects)
}

// APIKeys returns all API keys, oldest first.
func (s *Store) APIKeys(ctx context.Context) ([]iam.APIKey, error) {
	return everything(ctx, s, apiKeys)
}

// everything returns all objects of a table that has not many.
func everything[T functions.Object](ctx context.Context, s *Store, from table[T]) ([]T, error) {
	var all []T
	err := s.view(ctx, func(t *tx) (err error) {
		all, _, err = from.list(t, functions.Filter{}, functions.Page{})
		return err
	})
	return all, err
}

// Update implements functions.Store. The caller going away does not cut a
// transaction short: it would not be known then whether it was committed.
func (s *Store) Update(ctx context.Context, write func(functions.Tx) error) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if err := ctx.Err(); err != nil {
		return err
	}
	return explain(s.path, s.update(context.WithoutCancel(ctx), write))
}

func (s *Store) update(ctx context.Context, write func(functions.Tx) error) error {
	if _, err := s.settle(ctx); err != nil {
		return err
	}
	sqlTx, err := s.writes.BeginTx(ctx, nil)
	if err != nil {
		return fmt.Errorf("begin write: %w", err)
	}
	defer rollback(sqlTx)
	t := &tx{ctx: ctx, sql: sqlTx, last: s.last}
	if err := write(t); err != nil {
		return err
	}
	uid, err := t.appendChanges(s.now())
	if err != nil {
		return fmt.Errorf("number the changes: %w", err)
	}
	if err := sqlTx.Commit(); err != nil {
		// The driver has rolled back by now, or the commit took place.
		return s.commitFailed(ctx, &unsettled{uid: uid, changes: t.changes, committedAt: s.now()}, err)
	}
	s.acknowledge(t.changes, s.now())
	return nil
}

// acknowledge makes every follower apply changes that were committed, in order.
func (s *Store) acknowledge(changes []functions.Change, committedAt time.Time) {
	if len(changes) > 0 {
		s.last = changes[len(changes)-1].Number
		s.newest.Store(s.last)
	}
	for _, change := range changes {
		change.CommittedAt = committedAt
		for _, apply := range s.followers {
			apply(change)
		}
	}
}

// Follow calls apply for every object that there is, and from then on for
// every change, in order, before the Update that made it returns. So apply
// must be quick, and must not use the store.
func (s *Store) Follow(ctx context.Context, apply func(functions.Change)) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if _, err := s.settle(ctx); err != nil {
		return err
	}
	if err := s.view(ctx, func(t *tx) error { return t.all(apply) }); err != nil {
		return fmt.Errorf("read all objects: %w", err)
	}
	s.followers = append(s.followers, apply)
	return nil
}

// rollback ends a transaction that was not committed. After a commit, or when
// the connection is lost, there is nothing left to do.
func rollback(t *sql.Tx) { _ = t.Rollback() }
