package gateway_test

import (
	"bytes"
	"context"
	"net"
	"net/http"
	"net/http/httputil"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/google/uuid"

	"github.com/jeton-dev/jeton/internal/engine"
	"github.com/jeton-dev/jeton/internal/functions"
	"github.com/jeton-dev/jeton/internal/gateway"
	"github.com/jeton-dev/jeton/internal/gateway/upstream"
	"github.com/jeton-dev/jeton/internal/scale"
	"github.com/jeton-dev/jeton/internal/store"
)

// frugalInstance starts an instance that answers calls without a body, and allocates no memory
// for them. It returns the address of the instance.
func frugalInstance(t testing.TB) engine.Address {
	t.Helper()
	dir, err := os.MkdirTemp("/tmp", "gw") //nolint:usetesting // The path of a socket must be short.
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = os.RemoveAll(dir) })
	path := filepath.Join(dir, "s")
	listener, err := new(net.ListenConfig).Listen(t.Context(), "unix", path)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = listener.Close() })
	go func() {
		for {
			connection, err := listener.Accept()
			if err != nil {
				return
			}
			go answerFrugally(connection)
		}
	}()
	return engine.MustParseAddress("unix:" + path)
}

func answerFrugally(connection net.Conn) {
	defer connection.Close()
	answer := []byte("HTTP/1.1 200 OK\r\nContent-Length: 5\r\nContent-Type: text/plain\r\n\r\nhello")
	request, end := make([]byte, 64<<10), []byte("\r\n\r\n")
	for n := 0; ; {
		more, err := connection.Read(request[n:])
		if n += more; err != nil {
			return
		}
		if bytes.HasSuffix(request[:n], end) {
			n = 0
			if _, err := connection.Write(answer); err != nil {
				return
			}
		}
	}
}

// idleInstance is an Instances whose only instance is always idle.
type idleInstance struct{ *scale.Instance }

func (i idleInstance) TryAcquire(string) *scale.Instance { return i.Instance }
func (i idleInstance) Acquire(context.Context, string) (*scale.Instance, error) {
	return i.Instance, nil
}
func (idleInstance) Release(*scale.Instance) {}
func (idleInstance) Discard(*scale.Instance) {}

// headerOnly is a ResponseWriter that drops the body.
type headerOnly struct{ header http.Header }

func (w headerOnly) Header() http.Header         { return w.header }
func (w headerOnly) Write(p []byte) (int, error) { return len(p), nil }
func (headerOnly) WriteHeader(int)               {}

// frugalHandlers returns a gateway with a private function, and the proxy and transport that the
// gateway uses alone, both in front of the same instance.
func frugalHandlers(t testing.TB) (private, alone http.Handler) {
	t.Helper()
	address := frugalInstance(t)
	table := gateway.NewTable()
	table.Apply(store.Change{Object: functions.Function{
		ID: functionID, NamespaceID: namespaceID, ProjectID: projectID, DomainName: host, Privacy: functions.Private,
		HTTPOption: functions.HTTPEnabled, Timeout: time.Minute, Status: functions.Ready, Revision: &functions.Revision{ID: "r"},
	}})
	table.Apply(store.Change{Object: functions.Token{ID: tokenID(1), FunctionID: functionID, Digest: functions.DigestOf("token")}})
	c := configOf(table)
	c.NewID, c.Instances = uuid.NewString, idleInstance{&scale.Instance{ID: "instance", Address: address}}
	return newGateway(t, c).Handler(), &httputil.ReverseProxy{
		Transport: &upstream.Transport{Address: func(*http.Request) engine.Address { return address }},
		Rewrite: func(p *httputil.ProxyRequest) {
			p.Out.URL.Scheme, p.Out.URL.Host = "http", "instance"
			p.SetXForwarded()
		},
		BufferPool: &gateway.Buffers{},
	}
}

// caller returns a function that makes a call with a token.
func caller(t testing.TB, handler http.Handler) func() {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), http.MethodGet, "http://"+host+"/", http.NoBody)
	if err != nil {
		t.Fatal(err)
	}
	r.RequestURI, r.RemoteAddr = "/", "127.0.0.1:4711"
	r.Header = http.Header{"X-Auth-Token": {"token"}, "User-Agent": {"Go-http-client/1.1"}, "Accept-Encoding": {"gzip"}}
	return func() {
		answer := headerOnly{http.Header{}}
		handler.ServeHTTP(answer, r)
		if answer.header.Get("Content-Length") != "5" {
			t.Fatalf("got no answer of the instance, but headers %v", answer.header)
		}
	}
}

// TestCall_AllocatesLittle bounds the number of allocations that the gateway adds to those of
// httputil.ReverseProxy: for the request with its context, the call, the request ID, the timeout,
// the log's attributes, and the added headers.
func TestCall_AllocatesLittle(t *testing.T) {
	private, alone := frugalHandlers(t)
	const calls = 200
	all, proxys := testing.AllocsPerRun(calls, caller(t, private)), testing.AllocsPerRun(calls, caller(t, alone))
	t.Logf("a call takes %v allocations, of which %v are those of the proxy alone", all, proxys)
	if most := proxys + 25; all > most {
		t.Errorf("a call took %v allocations, want at most %v", all, most)
	}
}

func BenchmarkCall(b *testing.B) {
	private, alone := frugalHandlers(b)
	for _, side := range []struct {
		name    string
		handler http.Handler
	}{{"private", private}, {"proxy alone", alone}} {
		b.Run(side.name, func(b *testing.B) {
			call := caller(b, side.handler)
			b.ReportAllocs()
			for b.Loop() {
				call()
			}
		})
	}
}
