package archive

import (
	"archive/zip"
	"context"
	"errors"
	"io"
)

var errDirectoryTooLong = errors.New("central directory of the archive is too long")

// A source reads the archive, and keeps read errors, so that classify can tell a failed
// disk from an invalid archive.
type source struct {
	ctx  context.Context
	from io.ReaderAt
	err  error

	bounded   bool
	remaining int64
}

// bound allows n more bytes to be read until unbound. Without it, the zip reader lists a
// central directory of any length before the entries can be counted.
func (s *source) bound(n int64) { s.bounded, s.remaining = true, n }

func (s *source) unbound() { s.bounded = false }

func (s *source) ReadAt(p []byte, off int64) (int, error) {
	if err := s.ctx.Err(); err != nil {
		s.err = err
		return 0, err
	}
	if s.bounded {
		if s.remaining -= int64(len(p)); s.remaining < 0 {
			return 0, errDirectoryTooLong
		}
	}
	n, err := s.from.ReadAt(p, off)
	if err != nil && !errors.Is(err, io.EOF) {
		s.err = err
	}
	return n, err
}

// classify returns the read error or the error of the context, if there is one, and
// otherwise an *Error for err, an error of the zip reader.
func (s *source) classify(name string, err error) error {
	switch {
	case s.err != nil:
		return s.err
	case errors.Is(err, zip.ErrFormat) && name == "":
		return &Error{Problem: "is not a zip file"}
	case errors.Is(err, zip.ErrAlgorithm):
		return &Error{Entry: name, Problem: "uses a compression method other than deflate"}
	case errors.Is(err, zip.ErrChecksum):
		return &Error{Entry: name, Problem: "is damaged: its checksum is wrong"}
	}
	return &Error{Entry: name, Problem: "is damaged: " + err.Error()}
}

// A sink keeps write errors for the same purpose.
type sink struct {
	to  io.Writer
	err error
}

func (s *sink) Write(p []byte) (int, error) {
	n, err := s.to.Write(p)
	s.err = err
	return n, err
}
