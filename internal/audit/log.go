package audit

import (
	"context"
	"encoding/json"
	"fmt"
	"time"

	"github.com/jeton-dev/jeton/internal/journal"
)

// File is the name of the log in the data folder. The files before it have
// numbers behind that, the youngest 1.
const File = "audit.log"

// How large a file may grow, in bytes, and how many of those before it stay.
const (
	maxSize = 64 << 20
	kept    = 10
)

// Log appends entries to a journal.
type Log struct{ journal *journal.Journal }

// Open opens the log at path, and makes it where there is none.
func Open(path string) (*Log, error) { return open(path, maxSize) }

func open(path string, maxSize int64) (*Log, error) {
	j, err := journal.Open(path, journal.Bounds{Size: maxSize, Kept: kept})
	if err != nil {
		return nil, fmt.Errorf("audit log: %w", err)
	}
	return &Log{journal: j}, nil
}

// Append appends an entry. With sync it is on the disk when Append has returned.
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

// Read reports every entry of the log at path since an instant, oldest first,
// and as JSON. What is no entry is passed over: a crash can leave half a line.
func Read(path string, since time.Time, report func(Entry, []byte) error) error {
	return journal.Read(path, kept, entries(since, report))
}

// Follow does as Read does, and goes on with what is appended until ctx ends.
func Follow(ctx context.Context, path string, since time.Time, report func(Entry, []byte) error) error {
	return journal.Follow(ctx, path, kept, entries(since, report))
}

func entries(since time.Time, report func(Entry, []byte) error) func([]byte) error {
	return func(line []byte) error {
		var e Entry
		// Half a line, which a crash has left, is passed over.
		if whole := json.Unmarshal(line, &e) == nil; !whole || e.At.Before(since) {
			return nil
		}
		return report(e, line)
	}
}
