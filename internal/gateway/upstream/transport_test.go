package upstream_test

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptrace"
	"net/textproto"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/jeton-dev/jeton/internal/engine"
	"github.com/jeton-dev/jeton/internal/gateway/upstream"
	"github.com/jeton-dev/jeton/test/await"
)

// An instance is a server that runs a script on each connection.
type instance struct {
	address  engine.Address
	accepted atomic.Int64
}

// onNetworks runs a test with instances on unix sockets and with instances on TCP
// ports.
func onNetworks(t *testing.T, test func(t *testing.T, network string)) {
	t.Helper()
	t.Parallel()
	for _, network := range []string{"unix", "tcp"} {
		t.Run(network, func(t *testing.T) {
			t.Parallel()
			test(t, network)
		})
	}
}

// newAddress returns an address at which an instance can listen.
func newAddress(t *testing.T, network string) engine.Address {
	t.Helper()
	if network == "unix" {
		dir, err := os.MkdirTemp("/tmp", "up") //nolint:usetesting // The path of a socket must be short.
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _ = os.RemoveAll(dir) })
		return engine.MustParseAddress("unix:" + filepath.Join(dir, "s"))
	}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	return engine.MustParseAddress("tcp:" + l.Addr().String())
}

func start(t *testing.T, network string, script func(t *testing.T, c net.Conn, in *bufio.Reader)) *instance {
	t.Helper()
	endpoint := "127.0.0.1:0"
	if network == "unix" {
		endpoint = newAddress(t, network).Endpoint()
	}
	l, err := net.Listen(network, endpoint)
	if err != nil {
		t.Fatal(err)
	}
	i := &instance{address: engine.MustParseAddress(network + ":" + l.Addr().String())}
	t.Cleanup(func() { _ = l.Close() })
	go func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			i.accepted.Add(1)
			go func() {
				defer c.Close()
				script(t, c, bufio.NewReader(c))
			}()
		}
	}()
	return i
}

func (i *instance) transport() *upstream.Transport {
	return &upstream.Transport{Address: func(*http.Request) engine.Address { return i.address }}
}

// answering returns a script that answers each request with the same text.
func answering(answer string) func(*testing.T, net.Conn, *bufio.Reader) {
	return func(_ *testing.T, c net.Conn, in *bufio.Reader) {
		for {
			r, err := http.ReadRequest(in)
			if err != nil {
				return
			}
			_, _ = io.Copy(io.Discard, r.Body)
			if _, err := io.WriteString(c, answer); err != nil {
				return
			}
		}
	}
}

func request(t *testing.T, method string, body io.Reader) *http.Request {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), method, "http://instance/path?q=1", body)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

// read sends a request and reads the whole answer.
func read(transport *upstream.Transport, r *http.Request) (*http.Response, string, error) {
	response, err := transport.RoundTrip(r)
	if err != nil {
		return nil, "", err
	}
	defer response.Body.Close()
	content, err := io.ReadAll(response.Body)
	return response, string(content), err
}

func TestRoundTrip_ReadsAnswers(t *testing.T) {
	onNetworks(t, func(t *testing.T, network string) {
		long := strings.Repeat("x", 100_000)
		for name, test := range map[string]struct {
			method, body, answer string
			want                 string
			connections          int64 // for three calls
		}{
			"with a length":    {answer: "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello", want: "hello", connections: 1},
			"in chunks":        {answer: "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n", want: "hello", connections: 1},
			"without a body":   {answer: "HTTP/1.1 204 No Content\r\n\r\n", connections: 1},
			"an empty body":    {answer: "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n", connections: 1},
			"to HEAD":          {method: http.MethodHead, answer: "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n", connections: 1},
			"to a body":        {method: http.MethodPost, body: long, answer: "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok", want: "ok", connections: 1},
			"and closes":       {answer: "HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 5\r\n\r\nhello", want: "hello", connections: 3},
			"with more behind": {answer: "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhelloHTTP/1.1 200 OK\r\n", want: "hello", connections: 3},
			"a long body":      {answer: "HTTP/1.1 200 OK\r\nContent-Length: 100000\r\n\r\n" + long, want: long, connections: 1},
			"after a hint":     {answer: "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello", want: "hello", connections: 1},
		} {
			t.Run(name, func(t *testing.T) {
				t.Parallel()
				i := start(t, network, answering(test.answer))
				transport := i.transport()
				for range 3 {
					var body io.Reader
					if test.body != "" {
						body = strings.NewReader(test.body)
					}
					response, content, err := read(transport, request(t, test.method, body))
					if err != nil {
						t.Fatal(err)
					}
					if content != test.want {
						t.Errorf("got answer %.60q of %d bytes, want %.60q", content, len(content), test.want)
					}
					if response.StatusCode/100 != 2 {
						t.Errorf("got status %s, want 2xx", response.Status)
					}
				}
				if got := i.accepted.Load(); got != test.connections {
					t.Errorf("three calls used %d connections, want %d", got, test.connections)
				}
			})
		}
	})
}

