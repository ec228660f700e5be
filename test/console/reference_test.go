//go:build console

package console_test

import (
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"strings"
	"sync"
)

// fileServer returns a server with the same responses as the console: it passes the first
// request of each URL on, and then answers from memory.
func (w *world) fileServer() *httptest.Server {
	w.t.Helper()
	target, err := url.Parse(w.APIURL)
	if err != nil {
		w.t.Fatal(err)
	}
	pass := &httputil.ReverseProxy{FlushInterval: -1, Rewrite: func(r *httputil.ProxyRequest) { r.SetURL(target) }}
	var mu sync.Mutex
	known := map[string]*httptest.ResponseRecorder{}
	return httptest.NewServer(http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
		if strings.HasSuffix(r.URL.Path, "/events") {
			pass.ServeHTTP(rw, r)
			return
		}
		mu.Lock()
		found := known[r.URL.String()]
		mu.Unlock()
		if found == nil {
			found = httptest.NewRecorder()
			pass.ServeHTTP(found, r)
			mu.Lock()
			known[r.URL.String()] = found
			mu.Unlock()
		}
		for name, values := range found.Header() {
			rw.Header()[name] = values
		}
		rw.WriteHeader(found.Code)
		_, _ = rw.Write(found.Body.Bytes())
	}))
}
