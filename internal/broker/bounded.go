package broker

import (
	"context"
	"fmt"
	"io"
	"net/http"
)

const (
	// maxAnswer is the longest answer of an SQS service that is read, in bytes:
	// four times the 1 MiB that the messages of one answer may have together, for
	// what JSON escapes.
	maxAnswer = 4 << 20
	// shortAnswer is the length up to which answers are read all at once, and
	// longAnswers how many longer ones are read and decoded at a time, by all
	// triggers together.
	shortAnswer = 64 << 10
	longAnswers = 2
	// maxAnswerHeader bounds its header, in bytes.
	maxAnswerHeader = 64 << 10
)

var longAnswer = make(chan struct{}, longAnswers)

// boundedTransport ends answers that are longer than maxAnswer: the SDK reads an
// answer whole.
type boundedTransport struct{ next http.RoundTripper }

// RoundTrip implements http.RoundTripper.
func (t boundedTransport) RoundTrip(r *http.Request) (*http.Response, error) {
	response, err := t.next.RoundTrip(r)
	if err != nil {
		return nil, err
	}
	if response.ContentLength > maxAnswer {
		_ = response.Body.Close()
		return nil, fmt.Errorf("read the answer of %s: %w", r.URL.Host, errLongAnswer)
	}
	response.Body = &boundedBody{ReadCloser: response.Body, ctx: r.Context(), left: maxAnswer}
	return response, nil
}

var errLongAnswer = fmt.Errorf("it is longer than %d bytes", maxAnswer)

// boundedBody fails after left bytes. Unlike io.LimitReader it does not make a
// long body look like a short one.
type boundedBody struct {
	io.ReadCloser
	ctx  context.Context
	left int64
	// long reports that the body has one of the places for long answers.
	long bool
}

// Close implements io.Closer.
func (b *boundedBody) Close() error {
	if b.long {
		b.long = false
		<-longAnswer
	}
	return b.ReadCloser.Close()
}

// Read implements io.Reader.
func (b *boundedBody) Read(p []byte) (int, error) {
	if b.left <= 0 {
		// One more byte tells whether the body ends here.
		var one [1]byte
		if n, err := b.ReadCloser.Read(one[:]); n == 0 {
			return 0, err
		}
		return 0, errLongAnswer
	}
	if !b.long && b.left <= maxAnswer-shortAnswer {
		select {
		case longAnswer <- struct{}{}:
			b.long = true
		case <-b.ctx.Done():
			return 0, b.ctx.Err()
		}
	}
	n, err := b.ReadCloser.Read(p[:min(int64(len(p)), b.left)])
	b.left -= int64(n)
	return n, err
}
