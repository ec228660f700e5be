package gateway_test

import (
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/jeton-dev/jeton/internal/functions"
	"github.com/jeton-dev/jeton/internal/gateway"
)

func TestHandler_RoutesByHostname(t *testing.T) {
	t.Parallel()
	w := newWorld(t, echo)
	w.function(func(f *functions.Function) { f.Privacy = functions.Public })
	for name, want := range map[string]int{
		host: 200, host + ":8081": 200, host + ".": 200, host + ".:80": 200, strings.ToUpper(host): 200,
		"other." + host: 404, "localhost": 404, "": 404, ":80": 404, "[::1]:80": 404, host + "/x": 404, "a\x00b": 404,
	} {
		r := httptest.NewRequest(http.MethodGet, "/", nil)
		r.Host = name
		got := w.send(r)
		if got.Code != want {
			t.Errorf("%q: got status %d, want %d", name, got.Code, want)
		}
		if want == 404 && (got.Header().Get("Content-Type") != "application/json" || !strings.HasPrefix(got.Body.String(), `{"message":`)) {
			t.Errorf("%q: got %v %s, want a JSON message", name, got.Header(), got.Body)
		}
	}
}

func TestHandler_AnswersWithoutInstance(t *testing.T) {
	t.Parallel()
	w := newWorld(t, echo)
	w.function(func(f *functions.Function) { f.Privacy = functions.Public })
	for name, test := range map[string]struct {
		request func(*http.Request)
		status  int
		want    string
	}{
		"HTTP/1.0":              {func(r *http.Request) { r.ProtoMajor, r.ProtoMinor = 1, 0 }, 426, "HTTP/1.1"},
		"favicon":               {func(r *http.Request) { r.URL.Path = "/favicon.ico" }, 404, "not found"},
		"robots":                {func(r *http.Request) { r.URL.Path = "/robots.txt" }, 404, "not found"},
		"body too long":         {func(r *http.Request) { r.ContentLength = 6<<20 + 1 }, 413, "max payload size = 6291456 bytes"},
		"chunked body too long": {func(r *http.Request) { body(r, 6<<20+1) }, 413, "max payload size = 6291456 bytes"},
	} {
		r := httptest.NewRequest(http.MethodPost, "http://"+host+"/", nil)
		test.request(r)
		got := w.send(r)
		if got.Code != test.status || !strings.Contains(got.Body.String(), test.want) {
			t.Errorf("%s: got %d %s, want %d %q", name, got.Code, got.Body.String()[:min(got.Body.Len(), 100)], test.status, test.want)
		}
	}
	r := httptest.NewRequest(http.MethodPost, "http://"+host+"/", nil)
	body(r, 6<<20)
	if got := w.send(r); got.Code != 200 || got.Body.Len() != 6<<20+1 {
		t.Errorf("6 MiB exactly: got status %d, %d bytes, want 200", got.Code, got.Body.Len())
	}
	w.function(func(f *functions.Function) { f.Privacy, f.HTTPOption = functions.Public, functions.HTTPRedirected })
	if got := w.call(); got.Code != 301 || got.Header().Get("Location") != "https://"+host+"/path?q=1" {
		t.Errorf("redirect: got status %d to %s, want 301 to https", got.Code, got.Header().Get("Location"))
	}
}

func TestNew_RefusesMissingDependency(t *testing.T) {
	t.Parallel()
	for name, remove := range map[string]func(*gateway.Config){
		"Table":     func(c *gateway.Config) { c.Table = nil },
		"Keys":      func(c *gateway.Config) { c.Keys = nil },
		"Instances": func(c *gateway.Config) { c.Instances = nil },
		"Now":       func(c *gateway.Config) { c.Now = nil },
		"NewID":     func(c *gateway.Config) { c.NewID = nil },
		"Log":       func(c *gateway.Config) { c.Log = nil },
	} {
		c := configOf(gateway.NewTable())
		remove(&c)
		if g, err := gateway.New(c); g != nil || err == nil || !strings.Contains(err.Error(), name) {
			t.Errorf("without %s: got %v, %v, want an error that names it", name, g, err)
		}
	}
}

// body sets a body of unknown length.
func body(r *http.Request, length int64) {
	r.Body = io.NopCloser(io.LimitReader(zeros{}, length))
	r.ContentLength = -1
}

type zeros struct{}

func (zeros) Read(p []byte) (int, error) { clear(p); return len(p), nil }

func FuzzHost(f *testing.F) {
	for _, seed := range []string{host, host + ":1", "", "[::1]", ".", strings.Repeat("a.", 200)} {
		f.Add(seed)
	}
	handler := newGateway(f, configOf(gateway.NewTable())).Handler()
	f.Fuzz(func(t *testing.T, name string) {
		r := httptest.NewRequest(http.MethodGet, "/", nil)
		r.Host = name
		recorder := httptest.NewRecorder()
		handler.ServeHTTP(recorder, r)
		if recorder.Code != 404 {
			t.Errorf("%q with an empty table: got status %d, want 404", name, recorder.Code)
		}
	})
}
