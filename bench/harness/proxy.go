package harness

import (
	"context"
	"net"
	"net/http"
	"net/http/httputil"
)

// Hello is the body of every answer of a benchmark's function.
const Hello = "hello"

// ServeHello serves Hello on a unix socket until it fails. It is the function of a
// baseline.
func ServeHello(socket string) error {
	return Serve("unix", socket, http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		_, _ = w.Write([]byte(Hello))
	}))
}

// Serve serves a handler at an address until it fails.
func Serve(network, address string, handler http.Handler) error {
	listener, err := net.Listen(network, address)
	if err != nil {
		return err
	}
	return http.Serve(listener, handler)
}

// BareProxy returns httputil.ReverseProxy in front of a unix socket, the baseline of
// the gateway. It keeps idle connections open. Buffers may be nil.
func BareProxy(socket string, idleConnections int, buffers httputil.BufferPool) http.Handler {
	return &httputil.ReverseProxy{
		Transport: &http.Transport{
			DialContext: func(ctx context.Context, _, _ string) (net.Conn, error) {
				var dialer net.Dialer
				return dialer.DialContext(ctx, "unix", socket)
			},
			DisableCompression: true, MaxIdleConnsPerHost: idleConnections,
		},
		Rewrite: func(p *httputil.ProxyRequest) {
			p.Out.URL.Scheme, p.Out.URL.Host = "http", "instance"
			p.SetXForwarded()
		},
		BufferPool: buffers,
	}
}
