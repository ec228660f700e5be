package upstream

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"math"
	"net"
	"net/http"
	"net/http/httptrace"
	"net/textproto"
	"os"
	"syscall"
	"time"
)

const (
	// bufferSize is that of each direction, in bytes.
	bufferSize = 4 << 10
	// maxHead bounds the head of an answer, in bytes: the same as that of a
	// request.
	maxHead = 1 << 20
	// maxHints is how many informational answers may come before the real one.
	maxHints = 5
)

var (
	errHeadTooLong  = errors.New("the head of the answer is too long")
	errTooManyHints = errors.New("too many informational answers")
)

// A connection is one to an instance. One call at a time has it.
type connection struct {
	transport *Transport
	address   string
	socket    *net.UnixConn
	reader    *bufio.Reader
	writer    *bufio.Writer
	// headLeft is how much of an answer's head may still come, in bytes.
	headLeft int64
	// answering tells that some of the answer to this call has come.
	answering bool
	idleSince time.Time
}

func newConnection(t *Transport, address string, socket *net.UnixConn) *connection {
	c := &connection{transport: t, address: address, socket: socket}
	c.reader = bufio.NewReaderSize(c, bufferSize)
	c.writer = bufio.NewWriterSize(socket, bufferSize)
	return c
}

// Read implements io.Reader, within the bounds of a head.
func (c *connection) Read(p []byte) (int, error) {
	if c.headLeft <= 0 {
		return 0, errHeadTooLong
	}
	n, err := c.socket.Read(p[:min(int64(len(p)), c.headLeft)])
	c.headLeft -= int64(n)
	c.answering = c.answering || n > 0
	return n, err
}

// close ends the connection, and whatever is being read or written there.
func (c *connection) close() {
	_ = c.socket.Close() // Nothing is lost with a connection that nobody uses.
}

// alive tells whether the other side has neither closed the connection nor said
// anything that nobody asked for.
func (c *connection) alive() bool {
	raw, err := c.socket.SyscallConn()
	if err != nil {
		return false
	}
	var peeked error
	err = raw.Read(func(fd uintptr) bool {
		var one [1]byte
		_, _, peeked = syscall.Recvfrom(int(fd), one[:], syscall.MSG_PEEK|syscall.MSG_DONTWAIT)
		return true
	})
	return err == nil && errors.Is(peeked, syscall.EAGAIN)
}

// brokenOff tells whether an error means that the other side has closed the
// connection.
func brokenOff(err error) bool {
	return errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) ||
		errors.Is(err, syscall.EPIPE) || errors.Is(err, syscall.ECONNRESET)
}

func hasBody(r *http.Request) bool { return r.Body != nil && r.Body != http.NoBody }

func closeBody(r *http.Request) {
	if r.Body != nil {
		_ = r.Body.Close() // It has been of no use.
	}
}

