package upstream

import (
	"errors"
	"os"
	"syscall"
)

// output is the writer of a connection without TLS.
type output struct{ *connection }

// Write implements io.Writer.
func (o output) Write(p []byte) (int, error) {
	if o.last.enabled {
		return o.last.write(o.connection, p)
	}
	return o.socket.Write(p)
}

// lastWrite writes the end of a request without a body and waits for the answer, in one use of the
// network poller. A read right after the write would be one system call more, since the instance
// has not answered yet.
type lastWrite struct {
	// enabled means that the next write is the last one of a request.
	enabled bool
	// step is next, set once so that a call allocates no closure.
	step func(fd uintptr) bool
	// rest is what is left to write, and err the error of the system call. written means that
	// all was written, and that the connection waits for the answer.
	rest    []byte
	err     error
	written bool
}

// write writes p. If the wait is interrupted, the next read returns the error.
func (l *lastWrite) write(c *connection, p []byte) (int, error) {
	l.rest, l.err, l.written = p, nil, false
	_ = c.raw.Read(l.step)
	rest := l.rest
	l.rest = nil
	switch {
	case l.written:
		return len(p), nil
	case l.err != nil:
		return len(p) - len(rest), os.NewSyscallError("write", l.err)
	}
	// The buffer of the socket is full, or the connection was interrupted before the write.
	n, err := c.socket.Write(rest)
	return len(p) - len(rest) + n, err
}

// next writes first, and returns false to wait until there is something to read. The poller was
// prepared for a read before, so it also notices an answer that comes before the wait.
func (l *lastWrite) next(fd uintptr) bool {
	if l.written {
		return true
	}
	n, err := syscall.Write(int(fd), l.rest)
	for errors.Is(err, syscall.EINTR) {
		n, err = syscall.Write(int(fd), l.rest)
	}
	l.rest = l.rest[max(n, 0):]
	if l.written = err == nil && len(l.rest) == 0; l.written {
		return false
	}
	if !errors.Is(err, syscall.EAGAIN) {
		l.err = err
	}
	return true
}
