package gateway_test

import (
	"context"
	"errors"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/jeton-dev/jeton/internal/functions"
	"github.com/jeton-dev/jeton/internal/gateway"
	"github.com/jeton-dev/jeton/internal/scale"
)

func TestForward_RewritesHeaders(t *testing.T) {
	t.Parallel()
	w := newWorld(t, echo)
	w.function(nil)
	w.token("token", functions.Token{ID: tokenID(1), FunctionID: functionID})
	got := w.call("X-Auth-Token", "token", "SCW_FUNCTIONS_TOKEN", "token", "X-Forwarded-For", "6.6.6.6", "X-Request-Id", "mine")
	for name, want := range map[string]string{
		"X-Seen-Token": "", "X-Seen-Host": host, "X-Seen-Forwarded-For": "192.0.2.1", "X-Seen-Request-Id": "mine", "X-Request-Id": "mine",
		"Access-Control-Allow-Origin": "*", "Access-Control-Allow-Headers": "Content-Type",
	} {
		if got.Header().Get(name) != want {
			t.Errorf("%s: got %q, want %q", name, got.Header().Get(name), want)
		}
	}
	if ids := got.Header().Values("X-Request-Id"); len(ids) != 1 {
		t.Errorf("got request IDs %q, want one", ids)
	}
	if got.Body.String() != "/path?q=1" || w.released != 1 || w.discarded != 0 {
		t.Errorf("got body %q, %d released and %d discarded instances", got.Body, w.released, w.discarded)
	}
	if got := w.call("X-Auth-Token", "token", "X-Request-Id", "two\nlines").Header().Get("X-Request-Id"); got != "made-here" {
		t.Errorf("request ID with a line break: got %q, want a new one", got)
	}
	w.configure(func(c *gateway.Config) { c.PassToken = true })
	if got := w.call("X-Auth-Token", "token").Header().Get("X-Seen-Token"); got != "token" {
		t.Errorf("PassToken: got %q, want the token", got)
	}
}

func TestForward_KeepsHeadersOfFunction(t *testing.T) {
	t.Parallel()
	w := newWorld(t, func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Access-Control-Allow-Origin", "https://example.org")
		w.WriteHeader(http.StatusTeapot)
	})
	w.function(func(f *functions.Function) { f.Privacy = functions.Public })
	got := w.call()
	if got.Code != http.StatusTeapot || got.Header().Get("Access-Control-Allow-Origin") != "https://example.org" {
		t.Errorf("got status %d, headers %v, want those of the function", got.Code, got.Header())
	}
}

func TestForward_AnswersWithoutInstance(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		err    error
		status int
		retry  string
	}{
		"queue is full":    {scale.ErrQueueFull, 503, "1"},
		"waited too long":  {context.DeadlineExceeded, 503, "1"},
		"no memory":        {scale.ErrNoMemory, 503, "1"},
		"does not start":   {&scale.StartError{Reason: "exit status 1"}, 502, ""},
		"unknown revision": {scale.ErrUnknownRevision, 502, ""},
	} {
		w := newWorld(t, echo)
		w.function(func(f *functions.Function) { f.Privacy = functions.Public })
		w.err = test.err
		got := w.call()
		if got.Code != test.status || got.Header().Get("Retry-After") != test.retry || strings.Contains(got.Body.String(), "exit status") {
			t.Errorf("%s: got status %d, Retry-After %q, %s", name, got.Code, got.Header().Get("Retry-After"), got.Body)
		}
	}
}

func TestForward_DiscardsBrokenInstances(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		function http.HandlerFunc
		timeout  time.Duration
		status   int
	}{
		"crash before the answer": {func(http.ResponseWriter, *http.Request) { panic(http.ErrAbortHandler) }, time.Minute, 502},
		"hang":                    {func(_ http.ResponseWriter, r *http.Request) { <-r.Context().Done() }, 50 * time.Millisecond, 504},
	} {
		w := newWorld(t, test.function)
		w.function(func(f *functions.Function) { f.Privacy, f.Timeout = functions.Public, test.timeout })
		if got := w.call(); got.Code != test.status {
			t.Errorf("%s: got status %d, want %d", name, got.Code, test.status)
		}
		if w.discarded != 1 || w.released != 0 {
			t.Errorf("%s: got %d discarded and %d released instances, want 1 and 0", name, w.discarded, w.released)
		}
	}
}

func TestForward_AbortsAnswerOfCrashedInstance(t *testing.T) {
	t.Parallel()
	w := newWorld(t, func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Length", "100")
		_, _ = io.WriteString(w, "half")
		_ = http.NewResponseController(w).Flush()
		panic(http.ErrAbortHandler)
	})
	w.function(func(f *functions.Function) { f.Privacy = functions.Public })
	front := httptest.NewServer(w.handler)
	t.Cleanup(front.Close)
	r, err := http.NewRequestWithContext(t.Context(), http.MethodGet, front.URL, nil)
	if err != nil {
		t.Fatal(err)
	}
	r.Host = host
	response, err := http.DefaultClient.Do(r)
	if err == nil {
		// Depending on buffers, a part of the answer may have been sent.
		_, err = io.Copy(io.Discard, response.Body)
		response.Body.Close()
	}
	if !errors.Is(err, io.ErrUnexpectedEOF) && !errors.Is(err, io.EOF) {
		t.Errorf("read of half an answer: got %v, want an unexpected EOF", err)
	}
	front.Close()
	if w.discarded != 1 || w.released != 0 {
		t.Errorf("got %d discarded and %d released instances, want 1 and 0", w.discarded, w.released)
	}
}

