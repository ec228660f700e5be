package broker

import (
	"fmt"
	"io"
	"net/http"
)

const (
	// maxAnswer is the longest answer of an SQS service that is read, in bytes.
	// Ten messages of the largest size that any service allows, 1 MiB together,
	// take six times of that where each byte is escaped in JSON.
	maxAnswer = 8 << 20
	// maxAnswerHeader bounds its header, in bytes.
	maxAnswerHeader = 64 << 10
)

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
	response.Body = &boundedBody{ReadCloser: response.Body, left: maxAnswer}
	return response, nil
}

var errLongAnswer = fmt.Errorf("it is longer than %d bytes", maxAnswer)

// boundedBody fails after left bytes. Unlike io.LimitReader it does not make a
// long body look like a short one.
type boundedBody struct {
	io.ReadCloser
	left int64
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
	n, err := b.ReadCloser.Read(p[:min(int64(len(p)), b.left)])
	b.left -= int64(n)
	return n, err
}
