package postgres

import (
	"context"
	"errors"
	"fmt"
	"os"
	"slices"
	"strings"
	"sync"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
)

// settings are settings of a session of PostgreSQL.
type settings map[string]string

// sessionSettings returns the settings that the URL of the database does not set. They are
// set by a statement: connection poolers refuse or ignore them when a connection starts.
func sessionSettings(config *pgx.ConnConfig) settings {
	host, _ := os.Hostname()
	all := settings{
		"application_name":                    strings.TrimSpace("jeton " + host),
		"idle_in_transaction_session_timeout": "3s",
		"statement_timeout":                   "30s",
		"lock_timeout":                        "10s",
		"tcp_keepalives_idle":                 "5",
		"tcp_keepalives_interval":             "2",
		"tcp_keepalives_count":                "3",
	}
	for name := range config.RuntimeParams {
		delete(all, name)
	}
	return all
}

// apply sets the settings of the session of a connection.
func (s settings) apply(ctx context.Context, conn *pgconn.PgConn) error {
	var calls []string
	for name, value := range s {
		calls = append(calls, fmt.Sprintf("set_config('%s', '%s', false)", name, strings.ReplaceAll(value, "'", "''")))
	}
	slices.Sort(calls)
	_, err := conn.Exec(ctx, "SELECT "+strings.Join(calls, ", ")).ReadAll()
	return err
}

// A timeline is the identity of the server's history: a promoted standby begins another one.
type timeline struct {
	mu   sync.Mutex
	last string
}

// noteTimeline calls onFailover if the timeline of a new connection differs from that of the
// connections before. The timeline of a server that does not tell it is not known.
func (s *Store) noteTimeline(ctx context.Context, conn *pgconn.PgConn) {
	const query = "SELECT CASE WHEN pg_is_in_recovery() THEN '' ELSE substr(pg_walfile_name(pg_current_wal_insert_lsn()), 1, 8) END"
	current, err := text(ctx, conn, query)
	if err != nil || current == "" {
		return
	}
	s.timeline.mu.Lock()
	defer s.timeline.mu.Unlock()
	if before := s.timeline.last; before != "" && before != current {
		s.log.Warn("the database was promoted: answers wait until no node can have a lease from before", "database", s.name, "timeline", current, "before", before)
		if failedOver := s.onFailover.Load(); failedOver != nil {
			(*failedOver)()
		}
	}
	s.timeline.last = current
}

// text returns the only value of a query without parameters, by the simple protocol.
func text(ctx context.Context, conn *pgconn.PgConn, query string) (string, error) {
	results, err := conn.Exec(ctx, query).ReadAll()
	if err != nil {
		return "", err
	}
	last := results[len(results)-1]
	if len(last.Rows) != 1 || len(last.Rows[0]) != 1 {
		return "", fmt.Errorf("%s: got %d rows, want one value", query, len(last.Rows))
	}
	return string(last.Rows[0][0]), nil
}

// ErrPooler is returned for a connection pooler that changes the session of a client between
// two transactions. Locks, timeouts and notifications would be those of other clients.
var ErrPooler = errors.New("a connection pooler in transaction mode is between this server and PostgreSQL: use its session mode, or connect directly")

// checkSessions returns ErrPooler unless each connection has a session of its own.
func checkSessions(ctx context.Context, config *pgx.ConnConfig) error {
	const pid = "SELECT pg_backend_pid()"
	config = config.Copy()
	config.AfterConnect = nil
	var conns [2]*pgconn.PgConn
	for i := range conns {
		conn, err := pgconn.ConnectConfig(ctx, &config.Config)
		if err != nil {
			return err
		}
		defer func() { _ = conn.Close(context.WithoutCancel(ctx)) }()
		conns[i] = conn
	}
	first, err := text(ctx, conns[0], pid)
	if err != nil {
		return err
	}
	// The other one is in a transaction, and then not any more: a pooler gives the first one
	// the session that was used last or, in turn, another one.
	for _, statement := range []string{"BEGIN; ", "COMMIT; "} {
		other, err := text(ctx, conns[1], statement+pid)
		if pooled, ok := errors.AsType[*pgconn.PgError](err); ok && pooled.Code == "08P01" {
			return ErrPooler // One in statement mode refuses transactions.
		}
		if err != nil {
			return err
		}
		if other == first {
			return ErrPooler
		}
		again, err := text(ctx, conns[0], pid)
		if err != nil {
			return err
		}
		if again != first {
			return ErrPooler
		}
	}
	return nil
}
