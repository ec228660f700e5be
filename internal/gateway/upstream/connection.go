package upstream

import (
	"bufio"
	"context"
	"crypto/tls"
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

// An exchange is one request and its answer. It is the body of the answer.
type exchange struct {
	*connection
	ctx     context.Context
	watcher Watcher
	// sent is closed when the request was sent, or failed to be; nil for a request
	// without a body. Then sendErr is the error of the connection, and bodyErr that
	// of reading the request's body.
	sent             chan struct{}
	sendErr, bodyErr error
	// proceed has an element when a body that waits for an informational answer may be
	// sent: true, or false if it must not be sent any more. It is nil for other requests.
	proceed chan bool

	body      io.ReadCloser
	keepAlive bool
	ended     bool
}

// send sends the request. It sends a body in the background, because the answer
// may come before the whole body was sent.
func (e *exchange) send(r *http.Request) error {
	if !hasBody(r) {
		return e.write(r)
	}
	e.sent = make(chan struct{})
	outgoing := *r
	body := &requestBody{ReadCloser: r.Body}
	outgoing.Body = body
	write := e.write
	if r.Header.Get("Expect") == "100-continue" {
		e.proceed = make(chan bool, 2)
		if r.ContentLength < 0 {
			// Otherwise net/http reads the first byte to find out whether there is a body.
			outgoing.TransferEncoding = []string{"chunked"}
		}
		outgoing.Body = &waitingBody{requestBody: body, writer: e.writer, proceed: e.proceed}
		write = e.writeUnbuffered
	}
	go func() {
		defer close(e.sent)
		e.sendErr = write(&outgoing)
		if e.bodyErr = body.err; body.err != nil {
			// An incomplete request has no answer.
			e.interrupt()
		}
	}()
	return nil
}

func (e *exchange) write(r *http.Request) error {
	if err := r.Write(e.writer); err != nil {
		return err
	}
	e.last.enabled = e.sent == nil
	defer func() { e.last.enabled = false }()
	return e.writer.Flush()
}

// writeUnbuffered writes a request whose body flushes the writer.
func (e *exchange) writeUnbuffered(r *http.Request) error {
	if err := r.Write(flusher{e.writer}); err != nil {
		return err
	}
	return e.writer.Flush()
}

// A flusher is a bufio.Writer without ReadFrom, which must not be flushed by the reader.
type flusher struct{ writer *bufio.Writer }

func (f flusher) Write(p []byte) (int, error) { return f.writer.Write(p) }
func (f flusher) WriteByte(b byte) error      { return f.writer.WriteByte(b) }

// errNotSent means that the body was not sent, because the answer came first.
var errNotSent = errors.New("the answer came before the body was sent")

// A waitingBody is a body of which nothing is sent before an informational answer.
type waitingBody struct {
	*requestBody
	writer  *bufio.Writer
	proceed <-chan bool
	// decided means that proceed was read.
	decided bool
}

// Read implements io.Reader. What was written so far is sent first.
func (b *waitingBody) Read(p []byte) (int, error) {
	if err := b.writer.Flush(); err != nil {
		return 0, err
	}
	if !b.decided {
		if !<-b.proceed {
			return 0, errNotSent
		}
		b.decided = true
	}
	return b.requestBody.Read(p)
}

// A requestBody records the error with which it could not be read.
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

// receive reads the head of the answer, and passes on informational answers.
func (e *exchange) receive(r *http.Request) (*http.Response, error) {
	for range maxHints + 1 {
		response, err := http.ReadResponse(e.reader, r)
		if err != nil {
			return nil, err
		}
		if response.StatusCode >= http.StatusOK || response.StatusCode == http.StatusSwitchingProtocols {
			e.mayProceed(false)
			return response, nil
		}
		if response.StatusCode == http.StatusContinue {
			e.mayProceed(true)
			continue
		}
		if interim := e.transport.Interim; interim != nil && interim(r, response.StatusCode, response.Header) {
			e.mayProceed(true)
			continue
		}
		if err := hint(e.ctx, response); err != nil {
			return nil, err
		}
	}
	return nil, errTooManyHints
}

// mayProceed decides whether a body that waits is sent. The first decision counts.
func (e *exchange) mayProceed(proceed bool) {
	if e.proceed != nil {
		select {
		case e.proceed <- proceed:
		default:
		}
	}
}

// hint passes an informational answer to the trace of the request, if any.
func hint(ctx context.Context, response *http.Response) error {
	trace := httptrace.ContextClientTrace(ctx)
	if trace == nil || trace.Got1xxResponse == nil {
		return nil
	}
	return trace.Got1xxResponse(response.StatusCode, textproto.MIMEHeader(response.Header))
}

// abort ends an exchange without an answer, and returns the reason.
func (e *exchange) abort(err error) error {
	e.mayProceed(false)
	e.watcher.Unwatch()
	e.close()
	if e.sent != nil {
		select {
		case <-e.sent:
			if e.bodyErr != nil {
				err = fmt.Errorf("read the request's body: %w", e.bodyErr)
			}
		default:
			// The owner of the body ends the goroutine that reads it.
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

// Close implements io.Closer. It closes the connection if the answer was not read
// to its end.
func (e *exchange) Close() error {
	if !e.ended {
		e.keepAlive = false
		e.end()
	}
	return nil
}

// end returns the connection to the transport, or closes it if the next call
// cannot use it.
func (e *exchange) end() {
	if e.ended {
		return
	}
	e.ended = true
	inTime := e.watcher.Unwatch()
	if inTime && e.keepAlive && e.allSent() && e.reader.Buffered() == 0 {
		e.transport.putIdle(e.connection)
		return
	}
	e.close()
}

// allSent reports whether the whole request was sent.
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

// switched is a connection that has left HTTP, as the body of the answer with
// status 101.
type switched struct{ *connection }

// Read implements io.Reader. It begins with the bytes that followed the answer.
func (s switched) Read(p []byte) (int, error) { return s.reader.Read(p) }

// Write implements io.Writer.
func (s switched) Write(p []byte) (int, error) { return s.socket.Write(p) }

// Close implements io.Closer.
func (s switched) Close() error { return s.socket.Close() }
