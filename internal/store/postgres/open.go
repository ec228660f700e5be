package postgres

import (
	"context"
	"crypto/rand"
	"embed"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"net"
	"net/url"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/jackc/pgx/v5/stdlib"
	"github.com/pressly/goose/v3"
	gooselock "github.com/pressly/goose/v3/lock"

	"github.com/jeton-dev/jeton/internal/store"
)

// oldest is the oldest supported version of PostgreSQL, as server_version_num.
const oldest = 140000

const (
	connectTimeout = 5 * time.Second
	// connections is the size of the pool, unless pool_max_conns in the URL sets it.
	// The store uses one connection besides, for notifications.
	connections = 10
)

//go:embed migrations/*.sql
var migrations embed.FS

// Open opens the database at a URL such as postgres://user:password@host:5432/jeton. It
// creates missing tables and migrates those of an older version. It returns ErrNewer for
// a database of a newer version. Errors do not contain the password.
func Open(ctx context.Context, address string, now func() time.Time, options ...Option) (*Store, error) {
	config, name, err := parse(address)
	if err != nil {
		return nil, err
	}
	s := &Store{
		name: name, instance: rand.Text(), now: now, keep: store.DefaultRetention(), log: slog.New(slog.DiscardHandler),
		writing: make(chan struct{}, 1), lookUp: lookUp, retryLookUp: retryLookUp, poll: pollInterval,
		applying: newLock(), patience: catchUpTimeout,
		commit: func(ctx context.Context, t pgx.Tx) error { return t.Commit(ctx) },
	}
	s.ctx, s.cancel = context.WithCancel(context.Background())
	for _, option := range options {
		option(s)
	}
	config.ConnConfig.AfterConnect = func(ctx context.Context, conn *pgconn.PgConn) error {
		if err := sessionSettings(config.ConnConfig).apply(ctx, conn); err != nil {
			return err
		}
		s.noteTimeline(ctx, conn)
		return nil
	}
	if err := s.open(ctx, config); err != nil {
		return nil, errors.Join(named(name, err), s.Close())
	}
	return s, nil
}

func (s *Store) open(ctx context.Context, config *pgxpool.Config) (err error) {
	if err := checkServer(ctx, config.ConnConfig); err != nil {
		return err
	}
	if err := migrate(ctx, config.ConnConfig); err != nil {
		return err
	}
	if s.pool, err = pgxpool.NewWithConfig(ctx, config); err != nil {
		return err
	}
	if err := s.catchUp(ctx); err != nil {
		return err
	}
	s.background.Go(func() { s.listen(s.ctx, config.ConnConfig) })
	return nil
}

// parse returns the configuration of a database URL, and its name for errors.
func parse(address string) (*pgxpool.Config, string, error) {
	parsed, err := url.Parse(address)
	if err != nil || parsed.Scheme != "postgres" && parsed.Scheme != "postgresql" {
		// The error would contain parts of the URL, perhaps of the password.
		return nil, "", errors.New("database URL: want postgres://USER:PASSWORD@HOST:PORT/DATABASE, with special characters of the password as %XX")
	}
	config, err := pgxpool.ParseConfig(address)
	if err != nil {
		return nil, "", fmt.Errorf("database URL: %s", parseFailure(parsed, err))
	}
	c := config.ConnConfig
	name := fmt.Sprintf("database %s at %s", c.Database, net.JoinHostPort(c.Host, fmt.Sprint(c.Port)))
	if strings.HasPrefix(c.Host, "/") {
		name = fmt.Sprintf("database %s at %s", c.Database, c.Host)
	}
	if !parsed.Query().Has("pool_max_conns") {
		config.MaxConns = connections
	}
	if c.ConnectTimeout == 0 {
		c.ConnectTimeout = connectTimeout
	}
	// Both ends notice within seconds that the other one is gone.
	dialer := &net.Dialer{Timeout: c.ConnectTimeout, KeepAliveConfig: net.KeepAliveConfig{Enable: true, Idle: 5 * time.Second, Interval: 2 * time.Second, Count: 3}, Control: limitUnacknowledged}
	c.DialFunc = dialer.DialContext
	return config, name, nil
}

// parseFailure returns the cause of an error of the URL's parser, without the URL and
// without the password.
func parseFailure(parsed *url.URL, err error) string {
	// The error begins with the URL in backquotes.
	text := err.Error()
	text = text[strings.LastIndex(text, "`")+1:]
	text = strings.TrimPrefix(text, ": ")
	passwords := []string{parsed.Query().Get("password")}
	if parsed.User != nil {
		password, _ := parsed.User.Password()
		passwords = append(passwords, password, url.QueryEscape(password))
	}
	for _, password := range passwords {
		if password != "" {
			text = strings.ReplaceAll(text, password, "xxxxx")
		}
	}
	return text
}

// checkServer returns an error for a server that the store cannot use.
func checkServer(ctx context.Context, config *pgx.ConnConfig) error {
	if err := checkSessions(ctx, config); err != nil {
		return err
	}
	conn, err := pgx.ConnectConfig(ctx, config)
	if err != nil {
		return err
	}
	defer closeConn(conn)
	server, err := readServer(ctx, conn)
	if err != nil {
		return err
	}
	return server.check()
}

// migrate brings the schema of a database up to date. It returns ErrNewer if the schema
// is newer than the program. Concurrent migrations wait for each other.
func migrate(ctx context.Context, config *pgx.ConnConfig) error {
	config = config.Copy()
	config.AfterConnect = settings{"statement_timeout": "0", "idle_in_transaction_session_timeout": "0"}.apply
	files, err := fs.Sub(migrations, "migrations")
	if err != nil {
		return err
	}
	locker, err := gooselock.NewPostgresSessionLocker(gooselock.WithLockTimeout(1, 60))
	if err != nil {
		return err
	}
	db := stdlib.OpenDB(*config)
	defer func() { _ = db.Close() }()
	provider, err := goose.NewProvider(goose.DialectPostgres, db, files, goose.WithSessionLocker(locker), goose.WithGoMigrations(later...))
	if err != nil {
		return fmt.Errorf("read migrations: %w", err)
	}
	have, err := provider.GetDBVersion(ctx)
	if err != nil {
		return fmt.Errorf("read schema version: %w", err)
	}
	sources := provider.ListSources()
	newest := sources[len(sources)-1].Version
	if have > newest {
		return fmt.Errorf("schema version %d, newest known %d: %w", have, newest, ErrNewer)
	}
	if have == newest {
		return nil
	}
	if _, err := provider.Up(ctx); err != nil {
		return fmt.Errorf("migrate: %w", err)
	}
	return nil
}
