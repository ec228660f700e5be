package journal

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"time"
)

// Read calls each with every line of the journal at path, oldest first, until each
// returns an error, which Read then returns. A line may be partial after a crash. It is
// only valid during the call. A journal that does not exist has no lines.
func Read(path string, kept int, each func(line []byte) error) error {
	r := &reader{path: path, kept: kept, each: each}
	defer r.close()
	return r.read()
}

// Follow is like Read, but continues with the lines that are appended later. It returns
// nil when ctx ends.
func Follow(ctx context.Context, path string, kept int, each func(line []byte) error) error {
	r := &reader{path: path, kept: kept, each: each}
	defer r.close()
	tick := time.NewTicker(followTick)
	defer tick.Stop()
	for {
		last, err := r.step()
		if err != nil {
			return err
		}
		if !last && ctx.Err() == nil {
			continue
		}
		select {
		case <-tick.C:
		case <-ctx.Done():
			return nil
		}
	}
}

// followTick is the time between two checks for new lines.
const followTick = 250 * time.Millisecond

// A reader reads the files of a journal, one after the other.
type reader struct {
	path string
	kept int
	each func(line []byte) error

	// file is the file that is being read; nil before the first.
	file *os.File
	in   *bufio.Reader
	// partial is a line whose end has not been written yet.
	partial []byte
}

// read reads all files, oldest first. It stops after the maximum number of files,
// because the journal may be rotated all the time.
func (r *reader) read() error {
	for range r.kept + 2 { // the first step only opens
		if last, err := r.step(); last || err != nil {
			return err
		}
	}
	return nil
}

// step reads the open file to its end, and opens the next one. It reports whether there
// is no next one.
func (r *reader) step() (last bool, err error) {
	next, err := r.next()
	if err != nil {
		return false, err
	}
	// If there is a next file, nothing more is appended to this one.
	if err := r.rest(); err != nil {
		closeAll(next)
		return false, err
	}
	if next == nil {
		return true, nil
	}
	r.close()
	r.file, r.in, r.partial = next, bufio.NewReader(next), nil
	return false, nil
}

// next opens the file after the one that is being read, or the oldest file if that one
// has been removed. It returns nil if no such file exists. It searches from the newest file to
// older ones: a rotation in the meantime makes it find a file twice, but never miss one.
func (r *reader) next() (next *os.File, err error) {
	for n := range r.kept + 1 {
		file, err := os.Open(numbered(r.path, n))
		if errors.Is(err, fs.ErrNotExist) {
			continue
		}
		if err != nil {
			closeAll(next)
			return nil, err
		}
		read, err := r.isOpen(file)
		if err != nil {
			closeAll(next, file)
			return nil, err
		}
		if read {
			closeAll(file)
			break
		}
		closeAll(next)
		next = file
	}
	return next, nil
}

// isOpen reports whether a file is the one that is being read.
func (r *reader) isOpen(file *os.File) (bool, error) {
	if r.file == nil {
		return false, nil
	}
	current, err := r.file.Stat()
	if err != nil {
		return false, err
	}
	other, err := file.Stat()
	return err == nil && os.SameFile(current, other), err
}

// rest reads the complete lines up to the end of the open file.
func (r *reader) rest() error {
	if r.file == nil {
		return nil
	}
	for {
		part, err := r.in.ReadBytes('\n')
		r.partial = append(r.partial, part...)
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return fmt.Errorf("read %s: %w", r.path, err)
		}
		line := bytes.TrimSuffix(r.partial, []byte("\n"))
		r.partial = nil
		if err := r.each(line); err != nil {
			return err
		}
	}
}

func (r *reader) close() { closeAll(r.file) }

// closeAll closes the files that are not nil.
func closeAll(files ...*os.File) {
	for _, file := range files {
		if file != nil {
			file.Close()
		}
	}
}
