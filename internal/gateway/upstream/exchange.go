package upstream

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptrace"
	"net/textproto"
	"os"
)

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