func TestRoundTrip_RefusesBrokenAnswers(t *testing.T) {
	onNetworks(t, func(t *testing.T, network string) {
		for name, answer := range map[string]string{
			"none":                "",
			"half a head":         "HTTP/1.1 200 OK\r\nContent-Le",
			"half a body":         "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhel",
			"no HTTP":             "hello\r\n\r\n",
			"half a chunk":        "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhel",
			"a head without end":  "HTTP/1.1 200 OK\r\n" + strings.Repeat("A: "+strings.Repeat("x", 1000)+"\r\n", 1100),
			"a line without end":  "HTTP/1.1 200 OK\r\nA: " + strings.Repeat("x", 2<<20),
			"hints without end":   strings.Repeat("HTTP/1.1 103 Early Hints\r\n\r\n", 7),
			"two lengths":         "HTTP/1.1 200 OK\r\nContent-Length: 5\r\nContent-Length: 6\r\n\r\nhello!",
			"a status of nothing": "HTTP/1.1 abc OK\r\n\r\n",
		} {
			t.Run(name, func(t *testing.T) {
				t.Parallel()
				i := start(t, network, func(_ *testing.T, c net.Conn, in *bufio.Reader) {
					if _, err := http.ReadRequest(in); err == nil {
						_, _ = io.WriteString(c, answer)
					}
				})
				if _, content, err := read(i.transport(), request(t, http.MethodGet, nil)); err == nil {
					t.Errorf("got answer %.60q, want an error", content)
				}
			})
		}
	})
}

// TestRoundTrip_SkipsConnectionsClosedWhileIdle closes each connection after one
// answer.
func TestRoundTrip_SkipsConnectionsClosedWhileIdle(t *testing.T) {
	onNetworks(t, func(t *testing.T, network string) {
		for _, method := range []string{http.MethodGet, http.MethodPost} {
			closed := make(chan struct{}, 1)
			i := start(t, network, func(_ *testing.T, c net.Conn, in *bufio.Reader) {
				if _, err := http.ReadRequest(in); err == nil {
					_, _ = io.WriteString(c, "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n")
				}
				_ = c.Close()
				closed <- struct{}{}
			})
			transport := i.transport()
			for range 3 {
				if _, _, err := read(transport, request(t, method, nil)); err != nil {
					t.Errorf("%s: %v", method, err)
				}
				<-closed
			}
		}
	})
}

// TestRoundTrip_RepeatsOnlySafeRequests closes a kept connection after it has read
// a second request.
func TestRoundTrip_RepeatsOnlySafeRequests(t *testing.T) {
	onNetworks(t, func(t *testing.T, network string) {
		for method, want := range map[string]int64{http.MethodGet: 2, http.MethodPost: 1, http.MethodDelete: 1} {
			var requests atomic.Int64
			i := start(t, network, func(_ *testing.T, c net.Conn, in *bufio.Reader) {
				for served := 0; ; served++ {
					r, err := http.ReadRequest(in)
					if err != nil {
						return
					}
					if r.Method == method {
						requests.Add(1)
					}
					if served > 0 {
						return
					}
					_, _ = io.WriteString(c, "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n")
				}
			})
			transport := i.transport()
			if _, _, err := read(transport, request(t, http.MethodOptions, nil)); err != nil {
				t.Fatal(err)
			}
			_, _, err := read(transport, request(t, method, nil))
			if got := requests.Load(); got != want || (err == nil) != (want == 2) {
				t.Errorf("%s: sent %d times, want %d, error %v", method, got, want, err)
			}
		}
	})
}

// endless is a body that does not end before it is closed.
type endless struct{ closed atomic.Bool }

func (e *endless) Read(p []byte) (int, error) {
	if e.closed.Load() {
		return 0, errors.New("closed")
	}
	return len(p), nil
}

func (e *endless) Close() error { e.closed.Store(true); return nil }

