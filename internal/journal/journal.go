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
	// NoSync has nobody wait for the disk when a file makes way or is closed: it is
	// for lines of which a crash of the machine may lose the last.
	NoSync bool
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
	// torn tells that the file ends with a part of a line, by a crash or a full
	// disk: the next line ends it, so as to stand by itself.
	torn bool
	// written counts the lines.
	written int64

	// syncing is held by the one who waits for the disk, for all lines that are
	// written by then; synced is how many are on it.
	syncing sync.Mutex
	synced  int64
}

// Open opens the journal at path, and makes it where there is none.
func Open(path string, bounds Bounds) (*Journal, error) {
	file, err := os.OpenFile(path, os.O_RDWR|os.O_CREATE|os.O_APPEND, 0o600)
	if err != nil {
		return nil, err
	}
	size, torn, err := endOf(file)
	if err != nil {
		return nil, errors.Join(err, file.Close())
	}
	return &Journal{path: path, bounds: bounds, file: file, size: size, torn: torn}, nil
}

// endOf tells how large a file is, in bytes, and whether its last line is a part of
// one.
func endOf(file *os.File) (size int64, torn bool, err error) {
	size, err = file.Seek(0, io.SeekEnd)
	if err != nil || size == 0 {
		return 0, false, err
	}
	last := make([]byte, 1)
	_, err = file.ReadAt(last, size-1)
	return size, last[0] != '\n', err
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
	if j.torn {
		line = append([]byte("\n"), line...)
	}
	n, err := j.file.Write(line)
	j.size += int64(n)
	if n > 0 {
		j.torn = line[n-1] != '\n'
	}
	return err
}

// makeRoom begins a new file where this one would grow too large. The new one is
// there before any other moves: where none can be made, all stay what they are.
func (j *Journal) makeRoom(length int64) error {
	if j.size == 0 || j.size+length <= j.bounds.Size {
		return nil
	}
	begun := j.path + ".new"
	file, err := os.OpenFile(begun, os.O_RDWR|os.O_CREATE|os.O_TRUNC|os.O_APPEND, 0o600)
	if err != nil {
		return fmt.Errorf("begin a new file: %w", err)
	}
	if err = j.shift(); err == nil {
		err = os.Rename(begun, j.path)
	}
	if err != nil {
		return fmt.Errorf("begin a new file: %w", errors.Join(err, file.Close(), os.Remove(begun)))
	}
	full := j.file
	j.file, j.size, j.torn = file, 0, false
	return j.finish(full)
}

// finish closes a file, to which nothing is appended any more.
func (j *Journal) finish(file *os.File) error {
	if j.bounds.NoSync {
		return file.Close()
	}
	return errors.Join(file.Sync(), file.Close())
}

// shift moves the files up by one, to where a number is free, or over the oldest. One
// that has broken off has left a number free, and so the next removes nothing more.
func (j *Journal) shift() error {
	free := 0
	for free < j.bounds.Kept {
		if _, err := os.Lstat(numbered(j.path, free)); errors.Is(err, fs.ErrNotExist) {
			break
		}
		free++
	}
	for n := free; n > 0; n-- {
		if err := os.Rename(numbered(j.path, n-1), numbered(j.path, n)); err != nil {
			return err
		}
	}
	return nil
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
	return j.finish(j.file)
}
