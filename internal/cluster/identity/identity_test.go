package identity_test

import (
	"bytes"
	"context"
	"crypto/tls"
	"log/slog"
	"net"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/jeton-dev/jeton/internal/cluster/identity"
	"github.com/jeton-dev/jeton/internal/secret"
)

// settings are the settings of one database.
type settings struct {
	mu     sync.Mutex
	values map[string][]byte
}

func newSettings() *settings { return &settings{values: map[string][]byte{}} }

// ChangeSetting implements identity.Settings.
func (s *settings) ChangeSetting(_ context.Context, name string, change func([]byte) ([]byte, error)) ([]byte, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	value, err := change(s.values[name])
	if err == nil {
		s.values[name] = value
	}
	return value, err
}

// node is a node with an identity and a clock of its own.
type node struct {
	*identity.Identity

	incarnation string
	now         time.Time
}

var began = time.Date(2030, 1, 1, 0, 0, 0, 0, time.UTC)

func newNode(t *testing.T, s *settings, incarnation string, now time.Time) *node {
	t.Helper()
	n := &node{incarnation: incarnation, now: now}
	n.Identity = must(t, s, n, 1)
	return n
}

func must(t *testing.T, s *settings, n *node, key byte) *identity.Identity {
	t.Helper()
	i, err := open(s, n, key)
	if err != nil {
		t.Fatal(err)
	}
	return i
}

func open(s *settings, n *node, key byte) (*identity.Identity, error) {
	sealer, err := secret.NewSealer(bytes.Repeat([]byte{key}, secret.KeySize))
	if err != nil {
		return nil, err
	}
	return identity.Open(context.Background(), identity.Config{
		Settings: s, Setting: "authority", Sealer: sealer, Incarnation: func() string { return n.incarnation },
		Now: func() time.Time { return n.now }, Log: slog.New(slog.DiscardHandler),
	})
}

// connect connects a client that expects an incarnation to a server, and returns which
// incarnation the server sees, and the errors of both.
func connect(t *testing.T, client, server *tls.Config, peer func(*tls.ConnectionState) string) (seen string, clientErr, serverErr error) {
	t.Helper()
	a, b := net.Pipe()
	defer a.Close()
	defer b.Close()
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	served := make(chan error, 1)
	go func() {
		accepted := tls.Server(b, server)
		err := accepted.HandshakeContext(ctx)
		if err == nil {
			state := accepted.ConnectionState()
			seen = peer(&state)
			_, err = accepted.Write([]byte("x"))
		}
		_ = b.Close()
		served <- err
	}()
	dialed := tls.Client(a, client)
	if clientErr = dialed.HandshakeContext(ctx); clientErr == nil {
		// In TLS 1.3 the client learns with the first read that it was refused.
		_, clientErr = dialed.Read(make([]byte, 1))
	}
	_ = a.Close()
	serverErr = <-served
	return seen, clientErr, serverErr
}

func TestIdentity_ConnectsNodesWhoseClocksDiffer(t *testing.T) {
	t.Parallel()
	s := newSettings()
	for _, skew := range []time.Duration{0, 10 * time.Minute, -10 * time.Minute, 50 * time.Minute} {
		a, b := newNode(t, s, "a", began), newNode(t, s, "b", began.Add(skew))
		seen, clientErr, serverErr := connect(t, a.ClientConfig("b"), b.ServerConfig(), b.Peer)
		if seen != "a" || clientErr != nil || serverErr != nil {
			t.Errorf("clocks differ by %v: the server sees %q, %v, %v", skew, seen, clientErr, serverErr)
		}
	}
}

// connected reports whether a connection is made.
func connected(t *testing.T, from, to *node) bool {
	t.Helper()
	_, clientErr, serverErr := connect(t, from.ClientConfig(to.incarnation), to.ServerConfig(), to.Peer)
	return clientErr == nil && serverErr == nil
}

func TestIdentity_RefusesForgedCertificates(t *testing.T) {
	t.Parallel()
	s := newSettings()
	a, b := newNode(t, s, "a", began), newNode(t, s, "b", began)
	// The names are right, the authority is not.
	forged := newNode(t, newSettings(), "a", began)
	if connected(t, forged, b) {
		t.Error("the server accepts a client of another authority")
	}
	if connected(t, b, forged) {
		t.Error("the client accepts a server of another authority")
	}
	if _, clientErr, _ := connect(t, a.ClientConfig("c"), b.ServerConfig(), b.Peer); clientErr == nil {
		t.Error("the client accepts a server that is another incarnation")
	}
	noCertificate := &tls.Config{InsecureSkipVerify: true}
	if _, clientErr, _ := connect(t, noCertificate, b.ServerConfig(), b.Peer); clientErr == nil {
		t.Error("the server accepts a client without a certificate")
	}
	notJoined := newNode(t, s, "", began)
	if connected(t, notJoined, b) {
		t.Error("a node that has not joined connects")
	}
}

func TestIdentity_RefusesExpiredCertificates(t *testing.T) {
	t.Parallel()
	s := newSettings()
	old, b := newNode(t, s, "a", began), newNode(t, s, "b", began)
	if !connected(t, old, b) {
		t.Fatal("not connected")
	}
	b.now = began.Add(25 * time.Hour) // The clock of a still shows the old time.
	if connected(t, old, b) {
		t.Error("the server accepts an expired certificate")
	}
	if connected(t, b, old) {
		t.Error("the client accepts an expired certificate")
	}
	old.now = b.now
	if !connected(t, old, b) {
		t.Error("a new certificate is not issued in time")
	}
}

