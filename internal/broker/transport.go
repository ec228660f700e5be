package broker

import (
	"context"
	"fmt"
	"io"
	"net/http"
)

const (
	// maxAnswer is the maximum size of a response of an SQS service in bytes: four
	// times the 1 MiB that all messages of a response may have, because JSON escapes
	// make them longer.
	maxAnswer = 4 << 20
	// shortAnswer is the size in bytes up to which responses are read without limit
	// of their number. Of longer ones all triggers together read longAnswers
	// concurrently.
	shortAnswer = 64 << 10
	longAnswers = 2
	// maxAnswerHeader is the maximum size of the header of a response in bytes.
	maxAnswerHeader = 64 << 10
)

// longAnswer has a slot for each long response that is being read.
var longAnswer = make(chan struct{}, longAnswers)

// boundedTransport fails responses that are longer than maxAnswer, because the SDK
// reads whole responses into memory.
type boundedTransport struct{ next http.RoundTripper }

// RoundTrip implements http.RoundTripper.
func (t boundedTransport) RoundTrip(r *http.Request) (*http.Response, error) {
	response, err := t.next.RoundTrip(r)
	if err != nil {
		return nil, err
	}
	if response.ContentLength > maxAnswer {
		_ = response.Body.Close()
		return nil, fmt.Errorf("read response of %s: %w", r.URL.Host, errLongAnswer)
	}
	response.Body = &boundedBody{ReadCloser: response.Body, ctx: r.Context(), left: maxAnswer}
	return response, nil
}

var errLongAnswer = fmt.Errorf("longer than %d bytes", maxAnswer)

// boundedBody fails after left bytes. Unlike io.LimitReader, it does not truncate the
// body silently.
type boundedBody struct {
	io.ReadCloser
	ctx  context.Context
	left int64
	// long reports whether the body has a slot for long responses.
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
		// Another byte means that the body is too long.
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
