package archive

import (
	"archive/zip"
	"context"
	"errors"
	"io"
)

var errDirectoryTooLong = errors.New("archive's directory is too long")

// A source reads the archive's bytes and remembers whether reading failed, so
// that a broken disk is not taken for a broken archive.
type source struct {
	ctx  context.Context
	from io.ReaderAt
	err  error

	bounded bool
	left    int64
}

// bound lets only so many bytes more be read. The zip reader lists a directory
// of any length before its caller can count the entries.
func (s *source) bound(n int64) { s.bounded, s.left = true, n }

func (s *source) unbound() { s.bounded = false }

func (s *source) ReadAt(p []byte, off int64) (int, error) {
	if err := s.ctx.Err(); err != nil {
		s.err = err
		return 0, err
	}
	if s.bounded {
		if s.left -= int64(len(p)); s.left < 0 {
			return 0, errDirectoryTooLong
		}
	}
	n, err := s.from.ReadAt(p, off)
	if err != nil && !errors.Is(err, io.EOF) {
		s.err = err
	}
	return n, err
}

// blame turns an error of the zip reader into the archive's fault, unless it
// was the disk's or the context ended.
func (s *source) blame(name string, err error) error {
	switch {
	case s.err != nil:
		return s.err
	case errors.Is(err, zip.ErrFormat) && name == "":
		return &Error{Problem: "is not a zip file"}
	case errors.Is(err, zip.ErrAlgorithm):
		return &Error{Entry: name, Problem: "is compressed in a way other than deflate"}
	case errors.Is(err, zip.ErrChecksum):
		return &Error{Entry: name, Problem: "is damaged: its checksum is wrong"}
	}
	return &Error{Entry: name, Problem: "is damaged: " + err.Error()}
}

// A sink remembers whether writing failed, for the same reason.
type sink struct {
	to  io.Writer
	err error
}

func (s *sink) Write(p []byte) (int, error) {
	n, err := s.to.Write(p)
	s.err = err
	return n, err
}
