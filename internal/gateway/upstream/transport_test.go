package upstream_test

import (
	"bufio"
	"context"
	"errors"
	"io"
	"net"
	"net/http"
	"net/http/httptrace"
	"net/textproto"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/jeton-dev/jeton/internal/gateway/upstream"
	"github.com/jeton-dev/jeton/test/await"
)

// An instance is the other side of the connections: script says what it does on
// each of them.
type instance struct {
	address  string
	accepted atomic.Int64
}

func start(t *testing.T, script func(t *testing.T, c net.Conn, in *bufio.Reader)) *instance {
	t.Helper()
	i := &instance{address: filepath.Join(t.TempDir(), "s")}
	l, err := net.Listen("unix", i.address)
	if err != nil {
		t.Fatal(err)
	}
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
	return &upstream.Transport{Address: func(*http.Request) string { return i.address }}
}

// answering answers each request on a connection with the same text.
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

// read returns the whole answer to a request.
func read(transport *upstream.Transport, r *http.Request) (*http.Response, string, error) {
	response, err := transport.RoundTrip(r)
	if err != nil {
		return nil, "", err
	}
	defer response.Body.Close()
	content, err := io.ReadAll(response.Body)
	return response, string(content), err
}

func TestAnswers(t *testing.T) {
	t.Parallel()
	long := strings.Repeat("x", 100_000)
	for name, test := range map[string]struct {
		method, body, answer string
		want                 string
		connections          int64 // that three calls take
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
			i := start(t, answering(test.answer))
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
					t.Errorf("the answer is %.60q (%d bytes)", content, len(content))
				}
				if response.StatusCode/100 != 2 {
					t.Errorf("the status is %s", response.Status)
				}
			}
			if got := i.accepted.Load(); got != test.connections {
				t.Errorf("three calls took %d connections, not %d", got, test.connections)
			}
		})
	}
}

func TestBrokenAnswers(t *testing.T) {
	t.Parallel()
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
			i := start(t, func(_ *testing.T, c net.Conn, in *bufio.Reader) {
				if _, err := http.ReadRequest(in); err == nil {
					_, _ = io.WriteString(c, answer)
				}
			})
			if _, content, err := read(i.transport(), request(t, http.MethodGet, nil)); err == nil {
				t.Errorf("the answer was taken: %.60q", content)
			}
		})
	}
}

// A connection that the instance has closed meanwhile is not used again.
func TestClosedWhileIdle(t *testing.T) {
	t.Parallel()
	for _, method := range []string{http.MethodGet, http.MethodPost} {
		closed := make(chan struct{}, 1)
		i := start(t, func(_ *testing.T, c net.Conn, in *bufio.Reader) {
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
}

// A request that is read, and then dropped with the connection, is sent once
// more only where that can do no harm.
func TestDroppedOnAKeptConnection(t *testing.T) {
	t.Parallel()
	for method, want := range map[string]int64{http.MethodGet: 2, http.MethodPost: 1, http.MethodDelete: 1} {
		var requests atomic.Int64
		i := start(t, func(_ *testing.T, c net.Conn, in *bufio.Reader) {
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
}

// endless is a body that never ends, until it is closed.
type endless struct{ closed atomic.Bool }

func (e *endless) Read(p []byte) (int, error) {
	if e.closed.Load() {
		return 0, errors.New("closed")
	}
	return len(p), nil
}

func (e *endless) Close() error { e.closed.Store(true); return nil }

func TestAnswerBeforeTheBodyIsSent(t *testing.T) {
	t.Parallel()
	i := start(t, func(_ *testing.T, c net.Conn, in *bufio.Reader) {
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
		t.Errorf("the connection with half a request on it was used again: %v", err)
	}
}

func TestBodyThatCannotBeRead(t *testing.T) {
	t.Parallel()
	gone := make(chan error, 1)
	i := start(t, func(_ *testing.T, _ net.Conn, in *bufio.Reader) {
		_, err := io.Copy(io.Discard, in)
		gone <- err
	})
	broken := errors.New("the caller went away")
	body := io.MultiReader(strings.NewReader("half"), readerFunc(func([]byte) (int, error) { return 0, broken }))
	_, _, err := read(i.transport(), request(t, http.MethodPost, body))
	if !errors.Is(err, broken) {
		t.Errorf("the error is %v", err)
	}
	if err := <-gone; err != nil {
		t.Errorf("the instance still waits: %v", err)
	}
}

type readerFunc func([]byte) (int, error)

func (f readerFunc) Read(p []byte) (int, error) { return f(p) }

func TestCancel(t *testing.T) {
	t.Parallel()
	for name, sent := range map[string]string{
		"before the answer": "",
		"within the answer": "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhe",
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			asked, gone := make(chan struct{}), make(chan struct{})
			i := start(t, func(_ *testing.T, c net.Conn, in *bufio.Reader) {
				defer close(gone)
				_, _ = http.ReadRequest(in)
				_, _ = io.WriteString(c, sent)
				close(asked)
				_, _ = io.Copy(io.Discard, in) // until the other side hangs up
			})
			ctx, cancel := context.WithCancel(t.Context())
			go func() {
				<-asked
				cancel()
			}()
			if _, _, err := read(i.transport(), request(t, http.MethodGet, nil).WithContext(ctx)); !errors.Is(err, context.Canceled) {
				t.Errorf("the error is %v", err)
			}
			<-gone
		})
	}
}

func TestHints(t *testing.T) {
	t.Parallel()
	i := start(t, answering("HTTP/1.1 103 Early Hints\r\nLink: </style.css>\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n"))
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
		t.Errorf("the hints are %q", links)
	}
}

func TestAnotherProtocol(t *testing.T) {
	t.Parallel()
	i := start(t, func(_ *testing.T, c net.Conn, in *bufio.Reader) {
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
		t.Fatalf("nothing can be written to a %T", response.Body)
	}
	defer both.Close()
	if _, err := io.WriteString(both, "hello"); err != nil {
		t.Fatal(err)
	}
	got := make([]byte, len("welcome hello"))
	if _, err := io.ReadFull(both, got); err != nil || string(got) != "welcome hello" {
		t.Errorf("%q %v", got, err)
	}
}

func TestTrailers(t *testing.T) {
	t.Parallel()
	i := start(t, answering("HTTP/1.1 200 OK\r\nTrailer: Sum\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nok\r\n0\r\nSum: 42\r\n\r\n"))
	response, content, err := read(i.transport(), request(t, http.MethodGet, nil))
	if err != nil || content != "ok" || response.Trailer.Get("Sum") != "42" {
		t.Errorf("%q %v %v", content, response.Trailer, err)
	}
}

func TestIdleConnectionsAreClosed(t *testing.T) {
	t.Parallel()
	closed := make(chan struct{})
	i := start(t, func(t *testing.T, c net.Conn, in *bufio.Reader) {
		answering("HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n")(t, c, in)
		close(closed)
	})
	transport := i.transport()
	transport.IdleTimeout = time.Millisecond
	if _, _, err := read(transport, request(t, http.MethodGet, nil)); err != nil {
		t.Fatal(err)
	}
	<-closed
}

func TestNoInstance(t *testing.T) {
	t.Parallel()
	body := &endless{}
	i := &instance{address: filepath.Join(t.TempDir(), "none")}
	if _, _, err := read(i.transport(), request(t, http.MethodPost, body)); err == nil {
		t.Error("there was an answer")
	}
	if !body.closed.Load() {
		t.Error("the body was left open")
	}
}
