package link_test

import (
	"io"
	"net"
	"testing"
	"time"

	"github.com/jeton-dev/jeton/test/link"
)

// echo returns the address of a server that returns what it receives.
func echo(t *testing.T) string {
	t.Helper()
	listener, err := new(net.ListenConfig).Listen(t.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = listener.Close() })
	go func() {
		for {
			conn, err := listener.Accept()
			if err != nil {
				return
			}
			go func() {
				defer conn.Close()
				_, _ = io.Copy(conn, conn)
			}()
		}
	}()
	return listener.Addr().String()
}

func TestCut_StopsBytesUntilMend(t *testing.T) {
	t.Parallel()
	l, err := link.New(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = l.Close() }()
	l.To("tcp", echo(t))
	dial := func() net.Conn {
		conn, err := new(net.Dialer).DialContext(t.Context(), "tcp", l.Address())
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _ = conn.Close() })
		return conn
	}
	answers := func(conn net.Conn, patience time.Duration) bool {
		_ = conn.SetDeadline(time.Now().Add(patience))
		if _, err := conn.Write([]byte("x")); err != nil {
			return false
		}
		_, err := io.ReadFull(conn, make([]byte, 1))
		return err == nil
	}
	before := dial()
	if !answers(before, time.Minute) {
		t.Fatal("the link passes nothing")
	}
	l.Cut()
	during := dial()
	if answers(before, 50*time.Millisecond) || answers(during, 50*time.Millisecond) {
		t.Error("a link that is cut passes bytes")
	}
	l.Mend()
	if answers(before, time.Minute) {
		t.Error("a connection from before the cut goes on")
	}
	if !answers(dial(), time.Minute) {
		t.Error("a link that was mended passes nothing")
	}
}
