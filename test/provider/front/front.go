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
	"testing"
)

// Request is one request that came by.
type Request struct {
	Method string
	Path   string
	Header http.Header
	Body   string
}

// Front is a proxy that remembers.
type Front struct {
	// URL is where the front listens.
	URL string

	upstream *httputil.ReverseProxy
	mu       sync.Mutex
	requests []Request
	rules    []*rule
}

// rule gives another answer to some requests, a number of times.
type rule struct {
	method string
	path   *regexp.Regexp
	left   int
	answer func(http.ResponseWriter, *http.Request, http.Handler)
}

// Start puts a front before the server at upstream until the test ends.
func Start(t testing.TB, upstream string) *Front {
	t.Helper()
	target, err := url.Parse(upstream)
	if err != nil {
		t.Fatalf("parse the address of the server: %v", err)
	}
	f := &Front{upstream: &httputil.ReverseProxy{Rewrite: func(r *httputil.ProxyRequest) {
		r.SetURL(target)
		// The server tells clients to come back under the name that they used.
		r.Out.Host = r.In.Host
	}}}
	server := httptest.NewServer(f)
	t.Cleanup(server.Close)
	f.URL = server.URL
	return f
}

// ServeHTTP implements http.Handler.
func (f *Front) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(r.Body)
	if err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	}
	r.Body = io.NopCloser(bytes.NewReader(body))
	applied := f.remember(Request{Method: r.Method, Path: r.URL.Path, Header: r.Header.Clone(), Body: string(body)})
	if applied != nil {
		applied.answer(w, r, f.upstream)
		return
	}
	f.upstream.ServeHTTP(w, r)
}

// remember keeps the request and returns the first rule that is for it.
func (f *Front) remember(r Request) *rule {
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

// Answer gives status and body to the next times requests of the method whose
// path matches the expression. The server does not see them.
func (f *Front) Answer(times int, method, path string, status int, body string) {
	f.add(times, method, path, func(w http.ResponseWriter, _ *http.Request, _ http.Handler) {
		w.Header().Set("Content-Type", "application/json")
		w.WriteHeader(status)
		_, _ = io.WriteString(w, body)
	})
}

// Rewrite replaces, in the server's answers to the next times requests of the
// method whose path matches the expression, old by another text.
func (f *Front) Rewrite(times int, method, path, old, replacement string) {
	f.add(times, method, path, func(w http.ResponseWriter, r *http.Request, upstream http.Handler) {
		recorded := httptest.NewRecorder()
		upstream.ServeHTTP(recorded, r)
		pass(w, recorded, strings.ReplaceAll(recorded.Body.String(), old, replacement))
	})
}

// Drop ends the connection in place of the server's answer, to the next times
// requests of the method whose path matches the expression. The server has acted.
func (f *Front) Drop(times int, method, path string) {
	f.add(times, method, path, func(_ http.ResponseWriter, r *http.Request, upstream http.Handler) {
		upstream.ServeHTTP(httptest.NewRecorder(), r)
		panic(http.ErrAbortHandler)
	})
}

// Hold keeps back the server's answer to the next request of the method whose path
// matches the expression, until release is called or the client goes away. The
// server has acted once reached is closed.
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

// pass gives a recorded answer with a body.
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

// Requests returns the requests of the method, or of all if it is "", whose path
// matches the expression, in the order in which they came.
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

// Forget forgets the requests that came so far, and the rules that are not used
// up.
func (f *Front) Forget() {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.requests, f.rules = nil, nil
}
