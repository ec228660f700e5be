package gateway

import (
	"bytes"
	"cmp"
	"errors"
	"io"
	"net/http"
	"sync/atomic"
	"time"
)

const (
	// DefaultBodyGrace is the time before the minimum rate of a body applies, and
	// DefaultBodyRate is that rate in bytes per second.
	DefaultBodyGrace = 10 * time.Second
	DefaultBodyRate  = 1024
	// maxBufferedStream is the maximum size in bytes of a body that is buffered for a
	// function that reads it as a stream. Longer bodies and those of unknown length are
	// streamed.
	maxBufferedStream = 64 << 10
	// unreadTimeout is how long a caller may continue to send a body that is not read.
	unreadTimeout = 500 * time.Millisecond
)

// errNoMemory means that a request exceeds a memory budget.
var errNoMemory = errors.New("the gateway has no memory for the request")

// pacedBody is a request body with a minimum rate. Read returns os.ErrDeadlineExceeded if the
// body is too slow.
type pacedBody struct {
	io.ReadCloser
	client *http.ResponseController
	// rate is the minimum rate in bytes per second after grace.
	rate  int
	grace time.Duration
	// began is the time of the first Read, read the number of bytes so far, and ended
	// means that the body was read to its end.
	began time.Time
	read  int64
	ended bool
	// deadline is the read deadline in nanoseconds since 1970; zero for none.
	deadline atomic.Int64
}

// init prepares a zero pacedBody for the body of a request.
func (b *pacedBody) init(w http.ResponseWriter, body io.ReadCloser, rate int, grace time.Duration) {
	b.ReadCloser, b.client = body, http.NewResponseController(w)
	b.rate, b.grace = cmp.Or(rate, DefaultBodyRate), cmp.Or(grace, DefaultBodyGrace)
}

// Read implements io.Reader.
func (b *pacedBody) Read(p []byte) (int, error) {
	now := time.Now()
	if b.began.IsZero() {
		b.began = now
	}
	deadline := b.began.Add(b.grace + time.Duration(b.read)*time.Second/time.Duration(b.rate))
	if pause := now.Add(maxPause); pause.Before(deadline) {
		// A body that is faster than the minimum rate may pause, but not for long.
		deadline = pause
	}
	b.deadline.Store(deadline.UnixNano())
	_ = b.client.SetReadDeadline(deadline)
	n, err := b.ReadCloser.Read(p)
	b.read += int64(n)
	if errors.Is(err, io.EOF) {
		b.ended = true
		b.deadline.Store(0)
		_ = b.client.SetReadDeadline(time.Time{})
	}
	return n, err
}

// timedOut reports whether the deadline of the current Read has passed. It may be called
// concurrently with Read.
func (b *pacedBody) timedOut(now time.Time) bool {
	deadline := b.deadline.Load()
	return deadline != 0 && now.UnixNano() >= deadline
}

// callBody is the body of a call. It records read errors in the call, to distinguish them from
// errors of the function.
type callBody struct {
	*pacedBody
	call *call
}

// Read implements io.Reader.
func (b callBody) Read(p []byte) (int, error) {
	n, err := b.pacedBody.Read(p)
	if err != nil && !errors.Is(err, io.EOF) {
		b.call.bodyError.Store(&err)
	}
	return n, err
}

// limitBody limits the size of the body of a call.
func (g *Gateway) limitBody(w http.ResponseWriter, r *http.Request, c *call) {
	if r.ContentLength != 0 {
		r.Body = http.MaxBytesReader(w, callBody{&c.body, c}, g.config.MaxPayload)
	}
}

// bufferBody reads the whole body before an instance is acquired, so that a slow caller occupies
// no instance. It does not buffer long bodies for functions that read a stream. release releases
// the memory.
func (g *Gateway) bufferBody(r *http.Request, c *call) (release func(), err error) {
	if r.ContentLength == 0 || c.to.streams && (r.ContentLength < 0 || r.ContentLength > maxBufferedStream) {
		return func() {}, nil
	}
	body := &bufferedBody{memory: g.config.Memory, function: c.to.functionID, project: c.to.projectID}
	if _, err := io.Copy(body, r.Body); err != nil {
		body.release()
		return nil, err
	}
	_ = r.Body.Close()
	c.buffered = body.buffer.Bytes()
	r.Body, r.ContentLength, r.TransferEncoding, r.Trailer = io.NopCloser(&body.buffer), int64(body.buffer.Len()), nil, nil
	if r.ContentLength == 0 {
		r.Body, c.buffered = http.NoBody, nil
	}
	return body.release, nil
}

// bufferedBody is a body in memory that is reserved from a budget.
type bufferedBody struct {
	memory            *Memory
	function, project string

	buffer   bytes.Buffer
	reserved int64
}

// Write implements io.Writer.
func (b *bufferedBody) Write(p []byte) (int, error) {
	// Reserve the memory before the buffer doubles its size.
	if need := b.buffer.Len() + len(p); need > b.buffer.Cap() {
		size := max(2*b.buffer.Cap(), need)
		if !b.memory.reserve(b.function, b.project, int64(size)-b.reserved) {
			return 0, errNoMemory
		}
		b.reserved = int64(size)
		b.buffer.Grow(size - b.buffer.Len())
	}
	return b.buffer.Write(p)
}

func (b *bufferedBody) release() {
	b.memory.release(b.function, b.project, b.reserved)
	b.reserved = 0
}

// discardRest limits the time in which net/http reads the rest of an unread body. Otherwise
// net/http would keep the request and its header in memory for as long as the caller sends.
func (b *pacedBody) discardRest(contentLength int64) {
	if contentLength != 0 && !b.ended {
		_ = b.client.SetReadDeadline(time.Now().Add(unreadTimeout))
	}
}

// PaceBodies returns a handler that passes requests to next and enforces a minimum rate of their
// bodies in bytes per second; zero means DefaultBodyRate. It does not wait for the part of a
// body that next has not read.
func PaceBodies(next http.Handler, rate int) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, length := new(pacedBody), r.ContentLength
		body.init(w, r.Body, rate, 0)
		if length != 0 {
			r.Body = body
		}
		next.ServeHTTP(&bodyDiscarder{w, body, length}, r)
		body.discardRest(length)
	})
}

// bodyDiscarder discards the rest of the body before the response header is written, because
// net/http reads the rest of the body then.
type bodyDiscarder struct {
	http.ResponseWriter
	body   *pacedBody
	length int64
}

// WriteHeader implements http.ResponseWriter.
func (d *bodyDiscarder) WriteHeader(status int) {
	if status >= http.StatusOK {
		d.body.discardRest(d.length)
	}
	d.ResponseWriter.WriteHeader(status)
}

// Unwrap is for http.ResponseController.
func (d *bodyDiscarder) Unwrap() http.ResponseWriter { return d.ResponseWriter }
