package gateway

import (
	"bytes"
	"cmp"
	"errors"
	"io"
	"net/http"
	"time"
)

const (
	// DefaultBodyGrace is how long a body may take whatever its rate, and
	// DefaultBodyRate the least rate after that, in bytes per second.
	DefaultBodyGrace = 10 * time.Second
	DefaultBodyRate  = 1024
	// readAhead is how much of the body of a function that reads it as a stream is
	// read before an instance is taken, in bytes. A longer body, and one of unknown
	// length, is passed on as it comes.
	readAhead = 64 << 10
	// unreadTimeout is how long a caller may go on sending a body that nobody
	// reads.
	unreadTimeout = 500 * time.Millisecond
)

// errNoMemory refuses a body for which the gateway has no memory.
var errNoMemory = errors.New("the gateway has no memory for the request's body")

// pacedBody is a request's body that fails when it comes too slowly.
type pacedBody struct {
	io.ReadCloser
	caller *http.ResponseController
	// rate is the least rate in bytes per second; began and read say how the body
	// came so far, and ended that it was read to its end.
	rate  int
	grace time.Duration
	began time.Time
	read  int64
	ended bool
}

func newPacedBody(w http.ResponseWriter, body io.ReadCloser, rate int, grace time.Duration) *pacedBody {
	return &pacedBody{
		ReadCloser: body, caller: http.NewResponseController(w),
		rate: cmp.Or(rate, DefaultBodyRate), grace: cmp.Or(grace, DefaultBodyGrace),
	}
}

// Read implements io.Reader.
func (b *pacedBody) Read(p []byte) (int, error) {
	now := time.Now()
	if b.began.IsZero() {
		b.began = now
	}
	due := b.began.Add(b.grace + time.Duration(b.read)*time.Second/time.Duration(b.rate))
	if pause := now.Add(stalled); pause.Before(due) {
		// A body that is ahead of its time may pause, but not for long.
		due = pause
	}
	_ = b.caller.SetReadDeadline(due)
	n, err := b.ReadCloser.Read(p)
	b.read += int64(n)
	if errors.Is(err, io.EOF) {
		b.ended = true
		_ = b.caller.SetReadDeadline(time.Time{})
	}
	return n, err
}

// callBody is the body of a call. It notes what goes wrong with it, which is the
// caller's fault and not the function's.
type callBody struct {
	*pacedBody
	call *call
}

// Read implements io.Reader.
func (b callBody) Read(p []byte) (int, error) {
	n, err := b.pacedBody.Read(p)
	if err != nil && !errors.Is(err, io.EOF) {
		b.call.badBody.Store(&err)
	}
	return n, err
}

// bound bounds the body of a call, which is of the length that its header says
// or of an unknown one.
func (g *Gateway) bound(w http.ResponseWriter, r *http.Request, c *call) {
	if r.ContentLength != 0 {
		r.Body = http.MaxBytesReader(w, callBody{c.body, c}, g.maxPayload())
	}
}

// readFirst reads the body before an instance is taken: of a function that needs
// the whole of it anyway, or if it is short. A slow caller then occupies no
// instance. It returns what gives the memory back.
func (g *Gateway) readFirst(r *http.Request, c *call) (release func(), err error) {
	if r.ContentLength == 0 || c.to.streams && (r.ContentLength < 0 || r.ContentLength > readAhead) {
		return func() {}, nil
	}
	body := &storedBody{memory: g.Memory, function: c.to.functionID, project: c.to.projectID}
	if _, err := io.Copy(body, r.Body); err != nil {
		body.release()
		return nil, err
	}
	_ = r.Body.Close() // It was read to its end.
	r.Body, r.ContentLength, r.TransferEncoding, r.Trailer = io.NopCloser(&body.buffer), int64(body.buffer.Len()), nil, nil
	if r.ContentLength == 0 {
		r.Body = http.NoBody
	}
	return body.release, nil
}

// storedBody keeps a body, and charges the budget for the memory that it takes.
type storedBody struct {
	memory *Memory

	function, project string

	buffer  bytes.Buffer
	charged int64
}

// Write implements io.Writer.
func (b *storedBody) Write(p []byte) (int, error) {
	// The buffer doubles where it is too small: that is charged before it does.
	if need := b.buffer.Len() + len(p); need > b.buffer.Cap() {
		size := max(2*b.buffer.Cap(), need)
		if !b.memory.take(b.function, b.project, int64(size)-b.charged) {
			return 0, errNoMemory
		}
		b.charged = int64(size)
		b.buffer.Grow(size - b.buffer.Len())
	}
	return b.buffer.Write(p)
}

func (b *storedBody) release() {
	b.memory.give(b.function, b.project, b.charged)
	b.charged = 0
}

// dropBody ends the wait for what is left of a body that nobody will read.
// net/http would read on for as long as the caller sends, and keep the request
// with its header meanwhile.
func (b *pacedBody) drop(contentLength int64) {
	if contentLength != 0 && !b.ended {
		_ = b.caller.SetReadDeadline(time.Now().Add(unreadTimeout))
	}
}

// PaceBodies returns a handler whose requests' bodies must come at a rate of at
// least so many bytes per second, or DefaultBodyRate if that is zero. What the
// next handler does not read of one is not waited for.
func PaceBodies(next http.Handler, rate int) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, length := newPacedBody(w, r.Body, rate, 0), r.ContentLength
		if length != 0 {
			r.Body = body
		}
		next.ServeHTTP(&bodyDropper{w, body, length}, r)
		body.drop(length)
	})
}

// bodyDropper drops the body before the answer begins: net/http waits for it
// then.
type bodyDropper struct {
	http.ResponseWriter
	body   *pacedBody
	length int64
}

// WriteHeader implements http.ResponseWriter.
func (d *bodyDropper) WriteHeader(status int) {
	if status >= http.StatusOK {
		d.body.drop(d.length)
	}
	d.ResponseWriter.WriteHeader(status)
}

// Unwrap lets http.ResponseController reach the real writer.
func (d *bodyDropper) Unwrap() http.ResponseWriter { return d.ResponseWriter }