func TestForward_TrustsHeadersOfProxiesOnly(t *testing.T) {
	t.Parallel()
	w := newWorld(t, func(w http.ResponseWriter, r *http.Request) {
		for _, name := range []string{"X-Forwarded-For", "X-Forwarded-Proto", "X-Forwarded-Host", "Forwarded", "X-Forwarded-Port", "X-Real-Ip", "True-Client-Ip"} {
			w.Header().Set("Seen-"+name, strings.Join(r.Header.Values(name), " | "))
		}
	})
	w.function(func(f *functions.Function) { f.Privacy = functions.Public })
	w.configure(func(c *gateway.Config) { c.Proxies = proxies(t, "10.0.0.0/8") })
	spoofed := http.Header{
		"X-Forwarded-For": {"6.6.6.6"}, "X-Forwarded-Proto": {"https"}, "X-Forwarded-Host": {"evil"}, "Forwarded": {"for=6.6.6.6"},
		"X-Forwarded-Port": {"6"}, "X-Real-Ip": {"6.6.6.6"}, "True-Client-Ip": {"6.6.6.6"},
	}
	for name, test := range map[string]struct {
		peer string
		want [7]string
	}{
		"untrusted":      {"192.0.2.1:1", [7]string{"192.0.2.1", "http", host, "for=192.0.2.1;proto=http", "", "", ""}},
		"no address":     {"", [7]string{"", "http", host, "for=unknown;proto=http", "", "", ""}},
		"over IPv6":      {"[2001:db8::1]:1", [7]string{"2001:db8::1", "http", host, `for="[2001:db8::1]";proto=http`, "", "", ""}},
		"trusted proxy":  {"10.1.2.3:1", [7]string{"6.6.6.6, 10.1.2.3", "https", "evil", "for=6.6.6.6, for=10.1.2.3;proto=http", "6", "6.6.6.6", "6.6.6.6"}},
		"mapped to IPv6": {"[::ffff:10.1.2.3]:1", [7]string{"6.6.6.6, ::ffff:10.1.2.3", "https", "evil", `for=6.6.6.6, for="[::ffff:10.1.2.3]";proto=http`, "6", "6.6.6.6", "6.6.6.6"}},
	} {
		r := httptest.NewRequest(http.MethodGet, "http://"+host+"/", nil)
		r.RemoteAddr, r.Header = test.peer, spoofed.Clone()
		got := w.send(r).Header()
		for i, header := range []string{"X-Forwarded-For", "X-Forwarded-Proto", "X-Forwarded-Host", "Forwarded", "X-Forwarded-Port", "X-Real-Ip", "True-Client-Ip"} {
			if got.Get("Seen-"+header) != test.want[i] {
				t.Errorf("%s: %s: got %q, want %q", name, header, got.Get("Seen-"+header), test.want[i])
			}
		}
	}
	w.function(func(f *functions.Function) { f.Privacy, f.HTTPOption = functions.Public, functions.HTTPRedirected })
	for peer, want := range map[string]int{"192.0.2.1:1": 301, "10.1.2.3:1": 200} {
		r := httptest.NewRequest(http.MethodGet, "http://"+host+"/", nil)
		r.RemoteAddr, r.Header = peer, spoofed.Clone()
		if got := w.send(r).Code; got != want {
			t.Errorf("https through %s: got status %d, want %d", peer, got, want)
		}
	}
}

// dialGateway returns a new connection to a gateway.
func dialGateway(t *testing.T, w *world) net.Conn {
	t.Helper()
	var dialer net.Dialer
	connection, err := dialer.DialContext(t.Context(), "tcp", strictServer(t, w))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = connection.Close() })
	return connection
}

func TestForward_TimesOutStalledClients(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		request  string
		function http.HandlerFunc
	}{
		"reads nothing": {"GET / HTTP/1.1\r\nHost: " + host + "\r\n\r\n", func(w http.ResponseWriter, _ *http.Request) {
			for {
				if _, err := w.Write(make([]byte, 1<<20)); err != nil {
					return
				}
			}
		}},
		"sends nothing": {"POST / HTTP/1.1\r\nHost: " + host + "\r\nTransfer-Encoding: chunked\r\n\r\n1\r\nx\r\n", echo},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t, test.function)
			w.function(func(f *functions.Function) {
				f.Privacy, f.Timeout, f.Revision.Runtime = functions.Public, 200*time.Millisecond, "go126"
			})
			_, _ = io.WriteString(dialGateway(t, w), test.request)
			if _, discarded := w.waitReturned(t); discarded != 1 {
				t.Error("got a released instance, want a discarded one")
			}
		})
	}
}

