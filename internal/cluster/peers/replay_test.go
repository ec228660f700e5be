package peers_test

import (
	"bytes"
	"errors"
	"io"
	"net"
	"net/http"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/jeton-dev/jeton/internal/store"
)

// A recorder passes connections on to a node, and keeps what was sent.
type recorder struct {
	net.Listener

	mu   sync.Mutex
	sent [][]byte
}

func record(t *testing.T, to string) *recorder {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = l.Close() })
	r := &recorder{Listener: l}
	go func() {
		for {
			from, err := l.Accept()
			if err != nil {
				return
			}
			go r.pass(from, to)
		}
	}()
	return r
}

func (r *recorder) pass(from net.Conn, to string) {
	defer from.Close()
	server, err := net.Dial("tcp", to)
	if err != nil {
		return
	}
	defer server.Close()
	r.mu.Lock()
	r.sent = append(r.sent, nil)
	number := len(r.sent) - 1
	r.mu.Unlock()
	go func() { _, _ = io.Copy(from, server) }()
	buffer := make([]byte, 64<<10)
	for {
		n, err := from.Read(buffer)
		r.mu.Lock()
		r.sent[number] = append(r.sent[number], buffer[:n]...)
		r.mu.Unlock()
		if _, failed := server.Write(buffer[:n]); err != nil || failed != nil {
			return
		}
	}
}

// Somebody between two nodes sends what it has seen again, as a whole and in parts.
func TestPeers_RefuseReplayedRequests(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	a, b := w.start("a", 0), w.start("b", 0)
	between := record(t, b.member.Address)
	way := store.Member{Incarnation: "b", Node: "b", Address: between.Addr().String()}
	if _, err := a.Peers.Acknowledge(t.Context(), way, store.Position{Number: 7, UID: "u"}); err != nil {
		t.Fatal(err)
	}
	if status := call(t, &node{member: way}, w.identity("a", time.Now).ClientConfig("b")); status != http.StatusOK {
		t.Fatalf("a call by way of the recorder: got status %d", status)
	}
	asked, called := b.asked.Load(), b.called.Load()
	if asked != 1 || called != 1 {
		t.Fatalf("got %d questions and %d calls, want one of each", asked, called)
	}
	between.mu.Lock()
	defer between.mu.Unlock()
	for i, sent := range between.sent {
		for _, replayed := range [][]byte{sent, sent[len(sent)/2:], bytes.Repeat(sent, 2)} {
			conn, err := net.Dial("tcp", b.member.Address)
			if err != nil {
				t.Fatal(err)
			}
			if _, err := conn.Write(replayed); err != nil {
				t.Fatal(err)
			}
			// The node ends the connection.
			_ = conn.SetReadDeadline(time.Now().Add(time.Minute))
			if _, err := io.Copy(io.Discard, conn); err != nil && !isReset(err) {
				t.Errorf("connection %d: %v", i, err)
			}
			_ = conn.Close()
		}
	}
	if len(between.sent) != 2 || b.asked.Load() != asked || b.called.Load() != called {
		t.Errorf("%d connections were replayed: %d questions and %d calls got through", len(between.sent), b.asked.Load()-asked, b.called.Load()-called)
	}
}

func isReset(err error) bool { return errors.Is(err, syscall.ECONNRESET) }
