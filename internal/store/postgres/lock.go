package postgres

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"sync/atomic"
	"time"

	"github.com/jackc/pgx/v5"
)

const (
	// lockKey is the key of the advisory lock of the server that uses a database.
	lockKey = 0x6a65746f6e // "jeton"

	// lease is how long a server may rely on its last check of the lock. A server that
	// takes the database over waits for lease and margin first, unless the server
	// before it released the database.
	lease  = 5 * time.Second
	margin = time.Second

	// lockCheck is the time between two checks, and lockTimeout the maximum duration of
	// one.
	lockCheck   = time.Second
	lockTimeout = 2 * time.Second
	// lockWait is how long Open waits for a lock that another session holds: the
	// session of a killed process ends after moments.
	lockWait = 2 * time.Second
)

// A lock keeps other servers from the database. It is a session advisory lock on a
// connection of its own, and the name of the owner in the head row, which every write
// compares under the lock of the row.
//
// If the connection is lost, the lock is acquired again at once. If that fails, or no
// check has succeeded for the duration of the lease, held returns false and the server
// admits no calls. A server that finds the name of another owner never admits calls
// again and has to be restarted.
type lock struct {
	config *pgx.ConnConfig
	log    *slog.Logger
	owner  string
	// lease is the duration of the lease.
	lease time.Duration
	// catchUp makes the followers apply the changes in the database.
	catchUp func(context.Context) error

	conn *pgx.Conn
	// checked is when the last successful check began.
	checked atomic.Pointer[time.Time]
	// lost reports that another server owns the database.
	lost atomic.Bool

	// mayRelease reports that no server before this one can be serving. Without it, the
	// next server must wait, too.
	mayRelease bool

	done   chan struct{}
	cancel context.CancelFunc
	once   sync.Once
}

// acquireLock returns the lock of a database, or ErrInUse.
func acquireLock(ctx context.Context, config *pgx.ConnConfig, log *slog.Logger) (*lock, error) {
	l := &lock{config: config, log: log, owner: rand.Text(), lease: lease, done: make(chan struct{})}
	wait, cancel := context.WithTimeout(ctx, lockWait)
	defer cancel()
	for {
		err := l.connect(ctx)
		if err == nil || !errors.Is(err, ErrInUse) {
			return l, err
		}
		select {
		case <-time.After(100 * time.Millisecond):
		case <-wait.Done():
			return nil, err
		}
	}
}

// connect acquires the advisory lock on a new connection.
func (l *lock) connect(ctx context.Context) error {
	begun := time.Now()
	ctx, cancel := context.WithTimeout(ctx, l.config.ConnectTimeout+lockTimeout)
	defer cancel()
	conn, err := pgx.ConnectConfig(ctx, l.config)
	if err != nil {
		return err
	}
	var locked bool
	if err := conn.QueryRow(ctx, "SELECT pg_try_advisory_lock($1)", int64(lockKey)).Scan(&locked); err != nil {
		closeConn(conn)
		return fmt.Errorf("lock the database: %w", err)
	}
	if !locked {
		err := l.inUse(ctx, conn)
		closeConn(conn)
		return err
	}
	l.conn = conn
	l.checked.Store(&begun)
	return nil
}

// isHolder is a condition on rows of pg_locks.
const isHolder = "locktype = 'advisory' AND granted AND database = (SELECT oid FROM pg_database WHERE datname = current_database()) AND classid = ($1::bigint >> 32)::oid AND objid = ($1::bigint & 4294967295)::oid AND objsubid = 1"

// inUse returns ErrInUse with what is known about the other server.
func (l *lock) inUse(ctx context.Context, conn *pgx.Conn) error {
	var application, address, since string
	err := conn.QueryRow(ctx, `SELECT coalesce(application_name, ''), coalesce(host(client_addr), 'this machine'), coalesce(to_char(backend_start, 'YYYY-MM-DD HH24:MI:SS TZ'), '')
		FROM pg_locks JOIN pg_stat_activity USING (pid) WHERE `+isHolder, int64(lockKey)).Scan(&application, &address, &since)
	if err != nil {
		return ErrInUse
	}
	return fmt.Errorf("locked by %q from %s since %s: %w", application, address, since, ErrInUse)
}