func TestForward_AnswersMalformedBodyWith400(t *testing.T) {
	t.Parallel()
	w := newWorld(t, echo)
	w.function(func(f *functions.Function) { f.Privacy = functions.Public })
	connection := dialGateway(t, w)
	_, _ = io.WriteString(connection, "POST / HTTP/1.1\r\nHost: "+host+"\r\nTransfer-Encoding: chunked\r\n\r\nx\r\n")
	answer, err := io.ReadAll(connection)
	if err != nil || !strings.HasPrefix(string(answer), "HTTP/1.1 400 ") {
		t.Errorf("got %q, %v, want status 400", answer, err)
	}
}

func TestForward_LogsTimeoutWithinAnswer(t *testing.T) {
	t.Parallel()
	w := newWorld(t, func(w http.ResponseWriter, r *http.Request) {
		_, _ = io.WriteString(w, "half")
		_ = http.NewResponseController(w).Flush()
		<-r.Context().Done()
	})
	w.function(func(f *functions.Function) { f.Privacy, f.Timeout = functions.Public, 2*time.Second })
	w.call()
	if logged := w.log.String(); !strings.Contains(logged, "status=200") || !strings.Contains(logged, "did not answer in time") {
		t.Errorf("got log %s, want status 200 and the timeout", logged)
	}
}

func TestForward_EarlyHints(t *testing.T) {
	t.Parallel()
	w := newWorld(t, func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Link", "</style.css>; rel=preload")
		w.WriteHeader(http.StatusEarlyHints)
		w.WriteHeader(http.StatusTeapot)
	})
	w.function(func(f *functions.Function) { f.Privacy = functions.Public })
	r, err := http.NewRequestWithContext(t.Context(), http.MethodGet, "http://"+strictServer(t, w), nil)
	if err != nil {
		t.Fatal(err)
	}
	r.Host = host
	got, err := http.DefaultClient.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	defer got.Body.Close()
	if ids := got.Header.Values("X-Request-Id"); got.StatusCode != http.StatusTeapot || len(ids) != 1 {
		t.Errorf("got status %d with request IDs %q, want 418 with one", got.StatusCode, ids)
	}
}

// A timed-out call does not affect the next call on the same connection.
func TestForward_NextCallAfterTimeout(t *testing.T) {
	t.Parallel()
	w := newWorld(t, func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/hang" {
			<-r.Context().Done()
		}
	})
	// Only this hostname has a short timeout, so that other calls do not fail on slow machines.
	const shortTimeout = "short." + host
	w.function(func(f *functions.Function) { f.Privacy = functions.Public })
	w.function(func(f *functions.Function) {
		f.ID, f.DomainName, f.Privacy, f.Timeout = siblingID, shortTimeout, functions.Public, 100*time.Millisecond
	})
	front := "http://" + strictServer(t, w)
	client := &http.Client{Transport: &http.Transport{MaxConnsPerHost: 1}}
	defer client.CloseIdleConnections()
	for i, path := range []string{"/", "/hang", "/", "/hang", "/", "/"} {
		r, err := http.NewRequestWithContext(t.Context(), http.MethodGet, front+path, nil)
		if err != nil {
			t.Fatal(err)
		}
		r.Host = map[string]string{"/": host, "/hang": shortTimeout}[path]
		response, err := client.Do(r)
		if err != nil {
			t.Fatalf("call %d: %v", i, err)
		}
		response.Body.Close()
		if want := map[string]int{"/": 200, "/hang": 504}[path]; response.StatusCode != want {
			t.Errorf("call %d, %s: got status %d, want %d", i, path, response.StatusCode, want)
		}
	}
}

// Clients that give up at the moment of the answer must not end the server: net/http panics
// when the deadline of an HTTP/2 stream is set after its handler has returned.
func TestForward_SurvivesClientsThatGiveUp(t *testing.T) {
	t.Parallel()
	w := newWorld(t, func(rw http.ResponseWriter, r *http.Request) { _, _ = rw.Write([]byte("answer")) })
	w.function(func(f *functions.Function) { f.Privacy = functions.Public })
	protocols := new(http.Protocols)
	protocols.SetUnencryptedHTTP2(true)
	server := httptest.NewUnstartedServer(w.Handler())
	server.Config.Protocols = protocols
	server.Start()
	t.Cleanup(server.Close)
	client := &http.Client{Transport: &http.Transport{Protocols: protocols}}
	var callers sync.WaitGroup
	for range 8 {
		callers.Go(func() {
			for i := range 150 {
				ctx, cancel := context.WithTimeout(t.Context(), time.Duration(i*10)*time.Microsecond)
				r, err := http.NewRequestWithContext(ctx, http.MethodGet, server.URL, nil)
				if err != nil {
					t.Error(err)
				}
				r.Host = host
				if response, err := client.Do(r); err == nil {
					_ = response.Body.Close()
				}
				cancel()
			}
		})
	}
	callers.Wait()
}
