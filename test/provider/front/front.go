package front

import (
	"bytes"
	"io"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"regexp"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
)

// Request is a recorded request.
type Request struct {
	Method string
	Path   string
	Header http.Header
	Body   string
}

// Front is a recording proxy. It may be used by several goroutines at once.
type Front struct {
	// URL is the proxy's address.
	URL string

	upstream *httputil.ReverseProxy
	target   atomic.Pointer[url.URL]
	mu       sync.Mutex
	requests []Request
	rules    []*rule
}

// rule replaces the answer to matching requests, left more times.
type rule struct {
	method string
	path   *regexp.Regexp
	left   int
	answer func(http.ResponseWriter, *http.Request, http.Handler)
}

// Start starts a proxy for the server at upstream. It stops when the test ends.
func Start(t testing.TB, upstream string) *Front {
	t.Helper()
	f := new(Front)
	f.Redirect(t, upstream)
	f.upstream = &httputil.ReverseProxy{Rewrite: func(r *httputil.ProxyRequest) {
		r.SetURL(f.target.Load())
		// The server's URLs contain the host of the request.
		r.Out.Host = r.In.Host
	}}
	server := httptest.NewServer(f)
	t.Cleanup(server.Close)
	f.URL = server.URL
	return f
}

// Redirect makes the proxy forward further requests to another server.
func (f *Front) Redirect(t testing.TB, upstream string) {
	t.Helper()
	target, err := url.Parse(upstream)
	if err != nil {
		t.Fatalf("parse the address of the server: %v", err)
	}
	f.target.Store(target)
}

// ServeHTTP implements http.Handler.
func (f *Front) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(r.Body)
	if err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	}
	r.Body = io.NopCloser(bytes.NewReader(body))
	applied := f.record(Request{Method: r.Method, Path: r.URL.Path, Header: r.Header.Clone(), Body: string(body)})
	if applied != nil {
		applied.answer(w, r, f.upstream)
		return
	}
	f.upstream.ServeHTTP(w, r)
}

// record records the request and returns the first rule that matches it, or nil.
func (f *Front) record(r Request) *rule {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.requests = append(f.requests, r)
	for _, candidate := range f.rules {
		if candidate.left > 0 && candidate.method == r.Method && candidate.path.MatchString(r.Path) {
			candidate.left--
			return candidate
		}
	}
	return nil
}

// Answer answers the next times requests of the method whose path matches the
// expression, without forwarding them.
func (f *Front) Answer(times int, method, path string, status int, body string) {
	f.add(times, method, path, func(w http.ResponseWriter, _ *http.Request, _ http.Handler) {
		w.Header().Set("Content-Type", "application/json")
		w.WriteHeader(status)
		_, _ = io.WriteString(w, body)
	})
}

// Rewrite replaces old by another text in the server's answers to the next times
// requests of the method whose path matches the expression.
func (f *Front) Rewrite(times int, method, path, old, replacement string) {
	f.add(times, method, path, func(w http.ResponseWriter, r *http.Request, upstream http.Handler) {
		recorded := httptest.NewRecorder()
		upstream.ServeHTTP(recorded, r)
		pass(w, recorded, strings.ReplaceAll(recorded.Body.String(), old, replacement))
	})
}

// Drop forwards the next times requests of the method whose path matches the
// expression, and closes the connection instead of sending the server's answer.
func (f *Front) Drop(times int, method, path string) {
	f.add(times, method, path, func(_ http.ResponseWriter, r *http.Request, upstream http.Handler) {
		upstream.ServeHTTP(httptest.NewRecorder(), r)
		panic(http.ErrAbortHandler)
	})
}

// Hold delays the server's answer to the next request of the method whose path matches
// the expression, until release is called or the client disconnects. Reached is closed
// once the server has answered.
func (f *Front) Hold(method, path string) (reached <-chan struct{}, release func()) {
	acted, released := make(chan struct{}), make(chan struct{})
	f.add(1, method, path, func(w http.ResponseWriter, r *http.Request, upstream http.Handler) {
		recorded := httptest.NewRecorder()
		upstream.ServeHTTP(recorded, r)
		close(acted)
		select {
		case <-released:
			pass(w, recorded, recorded.Body.String())
		case <-r.Context().Done():
		}
	})
	return acted, sync.OnceFunc(func() { close(released) })
}

// pass sends a recorded answer with another body.
func pass(w http.ResponseWriter, recorded *httptest.ResponseRecorder, body string) {
	w.Header().Set("Content-Type", recorded.Header().Get("Content-Type"))
	w.WriteHeader(recorded.Code)
	_, _ = io.WriteString(w, body)
}

func (f *Front) add(times int, method, path string, answer func(http.ResponseWriter, *http.Request, http.Handler)) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.rules = append(f.rules, &rule{method: method, path: regexp.MustCompile(path), left: times, answer: answer})
}

// Requests returns the recorded requests of the method whose path matches the
// expression, in order. The method "" matches all.
func (f *Front) Requests(method, path string) []Request {
	expression := regexp.MustCompile(path)
	f.mu.Lock()
	defer f.mu.Unlock()
	var found []Request
	for _, r := range f.requests {
		if (method == "" || r.Method == method) && expression.MatchString(r.Path) {
			found = append(found, r)
		}
	}
	return found
}

// Forget deletes the recorded requests and all rules.
func (f *Front) Forget() {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.requests, f.rules = nil, nil
}