// exchange sends a request and returns the answer, with whose body the
// connection goes back to the transport.
func (c *connection) exchange(r *http.Request) (*http.Response, error) {
	e := &exchange{connection: c, ctx: r.Context()}
	c.answering, c.headLeft = false, maxHead
	e.unwatch = context.AfterFunc(e.ctx, func() {
		// The past: whatever is being read or written ends.
		_ = c.socket.SetDeadline(time.Unix(1, 0))
	})
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
		e.unwatch()
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

// An exchange is one request and its answer. It is the body of the answer.
type exchange struct {
	*connection
	ctx     context.Context
	unwatch func() bool
	// sent is nil for a request without a body, and closed when that has been
	// sent, with what went wrong noted: with sending, or with reading the body,
	// which is not this connection's fault.
	sent             chan struct{}
	sendErr, bodyErr error

	body      io.ReadCloser
	keepAlive bool
	ended     bool
}

// send sends the request: its body on the side, because the answer may come
// before all of it is sent.
func (e *exchange) send(r *http.Request) error {
	if !hasBody(r) {
		return e.write(r)
	}
	e.sent = make(chan struct{})
	outgoing := *r
	body := &requestBody{ReadCloser: r.Body}
	outgoing.Body = body
	go func() {
		defer close(e.sent)
		e.sendErr = e.write(&outgoing)
		if e.bodyErr = body.err; body.err != nil {
			// There will be no answer to half a request.
			_ = e.socket.SetDeadline(time.Unix(1, 0))
		}
	}()
	return nil
}

func (e *exchange) write(r *http.Request) error {
	if err := r.Write(e.writer); err != nil {
		return err
	}
	return e.writer.Flush()
}

// requestBody notes why it could not be read.
type requestBody struct {
	io.ReadCloser
	err error
}

func (b *requestBody) Read(p []byte) (int, error) {
	n, err := b.ReadCloser.Read(p)
	if err != nil && err != io.EOF {
		b.err = err
	}
	return n, err
}

// receive reads the head of the answer, and passes on the hints before it.
func (e *exchange) receive(r *http.Request) (*http.Response, error) {
	for range maxHints + 1 {
		response, err := http.ReadResponse(e.reader, r)
		if err != nil {
			return nil, err
		}
		if response.StatusCode >= http.StatusOK || response.StatusCode == http.StatusSwitchingProtocols {
			return response, nil
		}
		if err := hint(e.ctx, response); err != nil {
			return nil, err
		}
	}
	return nil, errTooManyHints
}

// hint hands an informational answer to whoever wants it.
func hint(ctx context.Context, response *http.Response) error {
	trace := httptrace.ContextClientTrace(ctx)
	if trace == nil || trace.Got1xxResponse == nil || response.StatusCode == http.StatusContinue {
		return nil
	}
	return trace.Got1xxResponse(response.StatusCode, textproto.MIMEHeader(response.Header))
}

// abort ends an exchange without an answer, and says why there is none.
func (e *exchange) abort(err error) error {
	e.unwatch()
	e.close()
	if e.sent != nil {
		select {
		case <-e.sent:
			if e.bodyErr != nil {
				err = fmt.Errorf("read the request's body: %w", e.bodyErr)
			}
		default:
			// The body's owner ends what still reads from it.
		}
	}
	if cause := e.ctx.Err(); cause != nil && errors.Is(err, os.ErrDeadlineExceeded) {
		return cause
	}
	return err
}

// Read implements io.Reader: it reads the body of the answer.
func (e *exchange) Read(p []byte) (int, error) {
	n, err := e.body.Read(p)
	switch {
	case errors.Is(err, io.EOF):
		e.end()
	case err != nil && e.ctx.Err() != nil:
		err = e.ctx.Err()
	}
	return n, err
}

// Close implements io.Closer. A connection on which there may be more to come
// is of no use any more.
func (e *exchange) Close() error {
	if !e.ended {
		e.keepAlive = false
		e.end()
	}
	return nil
}

// end gives the connection back, if the next call can have it.
func (e *exchange) end() {
	if e.ended {
		return
	}
	e.ended = true
	inTime := e.unwatch()
	if inTime && e.keepAlive && e.allSent() && e.reader.Buffered() == 0 {
		e.transport.putIdle(e.connection)
		return
	}
	e.close()
}

// allSent tells whether the request has been sent, all of it.
func (e *exchange) allSent() bool {
	if e.sent == nil {
		return true
	}
	select {
	case <-e.sent:
		return e.sendErr == nil
	default:
		return false
	}
}

// switched is a connection that has left HTTP, as the body of the answer that
// said so.
type switched struct{ *connection }

// Read implements io.Reader: it begins with what came right behind the answer.
func (s switched) Read(p []byte) (int, error) { return s.reader.Read(p) }

// Write implements io.Writer.
func (s switched) Write(p []byte) (int, error) { return s.socket.Write(p) }

// Close implements io.Closer.
func (s switched) Close() error { return s.socket.Close() }