func TestRoundTrip_ReturnsAnAnswerBeforeTheBodyIsSent(t *testing.T) {
	onNetworks(t, func(t *testing.T, network string) {
		i := start(t, network, func(_ *testing.T, c net.Conn, in *bufio.Reader) {
			if _, err := http.ReadRequest(in); err == nil {
				_, _ = io.WriteString(c, "HTTP/1.1 413 Too Large\r\nContent-Length: 3\r\n\r\nno!")
				_, _ = io.Copy(io.Discard, in)
			}
		})
		transport := i.transport()
		body := &endless{}
		response, content, err := read(transport, request(t, http.MethodPost, body))
		if err != nil || response.StatusCode != http.StatusRequestEntityTooLarge || content != "no!" {
			t.Errorf("%v %q %v", response, content, err)
		}
		await.True(t, "the body is closed", body.closed.Load)
		if _, _, err := read(transport, request(t, http.MethodGet, nil)); err != nil || i.accepted.Load() != 2 {
			t.Errorf("second request on %d connections, error %v, want a second connection", i.accepted.Load(), err)
		}
	})
}

func TestRoundTrip_ReturnsTheErrorOfTheBody(t *testing.T) {
	onNetworks(t, func(t *testing.T, network string) {
		gone := make(chan error, 1)
		i := start(t, network, func(_ *testing.T, _ net.Conn, in *bufio.Reader) {
			_, err := io.Copy(io.Discard, in)
			gone <- err
		})
		broken := errors.New("client disconnected")
		body := io.MultiReader(strings.NewReader("half"), readerFunc(func([]byte) (int, error) { return 0, broken }))
		_, _, err := read(i.transport(), request(t, http.MethodPost, body))
		if !errors.Is(err, broken) {
			t.Errorf("got error %v, want that of the test", err)
		}
		if err := <-gone; err != nil {
			t.Errorf("the instance reads %v, want the end of the connection", err)
		}
	})
}

type readerFunc func([]byte) (int, error)

func (f readerFunc) Read(p []byte) (int, error) { return f(p) }

func TestRoundTrip_EndsWithItsContext(t *testing.T) {
	onNetworks(t, func(t *testing.T, network string) {
		for name, sent := range map[string]string{
			"before the answer": "",
			"within the answer": "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhe",
		} {
			t.Run(name, func(t *testing.T) {
				t.Parallel()
				asked, gone := make(chan struct{}), make(chan struct{})
				i := start(t, network, func(_ *testing.T, c net.Conn, in *bufio.Reader) {
					defer close(gone)
					_, _ = http.ReadRequest(in)
					_, _ = io.WriteString(c, sent)
					close(asked)
					_, _ = io.Copy(io.Discard, in) // until the transport closes the connection
				})
				ctx, cancel := context.WithCancel(t.Context())
				go func() {
					<-asked
					cancel()
				}()
				if _, _, err := read(i.transport(), request(t, http.MethodGet, nil).WithContext(ctx)); !errors.Is(err, context.Canceled) {
					t.Errorf("got error %v, want that of the test", err)
				}
				<-gone
			})
		}
	})
}

// TestRoundTrip_SendsLongHeads sends heads around the sizes of all buffers.
func TestRoundTrip_SendsLongHeads(t *testing.T) {
	onNetworks(t, func(t *testing.T, network string) {
		i := start(t, network, func(t *testing.T, c net.Conn, in *bufio.Reader) {
			for {
				r, err := http.ReadRequest(in)
				if err != nil {
					return
				}
				if _, err := fmt.Fprintf(c, "HTTP/1.1 200 OK\r\nLength: %d\r\nContent-Length: 0\r\n\r\n", len(r.Header.Get("Long"))); err != nil {
					return
				}
			}
		})
		transport := i.transport()
		for size := 0; size < 700_000; size = size*9/8 + 1000 {
			r := request(t, http.MethodGet, nil)
			r.Header.Set("Long", strings.Repeat("x", size))
			response, _, err := read(transport, r)
			if err != nil {
				t.Fatalf("a head of %d bytes: %v", size, err)
			}
			if got := response.Header.Get("Length"); got != strconv.Itoa(size) {
				t.Errorf("the instance got %s bytes, want %d", got, size)
			}
		}
		if i.accepted.Load() != 1 {
			t.Errorf("%d connections, want 1", i.accepted.Load())
		}
	})
}

// watcher is a Watcher that interrupts as soon as it watches, or never.
type watcher struct {
	interrupts bool
	watched    atomic.Int64
}

func (w *watcher) Watch(interrupt func()) {
	w.watched.Add(1)
	if w.interrupts {
		interrupt()
	}
}

func (w *watcher) Unwatch() bool { return !w.interrupts }

