package sqlite

import (
	"errors"
	"fmt"

	"modernc.org/sqlite"
	codes "modernc.org/sqlite/lib"

	"github.com/jeton-dev/jeton/internal/functions"
	"github.com/jeton-dev/jeton/internal/store/table"
)

// A fault is an error of the database file or its disk. It wraps a functions.Error,
// whose text is for callers of the API and does not contain the path.
type fault struct {
	path  string
	cause error
	// remedy is what the operator of the server should do.
	remedy string
	caller *functions.Error
}

// Error implements error.
func (f *fault) Error() string { return fmt.Sprintf("database %s: %v: %s", f.path, f.cause, f.remedy) }

// Unwrap returns the cause and the error for callers.
func (f *fault) Unwrap() []error { return []error{f.cause, f.caller} }

// named adds the path of the database to an error.
func named(path string, err error) error {
	err = explain(path, err)
	if _, ok := errors.AsType[*fault](err); ok {
		return err
	}
	return fmt.Errorf("database %s: %w", path, err)
}

// explain returns a fault for an error of SQLite with the file or disk of the database
// at path. It returns other errors unchanged.
func explain(path string, err error) error {
	f := &fault{path: path, cause: err}
	code := codes.SQLITE_OK
	if e, ok := errors.AsType[*sqlite.Error](err); ok {
		// The lowest byte is the primary code; the others refine it.
		code = e.Code() & 0xff
	} else if errors.Is(err, table.ErrUndecodable) {
		code = codes.SQLITE_CORRUPT
	}
	var text string
	switch code {
	case codes.SQLITE_FULL:
		text, f.remedy = "its disk is full", "free disk space; the server continues by itself"
	case codes.SQLITE_IOERR:
		text, f.remedy = "its disk fails, or a file cannot grow", "check the disk in the system log, quotas, and limits of the process (ulimit -f)"
	case codes.SQLITE_READONLY, codes.SQLITE_CANTOPEN, codes.SQLITE_PERM:
		text, f.remedy = "its database cannot be written to", "make the file and its folder writable for the user of the server"
	case codes.SQLITE_CORRUPT, codes.SQLITE_NOTADB:
		text, f.remedy = "its database is damaged", "keep a copy of the data folder, and restore a backup into a new folder (jeton restore)"
	default:
		return err
	}
	f.caller = &functions.Error{Code: functions.Unavailable, Message: "the server cannot do this now: " + text}
	return f
}
