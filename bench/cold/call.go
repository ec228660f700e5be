package cold

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"strings"
	"sync"
	"time"

	"github.com/jeton-dev/jeton/bench/harness"
)

// Call sends a request over a connection, reads the whole answer, and returns the
// time to its first byte.
func Call(conn net.Conn, host string) (time.Duration, error) {
	began := time.Now()
	if _, err := fmt.Fprintf(conn, "GET / HTTP/1.1\r\nHost: %s\r\n\r\n", host); err != nil {
		return 0, err
	}
	if err := conn.SetReadDeadline(time.Now().Add(time.Minute)); err != nil {
		return 0, err
	}
	text := make([]byte, 64<<10)
	n, err := io.ReadAtLeast(conn, text, 1)
	took := time.Since(began)
	for err == nil && !strings.HasSuffix(string(text[:n]), harness.Hello) {
		if !strings.HasPrefix(string(text[:n]), "HTTP/1.1 200") {
			return 0, fmt.Errorf("call %s: got %.300q, want 200", host, text[:n])
		}
		var more int
		more, err = conn.Read(text[n:])
		n += more
	}
	return took, err
}

// CallAtOnce waits until there are no instances, calls a function at each host at
// once, and returns the milliseconds of each call.
func (s *Server) CallAtOnce(ctx context.Context, hosts []string) ([]float64, error) {
	if err := s.WaitWarm(ctx); err != nil {
		return nil, err
	}
	conns := make([]net.Conn, len(hosts))
	for i := range conns {
		conn, err := s.Dial()
		if err != nil {
			return nil, err
		}
		defer conn.Close()
		conns[i] = conn
	}
	return AtOnce(hosts, func(i int) (float64, error) {
		took, err := Call(conns[i], hosts[i])
		return harness.Milliseconds(took), err
	})
}

// AtOnce calls do with each index concurrently, and returns the results.
func AtOnce[T any](of []T, do func(int) (float64, error)) ([]float64, error) {
	took, failures := make([]float64, len(of)), make([]error, len(of))
	var group sync.WaitGroup
	for i := range of {
		group.Go(func() { took[i], failures[i] = do(i) })
	}
	group.Wait()
	return took, errors.Join(failures...)
}
