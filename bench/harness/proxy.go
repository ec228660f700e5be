package harness

import (
	"context"
	"net"
	"net/http"
	"net/http/httputil"
	"path/filepath"
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

// BareProxy returns httputil.ReverseProxy in front of an instance, the baseline of the
// gateway. The instance is the path of a unix socket, or a TCP address. The proxy keeps
// idle connections open. Buffers may be nil.
func BareProxy(instance string, idleConnections int, buffers httputil.BufferPool) *httputil.ReverseProxy {
	return &httputil.ReverseProxy{
		Transport: &http.Transport{
			DialContext: func(ctx context.Context, _, _ string) (net.Conn, error) {
				network := "tcp"
				if filepath.IsAbs(instance) {
					network = "unix"
				}
				return new(net.Dialer).DialContext(ctx, network, instance)
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
