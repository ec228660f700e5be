package journal

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"strconv"
	"sync"
)

// Bounds are how large a journal may grow.
type Bounds struct {
	// Size is that of one file, in bytes.
	Size int64
	// Kept is how many files before the one that is written stay.
	Kept int
}

// Journal appends lines to a file. When that has grown large it makes way for a new
// one, and the oldest is removed. The files before it have numbers behind its name,
// the youngest 1.
type Journal struct {
	path   string
	bounds Bounds

	// mu is held while a line is written, and never while one waits for the
	// disk.
	mu   sync.Mutex
	file *os.File
	size int64
	// written counts the lines.
	written int64

	// syncing is held by the one who waits for the disk, for all lines that are
	// written by then; synced is how many are on it.
	syncing sync.Mutex
	synced  int64
}

// Open opens the journal at path, and makes it where there is none.
func Open(path string, bounds Bounds) (*Journal, error) {
	j := &Journal{path: path, bounds: bounds}
	if err := j.reopen(); err != nil {
		return nil, err
	}
	return j, nil
}

// reopen opens the file that is at the path now. A line that a crash has cut
// short is ended, so that the next one stands by itself.
func (j *Journal) reopen() error {
	file, err := os.OpenFile(j.path, os.O_RDWR|os.O_CREATE|os.O_APPEND, 0o600)
	if err != nil {
		return err
	}
	size, err := file.Seek(0, io.SeekEnd)
	if err != nil {
		return errors.Join(err, file.Close())
	}
	j.file, j.size = file, size
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
	return j.write([]byte("\n"))
}

// Append appends a line, which has no line break. With sync it is on the disk when
// Append has returned.
func (j *Journal) Append(line []byte, sync bool) error {
	number, err := j.append(append(line, '\n'))
	if sync {
		err = errors.Join(err, j.sync(number))
	}
	return err
}

// append returns the number of the line.
func (j *Journal) append(line []byte) (int64, error) {
	j.mu.Lock()
	defer j.mu.Unlock()
	j.written++
	// Without room for a new file the old one grows on: to lose lines would
	// be worse.
	return j.written, errors.Join(j.makeRoom(int64(len(line))), j.write(line))
}

// sync returns when the line of a number is on the disk.
func (j *Journal) sync(number int64) error {
	j.syncing.Lock()
	defer j.syncing.Unlock()
	if j.synced >= number {
		return nil
	}
	j.mu.Lock()
	file, written := j.file, j.written
	j.mu.Unlock()
	// One that has made way meanwhile was synced then.
	if err := file.Sync(); err != nil && !errors.Is(err, os.ErrClosed) {
		return err
	}
	j.synced = written
	return nil
}

func (j *Journal) write(line []byte) error {
	n, err := j.file.Write(line)
	j.size += int64(n)
	return err
}

// makeRoom begins a new file where this one would grow too large.
func (j *Journal) makeRoom(length int64) error {
	if j.size == 0 || j.size+length <= j.bounds.Size {
		return nil
	}
	for n := j.bounds.Kept - 1; n >= 0; n-- {
		if err := os.Rename(numbered(j.path, n), numbered(j.path, n+1)); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return fmt.Errorf("begin a new file: %w", err)
		}
	}
	full := j.file
	if err := j.reopen(); err != nil {
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
func (j *Journal) Close() error {
	j.mu.Lock()
	defer j.mu.Unlock()
	return errors.Join(j.file.Sync(), j.file.Close())
}
