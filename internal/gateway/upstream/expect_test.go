package upstream_test

import (
	"bufio"
	"context"
	"io"
	"net"
	"net/http"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/jeton-dev/jeton/internal/gateway/upstream"
)

// expecting returns a request with a body that waits for 100 Continue.
func expecting(t *testing.T, method string, body io.Reader) *http.Request {
	t.Helper()
	r := request(t, method, io.NopCloser(body))
	r.ContentLength = -1
	r.Header.Set("Expect", "100-continue")
	return r
}

// readHead reads a request without its body.
func readHead(in *bufio.Reader) {
	for line := ""; line != "\r\n"; {
		var err error
		if line, err = in.ReadString('\n'); err != nil {
			return
		}
	}
}

type countedReader struct {
	io.Reader
	reads atomic.Int64
}

func (r *countedReader) Read(p []byte) (int, error) {
	r.reads.Add(1)
	return r.Reader.Read(p)
}

func TestRoundTrip_SendsBodyAfterContinue(t *testing.T) {
	onNetworks(t, func(t *testing.T, network string) {
		for _, method := range []string{http.MethodPost, http.MethodGet} {
			body := &countedReader{Reader: strings.NewReader("body")}
			before := make(chan int64, 1)
			i := start(t, network, func(_ *testing.T, c net.Conn, in *bufio.Reader) {
				readHead(in)
				before <- body.reads.Load()
				_, _ = io.WriteString(c, "HTTP/1.1 100 Continue\r\n\r\n")
				rest := ""
				for !strings.HasSuffix(rest, "0\r\n\r\n") {
					line, err := in.ReadString('\n')
					if err != nil {
						return
					}
					rest += line
				}
				_, _ = io.WriteString(c, "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok")
				if !strings.Contains(rest, "body") {
					_, _ = io.WriteString(c, "no body")
				}
			})
			_, content, err := read(i.transport(), expecting(t, method, body))
			if err != nil || content != "ok" {
				t.Errorf("%s: got %q, %v", method, content, err)
			}
			if n := <-before; n != 0 {
				t.Errorf("%s: the body was read %d times before the other side was ready", method, n)
			}
		}
	})
}

// A final answer comes instead of 100 Continue: nothing of the body is read.
func TestRoundTrip_KeepsBodyAfterRefusal(t *testing.T) {
	onNetworks(t, func(t *testing.T, network string) {
		body := &countedReader{Reader: strings.NewReader("body")}
		i := start(t, network, func(_ *testing.T, c net.Conn, in *bufio.Reader) {
			readHead(in)
			_, _ = io.WriteString(c, "HTTP/1.1 421 Misdirected Request\r\nContent-Length: 2\r\n\r\nno")
		})
		response, content, err := read(i.transport(), expecting(t, http.MethodPost, body))
		if err != nil || response.StatusCode != http.StatusMisdirectedRequest || content != "no" || body.reads.Load() != 0 {
			t.Errorf("got %v, %q, %v and %d reads", response, content, err, body.reads.Load())
		}
		closing := start(t, network, func(_ *testing.T, _ net.Conn, in *bufio.Reader) { readHead(in) })
		if _, _, err := read(closing.transport(), expecting(t, http.MethodPost, body)); err == nil || body.reads.Load() != 0 {
			t.Errorf("a closed connection: got %v and %d reads", err, body.reads.Load())
		}
	})
}

func TestTransport_InterimTakesAnswers(t *testing.T) {
	onNetworks(t, func(t *testing.T, network string) {
		i := start(t, network, answering("HTTP/1.1 102 Processing\r\nX-Mark: 1\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"))
		transport, taken := i.transport(), ""
		transport.Interim = func(_ *http.Request, status int, header http.Header) bool {
			taken = http.StatusText(status) + header.Get("X-Mark")
			return true
		}
		if _, content, err := read(transport, request(t, http.MethodGet, nil)); err != nil || content != "ok" || taken != "Processing1" {
			t.Errorf("got %q, %v, taken %q", content, err, taken)
		}
	})
}

func TestTransport_CloseKeepsNoConnections(t *testing.T) {
	onNetworks(t, func(t *testing.T, network string) {
		i := start(t, network, answering("HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n"))
		var dials atomic.Int64
		address := i.address
		transport := &upstream.Transport{Dial: func(ctx context.Context) (net.Conn, error) {
			dials.Add(1)
			return new(net.Dialer).DialContext(ctx, address.Network(), address.Endpoint())
		}}
		for range 2 {
			if _, _, err := read(transport, request(t, http.MethodGet, nil)); err != nil {
				t.Fatal(err)
			}
		}
		if n := dials.Load(); n != 1 {
			t.Errorf("two calls made %d connections, want 1", n)
		}
		transport.Close()
		for range 2 {
			if _, _, err := read(transport, request(t, http.MethodGet, nil)); err != nil {
				t.Fatal(err)
			}
		}
		if n := dials.Load(); n != 3 {
			t.Errorf("after Close there are %d connections, want 3", n)
		}
	})
}
