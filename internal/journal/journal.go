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

// Bounds limit the size of a journal.
type Bounds struct {
	// Size is the maximum size of one file, in bytes.
	Size int64
	// Kept is the number of older files that are kept.
	Kept int
	// NoSync closes and rotates files without waiting for the disk. A crash of the
	// machine may then lose the last lines.
	NoSync bool
}

// Journal appends lines to a file. When the file is full, it is rotated: it gets the
// suffix .1, the suffixes of older files grow by one, and the oldest file is removed.
// All methods are safe for concurrent use.
type Journal struct {
	path   string
	bounds Bounds

	// mu is held while a line is written, but not while waiting for the disk.
	mu   sync.Mutex
	file *os.File
	size int64
	// torn reports that the file ends with a partial line, after a crash or on a
	// full disk. The next line is then preceded by a line break.
	torn bool
	// written is the number of lines written.
	written int64

	// syncing is held while waiting for the disk, for all lines that are written by
	// then. synced is the number of lines on the disk.
	syncing sync.Mutex
	synced  int64
}

// Open opens the journal at path, and creates it if it does not exist.
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

// endOf returns the size of a file in bytes, and whether its last line is partial.
func endOf(file *os.File) (size int64, torn bool, err error) {
	size, err = file.Seek(0, io.SeekEnd)
	if err != nil || size == 0 {
		return 0, false, err
	}
	last := make([]byte, 1)
	_, err = file.ReadAt(last, size-1)
	return size, last[0] != '\n', err
}

// Append appends a line, which must not contain a line break. With sync, the line is on
// the disk when Append returns.
func (j *Journal) Append(line []byte, sync bool) error {
	number, err := j.append(append(line, '\n'))
	if sync {
		err = errors.Join(err, j.sync(number))
	}
	return err
}

// append writes a line and returns its number.
func (j *Journal) append(line []byte) (int64, error) {
	j.mu.Lock()
	defer j.mu.Unlock()
	j.written++
	// If the file cannot be rotated it grows beyond its maximum size, because losing
	// lines would be worse.
	return j.written, errors.Join(j.rotate(int64(len(line))), j.write(line))
}

// sync waits until the line with a number is on the disk.
func (j *Journal) sync(number int64) error {
	j.syncing.Lock()
	defer j.syncing.Unlock()
	if j.synced >= number {
		return nil
	}
	j.mu.Lock()
	file, written := j.file, j.written
	j.mu.Unlock()
	// If the file was rotated in the meantime, it was synced then.
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

// rotate starts a new file if a line would make the current one too large. It creates
// the new file before it renames any other, so that nothing changes if it cannot.
func (j *Journal) rotate(length int64) error {
	if j.size == 0 || j.size+length <= j.bounds.Size {
		return nil
	}
	unfinished := j.path + ".new"
	file, err := os.OpenFile(unfinished, os.O_RDWR|os.O_CREATE|os.O_TRUNC|os.O_APPEND, 0o600)
	if err != nil {
		return fmt.Errorf("rotate: %w", err)
	}
	if err = j.shift(); err == nil {
		err = os.Rename(unfinished, j.path)
	}
	if err != nil {
		return fmt.Errorf("rotate: %w", errors.Join(err, file.Close(), os.Remove(unfinished)))
	}
	full := j.file
	j.file, j.size, j.torn = file, 0, false
	return j.finish(full)
}

// finish closes a file after its last line.
func (j *Journal) finish(file *os.File) error {
	if j.bounds.NoSync {
		return file.Close()
	}
	return errors.Join(file.Sync(), file.Close())
}

// shift increases the suffixes of the files by one, up to the first free one; without
// a free one, the oldest file is overwritten. An interrupted shift leaves a suffix
// free, so the next shift removes no file.
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

// numbered returns the path of a file of the journal. 0 is the current one.
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
