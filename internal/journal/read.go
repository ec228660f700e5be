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

// Read reports every line of the journal at path, oldest first. A crash can leave
// half a line.
func Read(path string, kept int, report func(line []byte) error) error {
	r := &reader{path: path, kept: kept, report: report}
	defer r.close()
	return r.read()
}

// Follow does as Read does, and goes on with what is appended until ctx ends.
func Follow(ctx context.Context, path string, kept int, report func(line []byte) error) error {
	r := &reader{path: path, kept: kept, report: report}
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

// followTick is how often one looks for what has been appended.
const followTick = 250 * time.Millisecond

// reader reads the files of a journal, one after the other.
type reader struct {
	path   string
	kept   int
	report func(line []byte) error

	// file is the one that is read; nil before the first.
	file *os.File
	in   *bufio.Reader
	// begun is a line whose end has not been written yet.
	begun []byte
}

// read reads all files, oldest first: as many as there may be, for those that begin
// meanwhile may never end.
func (r *reader) read() error {
	for range r.kept + 2 { // the first step only opens
		if last, err := r.step(); last || err != nil {
			return err
		}
	}
	return nil
}

// step reports the lines to the end of the open file, and goes on to the one after
// it. It tells whether there is none.
func (r *reader) step() (last bool, err error) {
	next, err := r.next()
	if err != nil {
		return false, err
	}
	// Nothing is appended to a file that has one after it: this is the rest.
	if err := r.rest(); err != nil {
		closeAll(next)
		return false, err
	}
	if next == nil {
		return true, nil
	}
	r.close()
	r.file, r.in, r.begun = next, bufio.NewReader(next), nil
	return false, nil
}

// next opens the file after the one that is read, the oldest if that has been removed,
// and returns nil if there is none. Files grow older meanwhile, and never younger: on the
// way from the youngest one can be met twice, but none is missed.
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
		read, err := r.reads(file)
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

// reads tells whether a file is the one that is read.
func (r *reader) reads(file *os.File) (bool, error) {
	if r.file == nil {
		return false, nil
	}
	held, err := r.file.Stat()
	if err != nil {
		return false, err
	}
	other, err := file.Stat()
	return err == nil && os.SameFile(held, other), err
}

// rest reports the whole lines to the end of the open file.
func (r *reader) rest() error {
	if r.file == nil {
		return nil
	}
	for {
		part, err := r.in.ReadBytes('\n')
		r.begun = append(r.begun, part...)
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return fmt.Errorf("read %s: %w", r.path, err)
		}
		line := bytes.TrimSuffix(r.begun, []byte("\n"))
		r.begun = nil
		if err := r.report(line); err != nil {
			return err
		}
	}
}

func (r *reader) close() { closeAll(r.file) }

// closeAll closes those that are open. They were only read.
func closeAll(files ...*os.File) {
	for _, file := range files {
		if file != nil {
			file.Close()
		}
	}
}
