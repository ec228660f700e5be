package runtimetest

import (
	"errors"
	"io"
	"net"
	"testing"
	"time"
)

// FuzzRaw sends any bytes to the HTTP server of a bootstrap, which must continue to serve.
// The function returns the body of its event.
func FuzzRaw(f *testing.F, in *Instance) {
	for _, test := range rawCases() {
		f.Add([]byte(test.request))
	}
	f.Add([]byte("POST /%ff?a&=b&c=%zz HTTP/1.1\r\nX: \xff\r\nContent-Length: 4\r\n\r\nab\xff\x00GET / HTTP/1.1\r\n\r\n"))
	f.Fuzz(func(t *testing.T, input []byte) {
		conn := dial(t, in)
		if err := conn.SetDeadline(time.Now().Add(patience)); err != nil {
			t.Fatal(err)
		}
		// The server may close the connection before it has read all bytes.
		_, _ = conn.Write(input)
		if half, ok := conn.(*net.UnixConn); ok {
			_ = half.CloseWrite()
		}
		if _, err := io.Copy(io.Discard, conn); err != nil && isTimeout(err) {
			t.Errorf("the server did not close the connection: %v", err)
		}
		if got := in.Do(t, Call{Body: "still here"}); got.Body != "still here" {
			t.Errorf("got %+v from the next call, want its body", got)
		}
	})
}

func isTimeout(err error) bool {
	timeout, ok := errors.AsType[net.Error](err)
	return ok && timeout.Timeout()
}
