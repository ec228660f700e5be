package audit

import (
	"context"
	"encoding/json"
	"fmt"
	"time"

	"github.com/jeton-dev/jeton/internal/journal"
)

// File is the name of the log in the data folder. Older files have the suffixes .1, the
// newest, to .10.
const File = "audit.log"

// The maximum size of a file, in bytes, and the number of older files.
const (
	maxSize = 64 << 20
	kept    = 10
)

// Log appends entries to a journal.
type Log struct{ journal *journal.Journal }

// Open opens the log at path, and creates it if it does not exist.
func Open(path string) (*Log, error) { return open(path, maxSize) }

func open(path string, maxSize int64) (*Log, error) {
	j, err := journal.Open(path, journal.Bounds{Size: maxSize, Kept: kept})
	if err != nil {
		return nil, fmt.Errorf("audit log: %w", err)
	}
	return &Log{journal: j}, nil
}

// Append appends an entry. With sync, it is on the disk when Append returns.
func (l *Log) Append(e Entry, sync bool) error {
	line, err := json.Marshal(e)
	if err == nil {
		err = l.journal.Append(line, sync)
	}
	if err != nil {
		return fmt.Errorf("audit log: %w", err)
	}
	return nil
}

// Close closes the file.
func (l *Log) Close() error { return l.journal.Close() }

// Read calls each with every entry of the log at path since a time, oldest first, and
// with its JSON, until each returns an error, which Read then returns. It skips lines
// that are not entries, such as a partial line after a crash.
func Read(path string, since time.Time, each func(Entry, []byte) error) error {
	return journal.Read(path, kept, entries(since, each))
}

// Follow is like Read, but continues with the entries that are appended later. It
// returns nil when ctx ends.
func Follow(ctx context.Context, path string, since time.Time, each func(Entry, []byte) error) error {
	return journal.Follow(ctx, path, kept, entries(since, each))
}

// entries returns a callback for lines that calls each with the entries since a time.
func entries(since time.Time, each func(Entry, []byte) error) func([]byte) error {
	return func(line []byte) error {
		var e Entry
		if err := json.Unmarshal(line, &e); err != nil || e.At.Before(since) {
			return nil //nolint:nilerr // A line that is not an entry is skipped.
		}
		return each(e, line)
	}
}
