package s3_test

import (
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"strings"
	"sync"
	"testing"

	"github.com/jeton-dev/jeton/internal/blob/s3"
	"github.com/jeton-dev/jeton/test/s3server"
)

// A proxy is between the store and the S3 server. Its functions may be nil.
type proxy struct {
	// refuse answers a request itself and returns true, or returns false.
	refuse func(http.ResponseWriter, *http.Request) bool
	// change changes an answer.
	change func(*http.Response) error

	mu       sync.Mutex
	requests map[string]int
}

// through makes a configuration use the proxy.
func (p *proxy) through(t *testing.T, c s3.Config) s3.Config {
	t.Helper()
	p.requests = map[string]int{}
	target, err := url.Parse(s3server.Shared(t).Endpoint)
	if err != nil {
		t.Fatal(err)
	}
	reverse := &httputil.ReverseProxy{
		Rewrite: func(r *httputil.ProxyRequest) {
			r.SetURL(target)
			r.Out.Host = r.In.Host // It is signed.
		},
		ModifyResponse: func(r *http.Response) error {
			if p.change == nil {
				return nil
			}
			return p.change(r)
		},
	}
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		p.mu.Lock()
		p.requests[r.Method+" "+kind(r)]++
		p.mu.Unlock()
		if p.refuse == nil || !p.refuse(w, r) {
			reverse.ServeHTTP(w, r)
		}
	}))
	t.Cleanup(server.Close)
	c.Location.Endpoint = server.URL
	return c
}

// kind returns the first folder of an object's key, or "list".
func kind(r *http.Request) string {
	_, key, found := strings.Cut(r.URL.Path, "/some/prefix/")
	if !found {
		return "list"
	}
	folder, _, _ := strings.Cut(key, "/")
	return folder
}

// count returns how many requests of a method and kind, such as "GET artifacts", have
// arrived.
func (p *proxy) count(request string) int {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.requests[request]
}
