package sandbox

import (
	"bytes"
	"errors"
	"io"
	"sync"
)

// A recorder writes to its Writer, if it is not nil, and keeps the first KiB.
type recorder struct {
	io.Writer
	mu   sync.Mutex
	text bytes.Buffer
}

func (r *recorder) Write(p []byte) (int, error) {
	r.mu.Lock()
	if free := 1024 - r.text.Len(); free > 0 {
		r.text.Write(p[:min(free, len(p))])
	}
	r.mu.Unlock()
	if r.Writer == nil {
		return len(p), nil
	}
	return r.Writer.Write(p)
}

// err returns the recorded text as an error; nil if there is none.
func (r *recorder) err() error {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.text.Len() == 0 {
		return nil
	}
	return errors.New(string(bytes.TrimSpace(r.text.Bytes())))
}
