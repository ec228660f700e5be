package postgres

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/jeton-dev/jeton/internal/store"
)

// Newest implements store.Store.
func (s *Store) Newest() int64 { return s.newest.Load() }

// NewestAt implements store.Store.
func (s *Store) NewestAt(ctx context.Context) (time.Time, error) {
	var at int64
	err := s.retry(ctx, func() error {
		return againIf(s.pool.QueryRow(ctx, "SELECT at FROM changes ORDER BY number DESC LIMIT 1").Scan(&at))
	})
	if errors.Is(err, pgx.ErrNoRows) {
		return time.Time{}, nil
	}
	if err != nil {
		return time.Time{}, fmt.Errorf("read the time of the last change: %w", s.explain(err))
	}
	return time.Unix(0, at).UTC(), nil
}

// Check implements store.Store. It locks the head row and writes to the log of
// PostgreSQL, as a commit does, but makes no change.
func (s *Store) Check(ctx context.Context) error {
	if !s.Settled() {
		return store.ErrUnsettled
	}
	err := pgx.BeginFunc(ctx, s.pool, func(sqlTx pgx.Tx) error {
		t := newTx(ctx, sqlTx)
		if _, err := t.lockHead(); err != nil {
			return err
		}
		return t.exec(writeNothing)
	})
	if err != nil {
		return fmt.Errorf("write: %w", s.explain(err))
	}
	return nil
}

// writeNothing makes a commit wait for the disk without changing a table.
const writeNothing = "SELECT pg_logical_emit_message(true, 'jeton', '')"

// A Server describes a PostgreSQL server and one of its databases.
type Server struct {
	// Name names the database, without the password.
	Name string
	// Version is the version of the server, and VersionNumber its server_version_num.
	Version       string
	VersionNumber int
	// ReadOnly reports that the server is a replica or accepts no writes.
	ReadOnly bool
	Encoding string
	// MayCreate reports whether the user may create tables.
	MayCreate bool
	// SynchronousCommit, Fsync and FullPageWrites are the settings of these names.
	SynchronousCommit, Fsync, FullPageWrites string
	// SynchronousStandbys is the setting synchronous_standby_names.
	SynchronousStandbys string
	// CommitLatency is the median duration of a commit.
	CommitLatency time.Duration
}

// readServer reads all fields but Name and CommitLatency.
func readServer(ctx context.Context, conn *pgx.Conn) (Server, error) {
	var s Server
	err := conn.QueryRow(ctx, `SELECT current_setting('server_version'), current_setting('server_version_num')::int,
		pg_is_in_recovery() OR current_setting('transaction_read_only') = 'on', current_setting('server_encoding'),
		coalesce(has_schema_privilege(current_schema(), 'CREATE'), false),
		current_setting('synchronous_commit'), current_setting('fsync'), current_setting('full_page_writes'), current_setting('synchronous_standby_names')`).
		Scan(&s.Version, &s.VersionNumber, &s.ReadOnly, &s.Encoding, &s.MayCreate, &s.SynchronousCommit, &s.Fsync, &s.FullPageWrites, &s.SynchronousStandbys)
	if err != nil {
		return Server{}, fmt.Errorf("read the settings of the server: %w", err)
	}
	return s, nil
}

// check returns an error for a server that the store cannot use.
func (s Server) check() error {
	switch {
	case s.VersionNumber < oldest:
		return fmt.Errorf("PostgreSQL %s is too old: use version %d or later", s.Version, oldest/10000)
	case s.ReadOnly:
		return errors.New("the database is read-only: connect to the primary server, not to a replica")
	case s.Encoding != "UTF8":
		return fmt.Errorf("the encoding of the database is %s: create one with ENCODING 'UTF8' TEMPLATE template0", s.Encoding)
	case !s.MayCreate:
		return errors.New("the user may not create tables: make the user the owner of the database, or grant CREATE on its schema")
	}
	return nil
}

// Warnings returns the settings that may lose acknowledged changes.
func (s Server) Warnings() []string {
	var warnings []string
	if s.SynchronousCommit == "off" {
		warnings = append(warnings, "synchronous_commit is off: a crash of PostgreSQL can lose acknowledged changes, revocations of tokens among them")
	}
	if s.Fsync == "off" {
		warnings = append(warnings, "fsync is off: a crash of the machine can lose or damage the database")
	}
	if s.FullPageWrites == "off" {
		warnings = append(warnings, "full_page_writes is off: a crash of the machine can damage the database")
	}
	return warnings
}

// Inspect describes the database at a URL. It changes nothing. If the store cannot use
// the database, Inspect returns an error besides the description.
func Inspect(ctx context.Context, address string) (Server, error) {
	config, name, err := parse(address)
	if err != nil {
		return Server{}, err
	}
	if err := checkSessions(ctx, config.ConnConfig); err != nil {
		return Server{Name: name}, named(name, err)
	}
	conn, err := pgx.ConnectConfig(ctx, config.ConnConfig)
	if err != nil {
		return Server{Name: name}, named(name, err)
	}
	defer closeConn(conn)
	s, err := readServer(ctx, conn)
	s.Name = name
	if err != nil {
		return s, named(name, err)
	}
	if err := s.check(); err != nil {
		return s, named(name, err)
	}
	durations := make([]time.Duration, 5)
	for i := range durations {
		begun := time.Now()
		if _, err := conn.Exec(ctx, writeNothing); err != nil {
			return s, named(name, fmt.Errorf("commit: %w", err))
		}
		durations[i] = time.Since(begun)
	}
	slices.Sort(durations)
	s.CommitLatency = durations[len(durations)/2]
	return s, nil
}