// takeOver writes the owner to the head row. If the server before did not release the
// database, it may still serve until its lease ends, and takeOver waits for that.
func (l *lock) takeOver(ctx context.Context) error {
	var before string
	err := pgx.BeginFunc(ctx, l.conn, func(sqlTx pgx.Tx) error {
		t := newTx(ctx, sqlTx)
		h, err := t.lockHead()
		if err != nil {
			return err
		}
		before = h.owner
		return t.exec("UPDATE head SET owner = $1", l.owner)
	})
	if err != nil {
		return fmt.Errorf("take the database over: %w", err)
	}
	loop, cancel := context.WithCancel(context.WithoutCancel(ctx))
	l.cancel = cancel
	go l.keep(loop)
	if before != "" {
		wait := l.lease + margin
		l.log.Info("the server that used the database before did not release it: waiting until it must have stopped serving", "wait", wait)
		sleep(ctx, wait)
	}
	l.mayRelease = ctx.Err() == nil
	return ctx.Err()
}

// held reports whether no other server can have the lock. It never blocks.
func (l *lock) held() bool {
	checked := l.checked.Load()
	if checked == nil || l.lost.Load() {
		return false
	}
	now := time.Now()
	// The monotonic clock stops while the machine is suspended; the wall clock may be
	// set back.
	return max(now.Sub(*checked), now.Round(0).Sub(checked.Round(0))) < l.lease
}

// keep checks the lock every lockCheck until ctx ends, and acquires it again if its
// connection is lost.
func (l *lock) keep(ctx context.Context) {
	defer close(l.done)
	failing := false
	for ctx.Err() == nil && !l.lost.Load() {
		err := l.check(ctx)
		if err != nil && ctx.Err() == nil {
			err = l.acquireAgain(ctx)
		}
		switch {
		case ctx.Err() != nil:
		case errors.Is(err, ErrLockLost):
			l.lost.Store(true)
			l.log.Error("another server uses the database: this server admits no calls and must be restarted")
		case err != nil && !failing:
			l.log.Error("the lock of the database is lost: calls are refused until it is acquired again", "error", err)
		case err == nil && failing:
			l.log.Info("the lock of the database is acquired again")
		}
		if failing = err != nil; failing {
			sleep(ctx, lockCheck/5)
		} else {
			l.watch(ctx)
		}
	}
}

// watch returns when the connection is lost, or after lockCheck.
func (l *lock) watch(ctx context.Context) {
	ctx, cancel := context.WithTimeout(ctx, lockCheck)
	defer cancel()
	for {
		// The connection does not listen: only its end, or an unrelated message, ends
		// the wait early.
		if _, err := l.conn.WaitForNotification(ctx); err != nil {
			return
		}
	}
}

// check returns an error unless the session holds the advisory lock.
func (l *lock) check(ctx context.Context) error {
	if l.conn == nil {
		return errors.New("no connection")
	}
	begun := time.Now()
	ctx, cancel := context.WithTimeout(ctx, lockTimeout)
	defer cancel()
	var holds bool
	if err := l.conn.QueryRow(ctx, "SELECT EXISTS (SELECT FROM pg_locks WHERE pid = pg_backend_pid() AND "+isHolder+")", int64(lockKey)).Scan(&holds); err != nil {
		return err
	}
	if !holds {
		return errors.New("the session does not hold the lock: connect to PostgreSQL directly, or through a pooler in session mode")
	}
	l.checked.Store(&begun)
	return nil
}

// acquireAgain acquires the advisory lock on a new connection. It returns ErrLockLost if
// another server has used the database in the meantime.
func (l *lock) acquireAgain(ctx context.Context) error {
	if l.conn != nil {
		closeConn(l.conn)
		l.conn = nil
	}
	before := l.checked.Load()
	if err := l.connect(ctx); err != nil {
		return err
	}
	// The lock counts only after the owner and the changes have been checked.
	checked := l.checked.Swap(before)
	err := pgx.BeginFunc(ctx, l.conn, func(sqlTx pgx.Tx) error {
		t := newTx(ctx, sqlTx)
		h, err := t.readHead(selectHead)
		if err == nil && h.owner != l.owner {
			err = ErrLockLost
		}
		return err
	})
	if err == nil && l.catchUp != nil {
		err = l.catchUp(ctx)
	}
	if err != nil {
		closeConn(l.conn)
		l.conn = nil
		return err
	}
	l.checked.Store(checked)
	return nil
}

// release ends the checks, removes the owner from the head row and unlocks the database.
func (l *lock) release() (err error) {
	l.once.Do(func() {
		if l.cancel != nil {
			l.cancel()
			<-l.done
		}
		if l.conn == nil || l.conn.IsClosed() {
			return
		}
		ctx, cancel := context.WithTimeout(context.Background(), lockTimeout)
		defer cancel()
		if l.mayRelease {
			_, err = l.conn.Exec(ctx, "UPDATE head SET owner = '' WHERE owner = $1", l.owner)
		}
		closeConn(l.conn)
	})
	return err
}
