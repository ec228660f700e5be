package s3

import (
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"time"
)

const (
	// stall is how long a connection may make no progress.
	stall = time.Minute
	// maxAnswer bounds answers other than objects, in bytes. A page of a list has at most
	// 1000 keys of 1 KiB.
	maxAnswer = 8 << 20
)

// newTransport returns a transport that bounds what a hostile service can send.
func newTransport() http.RoundTripper {
	dialer := &net.Dialer{Timeout: 10 * time.Second, KeepAlive: 15 * time.Second}
	return boundedTransport{&http.Transport{
		Proxy: http.ProxyFromEnvironment,
		DialContext: func(ctx context.Context, network, address string) (net.Conn, error) {
			conn, err := dialer.DialContext(ctx, network, address)
			if err != nil {
				return nil, err
			}
			return progressConn{conn}, nil
		},
		MaxIdleConnsPerHost: 16, IdleConnTimeout: stall / 2,
		TLSHandshakeTimeout: 10 * time.Second, ResponseHeaderTimeout: stall,
		MaxResponseHeaderBytes: 64 << 10,
		// Otherwise a small answer could expand without bound.
		DisableCompression: true,
	}}
}

// progressConn ends when neither reads nor writes make progress for stall.
type progressConn struct{ net.Conn }

func (c progressConn) Read(p []byte) (int, error) {
	if err := c.SetDeadline(time.Now().Add(stall)); err != nil {
		return 0, err
	}
	return c.Conn.Read(p)
}

func (c progressConn) Write(p []byte) (int, error) {
	if err := c.SetDeadline(time.Now().Add(stall)); err != nil {
		return 0, err
	}
	return c.Conn.Write(p)
}

// boundedTransport limits the bodies of responses to maxAnswer bytes, or to the limit in
// the context of the request if the response is an object.
type boundedTransport struct{ http.RoundTripper }

type limitKey struct{}

// withBodyLimit returns a context for requests of an object of at most limit bytes.
func withBodyLimit(ctx context.Context, limit int64) context.Context {
	return context.WithValue(ctx, limitKey{}, limit)
}

// RoundTrip implements http.RoundTripper.
func (t boundedTransport) RoundTrip(r *http.Request) (*http.Response, error) {
	response, err := t.RoundTripper.RoundTrip(r)
	if err != nil {
		return nil, err
	}
	limit := int64(maxAnswer)
	if own, ok := r.Context().Value(limitKey{}).(int64); ok && response.StatusCode < 300 {
		limit = own
	}
	response.Body = &boundedBody{ReadCloser: response.Body, left: limit}
	return response, nil
}

type boundedBody struct {
	io.ReadCloser

	left int64
}

// Read implements io.Reader.
func (b *boundedBody) Read(p []byte) (int, error) {
	if b.left < 0 {
		return 0, errTooLong
	}
	// One byte more than what is left shows that the body is too long.
	if int64(len(p)) > b.left+1 {
		p = p[:b.left+1]
	}
	n, err := b.ReadCloser.Read(p)
	if b.left -= int64(n); b.left < 0 {
		return n - 1, errTooLong
	}
	return n, err
}

var errTooLong = fmt.Errorf("%w: the answer is longer than announced", errDamaged)
