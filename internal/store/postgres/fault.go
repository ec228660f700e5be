package postgres

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"strings"

	"github.com/jackc/pgx/v5/pgconn"

	"github.com/jeton-dev/jeton/internal/functions"
	"github.com/jeton-dev/jeton/internal/store/table"
)

var (
	// ErrNewer is returned for a database that a newer version of the program wrote.
	ErrNewer = errors.New("written by a newer version of jeton: run that version, or restore a backup of this version")
	// ErrForked is returned for a write to a database that lacks changes which this
	// process has applied. The followers have loaded a snapshot, and the next write is
	// executed.
	ErrForked = &functions.Error{
		Code:    functions.Unavailable,
		Message: "the database went back in time: acknowledged changes are lost, revocations of tokens among them",
	}
)

// A fault is an error of the database server or the connection to it. It wraps a
// functions.Error, whose text is for callers of the API and does not name the database.
type fault struct {
	name  string
	cause error
	// remedy is what the operator of the server should do.
	remedy string
	caller *functions.Error
}

// Error implements error.
func (f *fault) Error() string { return fmt.Sprintf("%s: %v: %s", f.name, f.cause, f.remedy) }

// Unwrap returns the cause and the error for callers.
func (f *fault) Unwrap() []error { return []error{f.cause, f.caller} }

// named adds the name of the database to an error.
func named(name string, err error) error {
	err = explain(name, err)
	if _, ok := errors.AsType[*fault](err); ok {
		return err
	}
	return fmt.Errorf("%s: %w", name, err)
}

func (s *Store) explain(err error) error {
	if marked, ok := err.(errAgain); ok { //nolint:errorlint // Only the outermost error is marked.
		err = marked.error
	}
	return explain(s.name, err)
}

// A reason says why a class of errors occurs: to callers, and to the operator.
type reason struct{ text, remedy string }

// reasons are the reasons by SQLSTATE, or by its first two characters.
var reasons = map[string]reason{
	"28":    {"its database refuses the connection", "check user, password and pg_hba.conf"},
	"3D000": {"its database does not exist", "create it: CREATE DATABASE jeton"},
	"42501": {"its database lacks permissions", "make the user the owner of the database, or grant CREATE on its schema"},
	"25006": {"its database is read-only", "connect to the primary server, not to a replica"},
	"53100": {"the disk of its database is full", "free disk space; the server continues by itself"},
	"53":    {"its database has no resources left", "raise max_connections, or free memory and disk space"},
	"55P03": {"another transaction locks its database", "find long transactions in pg_stat_activity"},
	"57014": {"its database is too slow", "find long statements in pg_stat_activity"},
	"57":    {"its database is not available", "start PostgreSQL; the server continues by itself"},
	"08":    {"its database is not available", "start PostgreSQL; the server continues by itself"},
	"XX001": {"its database is damaged", "restore PostgreSQL from a backup"},
	"XX002": {"its database is damaged", "restore PostgreSQL from a backup"},
}

// unreachable is the reason of errors of connections.
var unreachable = reason{"its database is not available", "check host, port and network, and that PostgreSQL runs; the server continues by itself"}

// explain returns a fault for an error of the database server. It returns other errors
// unchanged.
func explain(name string, err error) error {
	if err == nil {
		return nil
	}
	if _, ok := errors.AsType[*fault](err); ok {
		return err
	}
	r, known := reasonOf(err)
	if !known {
		return err
	}
	caller := &functions.Error{Code: functions.Unavailable, Message: "the server cannot do this now: " + r.text}
	return &fault{name: name, cause: err, remedy: r.remedy, caller: caller}
}

func reasonOf(err error) (reason, bool) {
	if errors.Is(err, table.ErrUndecodable) {
		return reasons["XX001"], true
	}
	if e, ok := errors.AsType[*pgconn.PgError](err); ok {
		if r, ok := reasons[e.Code]; ok {
			return r, true
		}
		r, ok := reasons[class(e.Code)]
		return r, ok
	}
	return unreachable, disconnected(err) || errors.Is(err, errSlow)
}

// class returns the first two characters of an SQLSTATE.
func class(code string) string { return code[:min(2, len(code))] }

// disconnected reports whether an error is that of a connection.
func disconnected(err error) bool {
	if errors.Is(err, context.Canceled) {
		return false
	}
	if _, ok := errors.AsType[*pgconn.ConnectError](err); ok {
		return true
	}
	if _, ok := errors.AsType[net.Error](err); ok {
		return true
	}
	return errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) || errors.Is(err, net.ErrClosed) ||
		pgconn.SafeToRetry(err) || strings.Contains(err.Error(), "conn closed")
}

// retryable reports whether a transaction that failed before its commit may succeed when
// it is run again.
func retryable(err error) bool {
	if errors.Is(err, context.Canceled) || errors.Is(err, context.DeadlineExceeded) {
		return false
	}
	if e, ok := errors.AsType[*pgconn.PgError](err); ok {
		switch e.Code {
		case "40001", "40P01", // serialization failure, deadlock
			"57P01", "57P02", "57P03", // shutdown, crash, start
			"53300", // too many connections
			"25006": // a failover is not complete
			return true
		}
		return class(e.Code) == "08"
	}
	return disconnected(err)
}
