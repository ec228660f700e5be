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
	"slices"
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
	for err := r.read(); ; err = r.more() {
		if err != nil {
			return err
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

// reader reads the files of a journal.
type reader struct {
	path   string
	kept   int
	report func(line []byte) error

	file *os.File
	in   *bufio.Reader
	// begun is a line whose end has not been written yet.
	begun []byte
}

// read reads all files, oldest first, and leaves the youngest open.
func (r *reader) read() error {
	files, err := openAll(r.path, r.kept)
	for _, file := range slices.Backward(files) {
		r.begin(file)
		err = errors.Join(err, r.rest())
	}
	return err
}

// openAll opens all files of a journal, youngest first. They grow older meanwhile,
// and never younger: so none is missed, and one that is met twice is known.
func openAll(path string, kept int) (files []*os.File, err error) {
	var before fs.FileInfo
	for n := range kept + 1 {
		file, err := os.Open(numbered(path, n))
		if errors.Is(err, fs.ErrNotExist) {
			continue
		}
		if err != nil {
			return files, err
		}
		info, err := file.Stat()
		if err != nil || before != nil && os.SameFile(before, info) {
			file.Close()
			continue
		}
		before, files = info, append(files, file)
	}
	return files, nil
}

func (r *reader) begin(file *os.File) {
	r.close()
	r.file, r.in, r.begun = file, bufio.NewReader(file), nil
}

// more reads what has been appended since, in a new file as well.
func (r *reader) more() error {
	for {
		current, err := r.isCurrent()
		if err != nil {
			return err
		}
		// What was appended to the old file before it made way is read first.
		if err := r.rest(); current || err != nil {
			return err
		}
		file, err := os.Open(r.path)
		if errors.Is(err, fs.ErrNotExist) {
			continue // it is being made
		}
		if err != nil {
			return err
		}
		r.begin(file)
	}
}

// isCurrent tells whether the open file is the one that is appended to. There
// may be none yet.
func (r *reader) isCurrent() (bool, error) {
	named, err := os.Stat(r.path)
	if errors.Is(err, fs.ErrNotExist) {
		return true, nil
	}
	if err != nil || r.file == nil {
		return false, err
	}
	held, err := r.file.Stat()
	return err == nil && os.SameFile(held, named), err
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

func (r *reader) close() {
	if r.file != nil {
		r.file.Close()
	}
}
