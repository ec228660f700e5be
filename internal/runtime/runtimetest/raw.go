package runtimetest

import (
	"bufio"
	"context"
	"io"
	"net"
	"net/http"
	"strings"
	"testing"
)

// A rawCase has the bytes of a request, and the expected response.
type rawCase struct {
	request string
	// body is the body of the response. closed means that the server closes the
	// connection without a response.
	body   string
	closed bool
}

func rawCases() map[string]rawCase {
	return map[string]rawCase{
		"a length": {request: "POST / HTTP/1.1\r\nContent-Length: 3\r\n\r\nabc", body: "abc"},
		"chunks with a trailer": {
			request: "POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n3;x=y\r\nabc\r\nA\r\n0123456789\r\n0\r\nX: y\r\n\r\n", body: "abc0123456789",
		},
		"a body that is waited for": {
			request: "POST / HTTP/1.1\r\nExpect: 100-continue\r\nContent-Length: 3\r\n\r\nabc", body: "abc",
		},
		"another protocol":    {request: "\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03\r\n\r\n", closed: true},
		"an older protocol":   {request: "GET / HTTP/1.0\r\n\r\n", closed: true},
		"no request line":     {request: "\r\n\r\n", closed: true},
		"a header in two":     {request: "GET / HTTP/1.1\r\nA: b\r\n c\r\n\r\n", closed: true},
		"a negative length":   {request: "POST / HTTP/1.1\r\nContent-Length: -1\r\n\r\n", closed: true},
		"a length of digits":  {request: "POST / HTTP/1.1\r\nContent-Length: ²\r\n\r\n", closed: true},
		"a chunk of signs":    {request: "POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n-5\r\n", closed: true},
		"a chunk of nothing":  {request: "POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n\r\n", closed: true},
		"endless headers":     {request: "GET / HTTP/1.1\r\n" + strings.Repeat("A: "+strings.Repeat("b", 60000)+"\r\n", 40) + "\r\n", closed: true},
		"a length beyond all": {request: "POST / HTTP/1.1\r\nContent-Length: 999999999999999999\r\n\r\nabc", closed: true},
		"a length of many digits": {
			request: "POST / HTTP/1.1\r\nContent-Length: " + strings.Repeat("9", 5000) + "\r\n\r\nabc", closed: true,
		},
		"a chunk beyond all": {
			request: "POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\nfffffffffffffff\r\nabc", closed: true,
		},
	}
}

// TestRaw sends bytes to the HTTP server of a bootstrap. It must respond to valid requests,
// and close only the connection of an invalid one. The function returns the body of its
// event.
func TestRaw(t *testing.T, in *Instance) {
	for name, test := range rawCases() {
		t.Run(name, func(t *testing.T) {
			conn := dial(t, in)
			// The server may close the connection before it has read all bytes.
			_, _ = io.WriteString(conn, test.request)
			if half, ok := conn.(*net.UnixConn); ok && test.closed {
				_ = half.CloseWrite()
			}
			answers := bufio.NewReader(conn)
			response, err := readFinal(answers)
			if test.closed {
				if err == nil {
					t.Fatalf("got response %d, want a closed connection", response.StatusCode)
				}
				return
			}
			if err != nil {
				t.Fatalf("got no response: %v", err)
			}
			defer response.Body.Close()
			if body, err := io.ReadAll(response.Body); err != nil || string(body) != test.body {
				t.Errorf("got %q, %v, want %q", body, err, test.body)
			}
		})
	}
	if got := in.Do(t, Call{Body: "still here"}); got.Body != "still here" {
		t.Errorf("got %+v from a call afterwards, want its body", got)
	}
}

func dial(t *testing.T, in *Instance) net.Conn {
	t.Helper()
	transport, ok := in.Client.Transport.(*http.Transport)
	if !ok {
		t.Fatal("the client has no *http.Transport")
	}
	conn, err := transport.DialContext(context.Background(), "", "")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = conn.Close() })
	return conn
}

// readFinal returns the response after any 100 Continue.
func readFinal(r *bufio.Reader) (*http.Response, error) {
	for {
		response, err := http.ReadResponse(r, nil)
		if err != nil || response.StatusCode != http.StatusContinue {
			return response, err
		}
	}
}
