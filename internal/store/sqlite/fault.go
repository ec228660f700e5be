package sqlite

import (
	"errors"
	"fmt"

	"modernc.org/sqlite"
	codes "modernc.org/sqlite/lib"

	"github.com/jeton-dev/jeton/internal/functions"
)

// A fault is an error of the file, or of the disk that it is on. It is a
// functions.Error too, whose text is for callers: they learn what is wrong, and not
// where.
type fault struct {
	path  string
	cause error
	// todo is for the one who runs the server.
	todo   string
	caller *functions.Error
}

// Error implements error.
func (f *fault) Error() string { return fmt.Sprintf("database %s: %v: %s", f.path, f.cause, f.todo) }

// Unwrap leads to both of what a fault is.
func (f *fault) Unwrap() []error { return []error{f.cause, f.caller} }

// errUndecodable is of an object that was kept whole, and cannot be read.
var errUndecodable = errors.New("an object in it cannot be read")

// named has an error say which file it is of.
func named(path string, err error) error {
	err = explain(path, err)
	if _, ok := errors.AsType[*fault](err); ok {
		return err
	}
	return fmt.Errorf("database %s: %w", path, err)
}

// explain makes a fault of an error that SQLite has with the file at path, and
// leaves all others as they are.
func explain(path string, err error) error {
	f := &fault{path: path, cause: err}
	code := codes.SQLITE_OK
	if e, ok := errors.AsType[*sqlite.Error](err); ok {
		// The lowest byte is the kind; those above say which of them.
		code = e.Code() & 0xff
	} else if errors.Is(err, errUndecodable) {
		code = codes.SQLITE_CORRUPT
	}
	var text string
	switch code {
	case codes.SQLITE_FULL:
		text, f.todo = "its disk is full", "make room on the disk; the server goes on by itself then"
	case codes.SQLITE_IOERR:
		text, f.todo = "its disk fails, or a file may not grow", "look for what the system says of the disk, for quotas and for limits of the process (ulimit -f)"
	case codes.SQLITE_READONLY, codes.SQLITE_CANTOPEN, codes.SQLITE_PERM:
		text, f.todo = "its database cannot be written to", "see to it that the user of the server may write to the file and its folder"
	case codes.SQLITE_CORRUPT, codes.SQLITE_NOTADB:
		text, f.todo = "its database is damaged", "keep a copy of the data folder, and restore a backup into a new one (jeton restore)"
	default:
		return err
	}
	f.caller = &functions.Error{Code: functions.Unavailable, Message: "the server cannot do this now: " + text}
	return f
}
