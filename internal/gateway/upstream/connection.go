package upstream

import (
	"bufio"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"math"
	"net"
	"net/http"
	"syscall"
	"time"

	"github.com/jeton-dev/jeton/internal/engine"
)

const (
	// bufferSize is the size of the buffer of each direction, in bytes.
	bufferSize = 4 << 10
	// maxHead bounds the head of an answer, in bytes, as that of a request is.
	maxHead = 1 << 20
	// maxHints bounds the informational answers before the final one.
	maxHints = 8
)

var (
	errHeadTooLong  = errors.New("the head of the answer is too long")
	errTooManyHints = errors.New("too many informational answers")
)

// longAgo is a deadline that ends reads and writes immediately.
var longAgo = time.Unix(1, 0)

// A connection is a connection to an instance. It serves one call at a time.
type connection struct {
	transport *Transport
	address   engine.Address
	socket    net.Conn
	raw       syscall.RawConn
	reader    *bufio.Reader
	writer    *bufio.Writer
	// headLeft is how many bytes of an answer's head may still be read.
	headLeft int64
	// answering reports whether a part of the answer to this call was read.
	answering bool
	// sweeps is Transport.sweeps at the end of the last call.
	sweeps int64
	// peek is peekNow, peeked its result, and interrupt is interruptNow: they are
	// set once, so that a call allocates no closures.
	peek      func(fd uintptr) bool
	peeked    error
	interrupt func()
	// last sends the end of a request.
	last lastWrite
}

func newConnection(t *Transport, address engine.Address, socket net.Conn) (*connection, error) {
	c := &connection{transport: t, address: address, socket: socket}
	raw := socket
	if encrypted, ok := socket.(*tls.Conn); ok {
		raw = encrypted.NetConn()
	}
	system, ok := raw.(syscall.Conn)
	if !ok {
		_ = socket.Close()
		return nil, fmt.Errorf("connect to %s: connection has no file descriptor", address)
	}
	var err error
	if c.raw, err = system.SyscallConn(); err != nil {
		_ = socket.Close()
		return nil, err
	}
	c.peek, c.interrupt = c.peekNow, c.interruptNow
	c.reader = bufio.NewReaderSize(c, bufferSize)
	if c.writer = bufio.NewWriterSize(socket, bufferSize); raw == socket {
		c.last.step = c.last.next
		c.writer.Reset(output{c})
	}
	return c, nil
}

// Read implements io.Reader. It bounds the head of an answer.
func (c *connection) Read(p []byte) (int, error) {
	if c.headLeft <= 0 {
		return 0, errHeadTooLong
	}
	n, err := c.socket.Read(p[:min(int64(len(p)), c.headLeft)])
	c.headLeft -= int64(n)
	c.answering = c.answering || n > 0
	return n, err
}

// close closes the connection, which ends its reads and writes.
func (c *connection) close() {
	_ = c.socket.Close() // No data is lost: no call uses the connection.
}

// alive reports whether an idle connection can serve a call: the instance has
// neither closed it nor sent anything.
func (c *connection) alive() bool {
	return c.raw.Read(c.peek) == nil && errors.Is(c.peeked, syscall.EAGAIN)
}

// peekNow looks for a byte to read without a wait.
func (c *connection) peekNow(fd uintptr) bool {
	var one [1]byte
	_, _, c.peeked = syscall.Recvfrom(int(fd), one[:], syscall.MSG_PEEK|syscall.MSG_DONTWAIT)
	return true
}

// interruptNow ends the reads and writes of the connection.
func (c *connection) interruptNow() { _ = c.socket.SetDeadline(longAgo) }

// brokenOff reports whether an error means that the other side has closed the
// connection.
func brokenOff(err error) bool {
	return errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) ||
		errors.Is(err, syscall.EPIPE) || errors.Is(err, syscall.ECONNRESET)
}

func hasBody(r *http.Request) bool { return r.Body != nil && r.Body != http.NoBody }

func closeBody(r *http.Request) {
	if r.Body != nil {
		_ = r.Body.Close() // No call has used it.
	}
}

// exchange sends a request and returns the answer. The connection returns to the
// transport at the end of the answer's body.
func (c *connection) exchange(r *http.Request) (*http.Response, error) {
	e := &exchange{connection: c, ctx: r.Context(), watcher: c.transport.watcher(r)}
	c.answering, c.headLeft = false, maxHead
	e.watcher.Watch(c.interrupt)
	if err := e.send(r); err != nil {
		return nil, e.abort(err)
	}
	response, err := e.receive(r)
	if err != nil {
		return nil, e.abort(err)
	}
	c.headLeft = math.MaxInt64
	switch {
	case response.StatusCode == http.StatusSwitchingProtocols:
		e.watcher.Unwatch()
		response.Body = switched{c}
	case response.Body == http.NoBody:
		e.keepAlive = !response.Close
		e.end()
	default:
		e.keepAlive = !response.Close
		e.body = response.Body
		response.Body = e
	}
	return response, nil
}

// switched is a connection that has left HTTP, as the body of the answer with
// status 101.
type switched struct{ *connection }

// Read implements io.Reader. It begins with the bytes that followed the answer.
func (s switched) Read(p []byte) (int, error) { return s.reader.Read(p) }

// Write implements io.Writer.
func (s switched) Write(p []byte) (int, error) { return s.socket.Write(p) }

// Close implements io.Closer.
func (s switched) Close() error { return s.socket.Close() }
