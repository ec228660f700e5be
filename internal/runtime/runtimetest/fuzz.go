package runtimetest

import (
	"errors"
	"io"
	"net"
	"testing"
	"time"
)

// FuzzRaw sends anything at all to a bootstrap's own HTTP server, which must go on
// serving. The function answers with the body of its event.
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
		// It may hang up before it has read everything.
		_, _ = conn.Write(input)
		if half, ok := conn.(*net.UnixConn); ok {
			_ = half.CloseWrite()
		}
		if _, err := io.Copy(io.Discard, conn); err != nil && isTimeout(err) {
			t.Errorf("the connection stays open after its end: %v", err)
		}
		if got := in.Do(t, Call{Body: "still here"}); got.Body != "still here" {
			t.Errorf("after that, the answer is %+v", got)
		}
	})
}

func isTimeout(err error) bool {
	timeout, ok := errors.AsType[net.Error](err)
	return ok && timeout.Timeout()
}
