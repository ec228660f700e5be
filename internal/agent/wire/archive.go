package wire

import (
	"bytes"
	"crypto/sha256"
	"errors"
	"fmt"
	"hash"
	"io"
)

// SendArchive sends what write writes as parts, and its digest.
func (c *Conn) SendArchive(write func(io.Writer) error) error {
	parts := &partWriter{conn: c, hash: sha256.New()}
	if err := write(parts); err != nil {
		return err
	}
	if err := parts.flush(); err != nil {
		return err
	}
	return c.Send(Digest, parts.hash.Sum(nil))
}

type partWriter struct {
	conn    *Conn
	hash    hash.Hash
	pending []byte
}

// Write implements io.Writer.
func (w *partWriter) Write(p []byte) (int, error) {
	written := len(p)
	for len(p) > 0 {
		n := min(len(p), PartSize-len(w.pending))
		w.pending = append(w.pending, p[:n]...)
		p = p[n:]
		if len(w.pending) == PartSize {
			if err := w.flush(); err != nil {
				return 0, err
			}
		}
	}
	return written, nil
}

func (w *partWriter) flush() error {
	if len(w.pending) == 0 {
		return nil
	}
	w.hash.Write(w.pending)
	err := w.conn.Send(Part, w.pending)
	w.pending = w.pending[:0]
	return err
}

// An Archive reads the parts of an archive from a connection. Read returns io.EOF only if the
// digest is correct.
type Archive struct {
	conn *Conn
	hash hash.Hash
	rest []byte
	// other receives frames of other kinds. If it is nil or returns an error, Read fails.
	other func(Kind, []byte) error
	ended bool
}

// NewArchive returns an Archive that reads from a connection, and passes frames of other kinds
// to other; nil refuses them.
func NewArchive(c *Conn, other func(Kind, []byte) error) *Archive {
	return &Archive{conn: c, hash: sha256.New(), other: other}
}

// Read implements io.Reader.
func (a *Archive) Read(p []byte) (int, error) {
	for len(a.rest) == 0 {
		if a.ended {
			return 0, io.EOF
		}
		kind, payload, err := a.conn.Receive()
		if errors.Is(err, io.EOF) {
			err = io.ErrUnexpectedEOF
		}
		if err != nil {
			return 0, err
		}
		if err := a.Accept(kind, payload); err != nil {
			return 0, err
		}
	}
	n := copy(p, a.rest)
	a.rest = a.rest[n:]
	return n, nil
}

// Accept handles a frame that the caller has received.
func (a *Archive) Accept(kind Kind, payload []byte) error {
	switch {
	case kind == Part:
		a.hash.Write(payload)
		a.rest = payload
	case kind == Digest:
		if !bytes.Equal(payload, a.hash.Sum(nil)) {
			return errors.New("receive archive: its digest is wrong")
		}
		a.ended = true
	case a.other == nil:
		return fmt.Errorf("receive archive: unexpected frame %q", byte(kind))
	default:
		return a.other(kind, payload)
	}
	return nil
}
