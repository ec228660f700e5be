package gateway_test

import (
	"bufio"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/jeton-dev/jeton/internal/functions"
	"github.com/jeton-dev/jeton/internal/gateway"
	"github.com/jeton-dev/jeton/test/await"
)

func public(runtime string) func(*functions.Function) {
	return func(f *functions.Function) { f.Privacy, f.Revision.Runtime = functions.Public, runtime }
}

// request sends text over a connection and returns the status of the answer; zero if the
// connection ends without an answer.
func request(t *testing.T, connection net.Conn, text string) int {
	t.Helper()
	if _, err := io.WriteString(connection, text); err != nil {
		t.Fatal(err)
	}
	response, err := http.ReadResponse(bufio.NewReader(connection), nil)
	if err != nil {
		return 0
	}
	defer response.Body.Close()
	return response.StatusCode
}

const oneByteOf100 = "POST / HTTP/1.1\r\nHost: " + host + "\r\nContent-Length: 100\r\n\r\nx"

func TestSlowBody_AcquiresNoInstance(t *testing.T) {
	t.Parallel()
	var called atomic.Int64
	w := newWorld(t, func(rw http.ResponseWriter, r *http.Request) { called.Add(1); echo(rw, r) })
	w.configure(func(c *gateway.Config) { c.MinBodyRate, c.BodyGrace = 1<<20, 300*time.Millisecond })
	for _, runtime := range []string{"node24", "python314", "php85", "go126", "rust196"} {
		w.function(public(runtime))
		slow := make(chan int)
		go func() { slow <- request(t, dialGateway(t, w), oneByteOf100) }()
		if got := <-slow; got != http.StatusRequestTimeout {
			t.Errorf("%s: got status %d, want 408", runtime, got)
		}
		if called.Load() != 0 {
			t.Errorf("%s: an instance was called", runtime)
		}
	}
	// A fast body arrives completely.
	body := strings.Repeat("x", 1<<20)
	r := httptest.NewRequest(http.MethodPost, "http://"+host+"/", strings.NewReader(body))
	if got := w.send(r); got.Code != http.StatusOK || !strings.HasPrefix(got.Body.String(), body) {
		t.Errorf("fast body: got status %d with %d bytes", got.Code, got.Body.Len())
	}
}

func TestSlowBody_EndsStreamingCall(t *testing.T) {
	t.Parallel()
	w := newWorld(t, echo)
	w.configure(func(c *gateway.Config) { c.MinBodyRate, c.BodyGrace = 1<<20, 300*time.Millisecond })
	w.function(public("go126"))
	got := request(t, dialGateway(t, w), "POST / HTTP/1.1\r\nHost: "+host+"\r\nTransfer-Encoding: chunked\r\n\r\n1\r\nx\r\n")
	if got != http.StatusRequestTimeout {
		t.Errorf("got status %d, want 408: %s", got, w.log)
	}
}

func TestUnreadBody_DoesNotHoldTheConnection(t *testing.T) {
	t.Parallel()
	w := newWorld(t, echo)
	w.function(nil) // private
	paced := httptest.NewServer(gateway.PaceBodies(http.HandlerFunc(func(rw http.ResponseWriter, _ *http.Request) {
		rw.WriteHeader(http.StatusUnauthorized)
		_, _ = io.WriteString(rw, strings.Repeat("x", 64<<10))
	}), 0))
	t.Cleanup(paced.Close)
	for name, address := range map[string]string{"the gateway": strictServer(t, w), "the API": paced.Listener.Addr().String()} {
		for what, body := range map[string]string{"a length": "Content-Length: 100000\r\n\r\nx", "chunks": "Transfer-Encoding: chunked\r\n\r\n1\r\nx\r\n"} {
			var dialer net.Dialer
			connection, err := dialer.DialContext(t.Context(), "tcp", address)
			if err != nil {
				t.Fatal(err)
			}
			_, _ = io.WriteString(connection, "POST / HTTP/1.1\r\nHost: "+host+"\r\n"+body)
			// net/http would keep the connection open for minutes.
			_ = connection.SetReadDeadline(time.Now().Add(20 * time.Second))
			answer, err := io.ReadAll(connection)
			if err != nil || !strings.HasPrefix(string(answer), "HTTP/1.1 40") {
				t.Errorf("%s, %s: got %.40q, %v, want status 40x", name, what, answer, err)
			}
			_ = connection.Close()
		}
	}
}

func TestMemory_LimitsBufferedBodies(t *testing.T) {
	t.Parallel()
	w := newWorld(t, echo)
	w.configure(func(c *gateway.Config) { c.Memory, c.BodyGrace = gateway.NewMemory(64<<10), time.Minute })
	w.function(public("node24"))
	post := func(size int) int {
		return w.send(httptest.NewRequest(http.MethodPost, "http://"+host+"/", strings.NewReader(strings.Repeat("x", size)))).Code
	}
	if got := post(8 << 10); got != http.StatusOK {
		t.Errorf("short body: got status %d, want 200", got)
	}
	// One function can use a quarter of the budget.
	if got := post(20 << 10); got != http.StatusServiceUnavailable {
		t.Errorf("body over the function's share: got status %d, want 503", got)
	}
	// All memory is released.
	for range 100 {
		if got := post(8 << 10); got != http.StatusOK {
			t.Fatalf("short body afterwards: got status %d, want 200", got)
		}
	}
}

func TestStrict_LimitsMemoryOfLongHeaders(t *testing.T) {
	t.Parallel()
	w := newWorld(t, echo)
	w.function(public("node24"))
	front := httptest.NewUnstartedServer(w.handler)
	front.Listener = gateway.Strict(front.Listener, gateway.NewMemory(3<<20))
	front.Config.ConnContext, front.Config.ConnState = gateway.ConnContext, gateway.ConnState
	front.Start()
	t.Cleanup(front.Close)
	dial := func() net.Conn {
		var dialer net.Dialer
		connection, err := dialer.DialContext(t.Context(), "tcp", front.Listener.Addr().String())
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _ = connection.Close() })
		return connection
	}
	long := func(size int) string {
		return "GET / HTTP/1.1\r\nHost: " + host + "\r\nX-Long: " + strings.Repeat("x", size) + "\r\n\r\n"
	}
	// Each byte beyond the first 16 KiB of a header is charged with 4 bytes of memory.
	if got := request(t, dial(), long(200<<10)); got != http.StatusOK {
		t.Errorf("long header: got status %d, want 200", got)
	}
	if got := request(t, dial(), long(900<<10)); got == http.StatusOK {
		t.Error("header over the budget: got status 200, want an error")
	}
	// The memory is released at the end of a request and at the end of a connection.
	kept := dial()
	for range 20 {
		if got := request(t, kept, long(200<<10)); got != http.StatusOK {
			t.Fatalf("long header over a kept connection: got status %d, want 200", got)
		}
	}
	_ = kept.Close()
	for range 20 {
		// The server may not have noticed the end of the previous connection.
		await.True(t, "a long header over a new connection is served", func() bool {
			once := dial()
			got := request(t, once, long(200<<10))
			_ = once.Close()
			return got == http.StatusOK
		})
	}
}