func TestIdentity_OutlivedConnectionHasNoPeer(t *testing.T) {
	t.Parallel()
	s := newSettings()
	a, b := newNode(t, s, "a", began), newNode(t, s, "b", began)
	late := func(state *tls.ConnectionState) string {
		b.now = b.now.Add(25 * time.Hour)
		return b.Peer(state)
	}
	if seen, _, _ := connect(t, a.ClientConfig("b"), b.ServerConfig(), late); seen != "" {
		t.Errorf("a connection that has outlived its certificate is that of %q", seen)
	}
}

func TestIdentity_NewIncarnationHasNewCertificate(t *testing.T) {
	t.Parallel()
	s := newSettings()
	a, b := newNode(t, s, "a1", began), newNode(t, s, "b", began)
	_, _, _ = connect(t, a.ClientConfig("b"), b.ServerConfig(), b.Peer)
	a.incarnation = "a2"
	if seen, _, _ := connect(t, a.ClientConfig("b"), b.ServerConfig(), b.Peer); seen != "a2" {
		t.Errorf("the server sees %q, want a2", seen)
	}
}

// For two years, nodes that read the authorities every ten minutes, at different times and
// with clocks that differ, always connect, although authorities are replaced.
func TestIdentity_RotatesAuthorityWithoutInterruption(t *testing.T) {
	t.Parallel()
	s := newSettings()
	a, b := newNode(t, s, "a", began), newNode(t, s, "b", began.Add(5*time.Minute))
	refresh := func(n *node) {
		if err := n.Refresh(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	first := bytes.Clone(s.values["authority"])
	for step := range 2 * 365 * 24 {
		a.now, b.now = a.now.Add(time.Hour), b.now.Add(time.Hour)
		// Node b has read the authorities ten minutes before.
		refresh(b)
		a.now = a.now.Add(10 * time.Minute)
		refresh(a)
		// The result can differ around a change of authority only, after every ninety days.
		if day := step / 24 % 90; (day == 89 || day < 2) && (!connected(t, a, b) || !connected(t, b, a)) {
			t.Fatalf("the nodes do not connect after %d hours", step)
		}
		a.now = a.now.Add(-10 * time.Minute)
	}
	if bytes.Equal(first, s.values["authority"]) {
		t.Error("the authority was never replaced")
	}
	if bytes.Contains(s.values["authority"], []byte("authorities")) {
		t.Error("the authorities are stored in clear")
	}
}

func TestOpen_RefusesOtherSealingKey(t *testing.T) {
	t.Parallel()
	s := newSettings()
	a := newNode(t, s, "a", began)
	stored := bytes.Clone(s.values["authority"])
	_, err := open(s, a, 2)
	if err == nil || !strings.Contains(err.Error(), "read the certificate authority of the cluster") {
		t.Errorf("another sealing key: got %v, want an error", err)
	}
	if !bytes.Equal(stored, s.values["authority"]) {
		t.Error("the authorities were changed")
	}
}

// Nodes that start together use the authority of the first.
func TestOpen_RacedByNodes(t *testing.T) {
	t.Parallel()
	s := newSettings()
	nodes := make([]*node, 5)
	var group sync.WaitGroup
	for i := range nodes {
		group.Go(func() {
			n := &node{incarnation: string(rune('a' + i)), now: began}
			n.Identity, _ = open(s, n, 1)
			nodes[i] = n
		})
	}
	group.Wait()
	for _, n := range nodes[1:] {
		if n.Identity == nil || !connected(t, nodes[0], n) {
			t.Errorf("%s does not connect", n.incarnation)
		}
	}
}

// The clock of one node is half a year ahead, when it starts and later. The other nodes
// still connect to each other, when that clock was corrected and when the authority that
// it has made is the newest, too.
func TestIdentity_NodeWithAWrongClockHarmsNoOthers(t *testing.T) {
	t.Parallel()
	s := newSettings()
	a, b := newNode(t, s, "a", began), newNode(t, s, "b", began)
	for _, ahead := range []time.Duration{179 * day, 181 * day, 400 * day, -400 * day} {
		wrong := newNode(t, s, "wrong", began.Add(ahead))
		for range 3 {
			refresh(t, wrong, a, b)
		}
		if !connected(t, a, b) || !connected(t, b, a) {
			t.Errorf("nodes with right clocks do not connect beside one that is %v ahead", ahead)
		}
		if ahead > certificateLifetime && (connected(t, wrong, a) || connected(t, a, wrong)) {
			t.Errorf("a node that is %v ahead connects", ahead)
		}
		wrong.now = began
		refresh(t, wrong)
		if !connected(t, wrong, a) || !connected(t, a, wrong) {
			t.Errorf("a node that was %v ahead does not connect after its clock was corrected", ahead)
		}
	}
	for at := time.Duration(0); at < 800*day; at += 5 * day {
		a.now, b.now = began.Add(at), began.Add(at)
		refresh(t, a, b)
		if !connected(t, a, b) || !connected(t, b, a) {
			t.Fatalf("nodes do not connect after %v", at)
		}
	}
}

const (
	day                 = 24 * time.Hour
	certificateLifetime = day
)

func refresh(t *testing.T, nodes ...*node) {
	t.Helper()
	for _, n := range nodes {
		if err := n.Refresh(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
}
