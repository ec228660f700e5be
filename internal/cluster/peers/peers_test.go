package peers_test

import (
	"bytes"
	"context"
	"crypto/tls"
	"errors"
	"io"
	"log/slog"
	"net"
	"net/http"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/jeton-dev/jeton/internal/cluster"
	"github.com/jeton-dev/jeton/internal/cluster/identity"
	"github.com/jeton-dev/jeton/internal/cluster/peers"
	"github.com/jeton-dev/jeton/internal/secret"
	"github.com/jeton-dev/jeton/internal/store"
	"github.com/jeton-dev/jeton/test/await"
)

// world is the settings and the members of one database.
type world struct {
	t        *testing.T
	mu       sync.Mutex
	settings []byte
	members  map[string]store.Member
}

func newWorld(t *testing.T) *world {
	t.Helper()
	return &world{t: t, members: map[string]store.Member{}}
}

// ChangeSetting implements identity.Settings.
func (w *world) ChangeSetting(_ context.Context, _ string, change func([]byte) ([]byte, error)) ([]byte, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	value, err := change(w.settings)
	if err == nil {
		w.settings = value
	}
	return value, err
}

func (w *world) remove(incarnation string) {
	w.mu.Lock()
	defer w.mu.Unlock()
	delete(w.members, incarnation)
}

// node is a node with a running server.
type node struct {
	*peers.Peers

	member store.Member
	world  *world
	// asked and called count what got through.
	asked, called atomic.Int64
}

// Member implements peers.Node.
func (n *node) Member(incarnation string) (store.Member, bool) {
	n.world.mu.Lock()
	defer n.world.mu.Unlock()
	m, ok := n.world.members[incarnation]
	return m, ok
}

// Acknowledge implements peers.Node.
func (n *node) Acknowledge(_ context.Context, p store.Position) cluster.Acknowledgement {
	n.asked.Add(1)
	return cluster.Acknowledgement{Incarnation: n.member.Incarnation, Applied: true, At: p}
}

// identity returns the identity of an incarnation of the cluster.
func (w *world) identity(incarnation string, now func() time.Time) *identity.Identity {
	w.t.Helper()
	sealer, err := secret.NewSealer(bytes.Repeat([]byte{1}, secret.KeySize))
	if err != nil {
		w.t.Fatal(err)
	}
	i, err := identity.Open(w.t.Context(), identity.Config{
		Settings: w, Setting: "x", Sealer: sealer, Incarnation: func() string { return incarnation }, Now: now, Log: slog.New(slog.DiscardHandler),
	})
	if err != nil {
		w.t.Fatal(err)
	}
	return i
}

// start runs a node that is a member, with a limit of connections.
func (w *world) start(incarnation string, most int) *node {
	w.t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		w.t.Fatal(err)
	}
	n := &node{world: w, member: store.Member{Incarnation: incarnation, Node: incarnation, Address: l.Addr().String()}}
	n.Peers, err = peers.New(peers.Config{Identity: w.identity(incarnation, time.Now), Log: slog.New(slog.DiscardHandler), MaxConnections: most})
	if err != nil {
		w.t.Fatal(err)
	}
	n.Attach(n)
	n.HandleCalls(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		n.called.Add(1)
		_, _ = io.Copy(w, r.Body)
	}), nil)
	n.Handle("POST /size", http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		size, err := io.Copy(io.Discard, r.Body)
		if _, tooLarge := errors.AsType[*http.MaxBytesError](err); tooLarge {
			w.WriteHeader(http.StatusRequestEntityTooLarge)
		}
		_, _ = io.WriteString(w, strconv.FormatInt(size, 10))
	}))
	s := n.Server()
	s.ErrorLog = slog.NewLogLogger(slog.DiscardHandler, slog.LevelDebug)
	go func() { _ = s.Serve(n.Listener(l)) }()
	w.t.Cleanup(func() { _ = s.Close() })
	w.mu.Lock()
	defer w.mu.Unlock()
	w.members[incarnation] = n.member
	return n
}

// ask asks a node about a change.
func ask(t *testing.T, from, to *node) (cluster.Acknowledgement, error) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	return from.Peers.Acknowledge(ctx, to.member, store.Position{Number: 7, UID: "u"})
}

// call sends a forwarded call with a TLS configuration, and returns its status, 0 if there
// is no answer.
func call(t *testing.T, to *node, config *tls.Config) int {
	t.Helper()
	client := &http.Client{Transport: &http.Transport{TLSClientConfig: config, DisableKeepAlives: true}, Timeout: time.Minute}
	r, err := http.NewRequestWithContext(t.Context(), http.MethodPost, "https://"+to.member.Address+"/x", strings.NewReader("body"))
	if err != nil {
		t.Fatal(err)
	}
	r.Header.Set(peers.CallHeader, "membership=1")
	response, err := client.Do(r)
	if err != nil {
		return 0
	}
	defer response.Body.Close()
	return response.StatusCode
}