func TestRoundTrip_UsesTheWatcher(t *testing.T) {
	onNetworks(t, func(t *testing.T, network string) {
		for _, interrupts := range []bool{false, true} {
			i := start(t, network, answering("HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello"))
			transport, w := i.transport(), &watcher{interrupts: interrupts}
			transport.Watcher = func(*http.Request) upstream.Watcher { return w }
			for range 2 {
				_, _, err := read(transport, request(t, http.MethodGet, nil))
				if interrupts != errors.Is(err, os.ErrDeadlineExceeded) {
					t.Errorf("interrupted %t: got error %v", interrupts, err)
				}
			}
			connections := int64(1)
			if interrupts {
				// An interrupted connection serves no other call.
				connections = 2
			}
			await.True(t, "the instance accepts", func() bool { return i.accepted.Load() == connections })
			if w.watched.Load() != 2 {
				t.Errorf("interrupted %t: watched %d calls, want 2", interrupts, w.watched.Load())
			}
		}
	})
}

func TestRoundTrip_PassesOnInformationalAnswers(t *testing.T) {
	onNetworks(t, func(t *testing.T, network string) {
		i := start(t, network, answering("HTTP/1.1 103 Early Hints\r\nLink: </style.css>\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n"))
		var links []string
		ctx := httptrace.WithClientTrace(t.Context(), &httptrace.ClientTrace{
			Got1xxResponse: func(code int, header textproto.MIMEHeader) error {
				if code == http.StatusEarlyHints {
					links = append(links, header.Get("Link"))
				}
				return nil
			},
		})
		if _, _, err := read(i.transport(), request(t, http.MethodGet, nil).WithContext(ctx)); err != nil {
			t.Fatal(err)
		}
		if len(links) != 1 || links[0] != "</style.css>" {
			t.Errorf("got links %q, want </style.css>", links)
		}
	})
}

func TestRoundTrip_SwitchesProtocols(t *testing.T) {
	onNetworks(t, func(t *testing.T, network string) {
		i := start(t, network, func(_ *testing.T, c net.Conn, in *bufio.Reader) {
			if _, err := http.ReadRequest(in); err == nil {
				_, _ = io.WriteString(c, "HTTP/1.1 101 Switching Protocols\r\nUpgrade: echo\r\nConnection: Upgrade\r\n\r\nwelcome ")
				_, _ = io.Copy(c, in)
			}
		})
		response, err := i.transport().RoundTrip(request(t, http.MethodGet, nil))
		if err != nil {
			t.Fatal(err)
		}
		both, ok := response.Body.(io.ReadWriteCloser)
		if !ok {
			t.Fatalf("body is a %T, want an io.ReadWriteCloser", response.Body)
		}
		defer both.Close()
		if _, err := io.WriteString(both, "hello"); err != nil {
			t.Fatal(err)
		}
		got := make([]byte, len("welcome hello"))
		if _, err := io.ReadFull(both, got); err != nil || string(got) != "welcome hello" {
			t.Errorf("%q %v", got, err)
		}
	})
}

func TestRoundTrip_ReadsTrailers(t *testing.T) {
	onNetworks(t, func(t *testing.T, network string) {
		i := start(t, network, answering("HTTP/1.1 200 OK\r\nTrailer: Sum\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nok\r\n0\r\nSum: 42\r\n\r\n"))
		response, content, err := read(i.transport(), request(t, http.MethodGet, nil))
		if err != nil || content != "ok" || response.Trailer.Get("Sum") != "42" {
			t.Errorf("%q %v %v", content, response.Trailer, err)
		}
	})
}

func TestTransport_ClosesIdleConnections(t *testing.T) {
	onNetworks(t, func(t *testing.T, network string) {
		closed := make(chan struct{})
		i := start(t, network, func(t *testing.T, c net.Conn, in *bufio.Reader) {
			answering("HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n")(t, c, in)
			close(closed)
		})
		transport := i.transport()
		transport.IdleTimeout = time.Millisecond
		if _, _, err := read(transport, request(t, http.MethodGet, nil)); err != nil {
			t.Fatal(err)
		}
		<-closed
	})
}

func TestRoundTrip_FailsWithoutAnInstance(t *testing.T) {
	onNetworks(t, func(t *testing.T, network string) {
		body := &endless{}
		i := &instance{address: newAddress(t, network)}
		if _, _, err := read(i.transport(), request(t, http.MethodPost, body)); err == nil {
			t.Error("got an answer, want an error")
		}
		if !body.closed.Load() {
			t.Error("the body of the request is open, want it closed")
		}
	})
}
