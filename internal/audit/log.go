package audit

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"strconv"
	"sync"
)

// File is the name of the log in the data folder. The files before it have
// numbers behind that, the youngest 1.
const File = "audit.log"

// How large a file may grow, in bytes, and how many of those before it stay.
const (
	maxSize = 64 << 20
	kept    = 10
)

// Log appends entries to a file. When that has grown large it makes way for a
// new one, and the oldest is removed.
type Log struct {
	path    string
	maxSize int64

	// mu is held while an entry is written, and never while one waits for the
	// disk.
	mu   sync.Mutex
	file *os.File
	size int64
	// written counts the entries.
	written int64

	// syncing is held by the one who waits for the disk, for all entries that
	// are written by then; synced is how many are on it.
	syncing sync.Mutex
	synced  int64
}

// Open opens the log at path, and makes it where there is none.
func Open(path string) (*Log, error) { return open(path, maxSize) }

func open(path string, maxSize int64) (*Log, error) {
	l := &Log{path: path, maxSize: maxSize}
	if err := l.reopen(); err != nil {
		return nil, fmt.Errorf("audit log: %w", err)
	}
	return l, nil
}

// reopen opens the file that is at the path now. A line that a crash has cut
// short is ended, so that the next one stands by itself.
func (l *Log) reopen() error {
	file, err := os.OpenFile(l.path, os.O_RDWR|os.O_CREATE|os.O_APPEND, 0o600)
	if err != nil {
		return err
	}
	size, err := file.Seek(0, io.SeekEnd)
	if err != nil {
		return errors.Join(err, file.Close())
	}
	l.file, l.size = file, size
	if size == 0 {
		return nil
	}
	last := make([]byte, 1)
	if _, err := file.ReadAt(last, size-1); err != nil {
		return errors.Join(err, file.Close())
	}
	if last[0] == '\n' {
		return nil
	}
	return l.write([]byte("\n"))
}

// Append appends an entry. With sync it is on the disk when Append has returned.
func (l *Log) Append(e Entry, sync bool) error {
	line, err := json.Marshal(e)
	if err != nil {
		return fmt.Errorf("audit log: %w", err)
	}
	number, err := l.append(append(line, '\n'))
	if sync {
		err = errors.Join(err, l.sync(number))
	}
	if err != nil {
		return fmt.Errorf("audit log: %w", err)
	}
	return nil
}

// append returns the number of the entry.
func (l *Log) append(line []byte) (int64, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.written++
	// Without room for a new file the old one grows on: to lose entries would
	// be worse.
	return l.written, errors.Join(l.makeRoom(int64(len(line))), l.write(line))
}

// sync returns when the entry of a number is on the disk.
func (l *Log) sync(number int64) error {
	l.syncing.Lock()
	defer l.syncing.Unlock()
	if l.synced >= number {
		return nil
	}
	l.mu.Lock()
	file, written := l.file, l.written
	l.mu.Unlock()
	// One that has made way meanwhile was synced then.
	if err := file.Sync(); err != nil && !errors.Is(err, os.ErrClosed) {
		return err
	}
	l.synced = written
	return nil
}

func (l *Log) write(line []byte) error {
	n, err := l.file.Write(line)
	l.size += int64(n)
	return err
}

// makeRoom begins a new file where this one would grow too large.
func (l *Log) makeRoom(length int64) error {
	if l.size == 0 || l.size+length <= l.maxSize {
		return nil
	}
	for n := kept - 1; n >= 0; n-- {
		if err := os.Rename(numbered(l.path, n), numbered(l.path, n+1)); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return fmt.Errorf("begin a new file: %w", err)
		}
	}
	full := l.file
	if err := l.reopen(); err != nil {
		return fmt.Errorf("begin a new file: %w", err)
	}
	return errors.Join(full.Sync(), full.Close())
}

// numbered is the path of a file of the log; 0 is the one that is written.
func numbered(path string, n int) string {
	if n == 0 {
		return path
	}
	return path + "." + strconv.Itoa(n)
}

// Close closes the file.
func (l *Log) Close() error {
	l.mu.Lock()
	defer l.mu.Unlock()
	return errors.Join(l.file.Sync(), l.file.Close())
}