func TestPeers_AskAndCarryCalls(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	a, b := w.start("a", 0), w.start("b", 0)
	answer, err := ask(t, a, b)
	if err != nil || !answer.Applied || answer.Incarnation != "b" || answer.At.UID != "u" {
		t.Errorf("got %+v, %v", answer, err)
	}
	if status := call(t, b, w.identity("a", time.Now).ClientConfig("b")); status != http.StatusOK {
		t.Errorf("a call of a member: got status %d", status)
	}
	for size, want := range map[int]int{peers.MaxBody: http.StatusOK, peers.MaxBody + 1: http.StatusRequestEntityTooLarge} {
		r, err := http.NewRequestWithContext(t.Context(), http.MethodPost, "http://node/size", bytes.NewReader(make([]byte, size)))
		if err != nil {
			t.Fatal(err)
		}
		response, err := a.Do(b.member, r)
		if err != nil {
			t.Fatal(err)
		}
		_ = response.Body.Close()
		if response.StatusCode != want {
			t.Errorf("a body of %d bytes: got status %d, want %d", size, response.StatusCode, want)
		}
	}
}

// No call and no question of a process that is not a member gets through.
func TestPeers_RefuseNonMembers(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	b, fenced := w.start("b", 0), w.start("fenced", 0)
	if _, err := ask(t, fenced, b); err != nil {
		t.Fatalf("before the fence: %v", err)
	}
	b.asked.Store(0)
	w.remove("fenced")
	other := newWorld(t)
	for name, client := range map[string]*tls.Config{
		"a forged certificate":                         other.identity("a", time.Now).ClientConfig("b"),
		"a forged certificate without a check of ours": withoutCheck(other.identity("a", time.Now).ClientConfig("b")),
		"an expired certificate":                       withoutCheck(w.identity("a", func() time.Time { return time.Now().Add(-26 * time.Hour) }).ClientConfig("b")),
		"a fenced incarnation":                         w.identity("fenced", time.Now).ClientConfig("b"),
		"an incarnation that never was":                w.identity("never", time.Now).ClientConfig("b"),
		"no certificate":                               {InsecureSkipVerify: true},
	} {
		if status := call(t, b, client); status != 0 && status != http.StatusForbidden {
			t.Errorf("%s: got status %d", name, status)
		}
	}
	// The connection of the fenced node was made while it was a member.
	if _, err := ask(t, fenced, b); err == nil {
		t.Error("a fenced node gets an answer")
	}
	if n, m := b.called.Load(), b.asked.Load(); n != 0 || m != 0 {
		t.Errorf("%d calls and %d questions got through", n, m)
	}
	// The other way: this node asks nobody who is not the member.
	impostor := store.Member{Incarnation: "b", Node: "b", Address: other.start("b", 0).member.Address}
	a := w.start("a", 0)
	if _, err := a.Peers.Acknowledge(t.Context(), impostor, store.Position{}); err == nil {
		t.Error("a server with a forged certificate is asked")
	}
	moved := store.Member{Incarnation: "b2", Node: "b", Address: b.member.Address}
	if _, err := a.Peers.Acknowledge(t.Context(), moved, store.Position{}); err == nil {
		t.Error("another incarnation than the member is asked")
	}
}

func withoutCheck(c *tls.Config) *tls.Config {
	c.VerifyConnection = nil
	return c
}

// Connections that prove nothing do not keep members out, and end by themselves.
func TestPeers_BoundHostileConnections(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	a, b := w.start("a", 0), w.start("b", 0)
	if _, err := ask(t, a, b); err != nil {
		t.Fatal(err)
	}
	closed := make(chan struct{}, 100)
	for range 100 {
		conn, err := net.Dial("tcp", b.member.Address)
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _ = conn.Close() })
		go func() {
			_, _ = conn.Read(make([]byte, 1))
			closed <- struct{}{}
		}()
	}
	// More than 64 connections of one address are closed at once, the others when the time
	// for a handshake is over.
	for range 36 {
		await.Receive(t, "a closed connection", closed)
	}
	if _, err := ask(t, a, b); err != nil {
		t.Errorf("a member that is connected: %v", err)
	}
	for range 64 {
		await.Receive(t, "a closed connection", closed)
	}
	if status := call(t, b, w.identity("a", time.Now).ClientConfig("b")); status != http.StatusOK {
		t.Errorf("after the flood: got status %d", status)
	}
}

func TestPeers_LimitConnections(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	b := w.start("b", 2)
	client := w.identity("b", time.Now).ClientConfig("b")
	var open []*tls.Conn
	for range 2 {
		conn, err := tls.Dial("tcp", b.member.Address, client)
		if err != nil {
			t.Fatal(err)
		}
		open = append(open, conn)
	}
	if conn, err := tls.Dial("tcp", b.member.Address, client); err == nil {
		_ = conn.Close()
		t.Error("a third connection is accepted, want two")
	}
	for _, conn := range open {
		_ = conn.Close()
	}
	await.True(t, "a connection is accepted again", func() bool {
		conn, err := tls.Dial("tcp", b.member.Address, client)
		return err == nil && conn.Close() == nil
	})
}
