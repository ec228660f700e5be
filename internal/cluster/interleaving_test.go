package cluster_test

import (
	"fmt"
	"net/url"
	"path/filepath"
	"testing"
	"time"

	"github.com/jeton-dev/jeton/internal/store"
	"github.com/jeton-dev/jeton/test/await"
	"github.com/jeton-dev/jeton/test/link"
)

// linked returns a member whose connections to the database can be cut.
func (w *world) linked(name string) (*node, *link.Link) {
	w.t.Helper()
	l, err := link.New(w.t.Context())
	if err != nil {
		w.t.Fatal(err)
	}
	w.t.Cleanup(func() { _ = l.Close() })
	direct, err := url.Parse(w.address)
	if err != nil {
		w.t.Fatal(err)
	}
	l.To("unix", filepath.Join(direct.Query().Get("host"), ".s.PGSQL.5432"))
	n := w.openAt("postgres://jeton@"+l.Address()+direct.Path+"?sslmode=disable", name)
	if err := n.Join(w.t.Context()); err != nil {
		w.t.Fatal(err)
	}
	n.run()
	return n, l
}

// A writer is paused in its transaction for longer than its lease. It holds the lock of the
// head row, which everyone else needs, until PostgreSQL ends its session.
func TestWriterPausedInATransaction_DoesNotStopTheOthers(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	a := w.join("a")
	a.put(project, namespace, token("t"))
	paused := w.openAt(w.address+"&idle_in_transaction_session_timeout=500", "b")
	if err := paused.Join(t.Context()); err != nil {
		t.Fatal(err)
	}
	paused.run()
	resume, inside, ended := make(chan struct{}), make(chan struct{}, 10), make(chan error, 1)
	go func() {
		ended <- paused.request(func(tx store.Tx) error {
			inside <- struct{}{}
			<-resume
			return tx.Put(token("late"))
		})
	}()
	<-inside
	if err := a.delete(token("t")); err != nil {
		t.Errorf("a deletion while a writer is paused: %v", err)
	}
	if paused.admits("t") {
		t.Error("the paused node admits the token")
	}
	close(resume)
	// The transaction was rolled back, and runs again or fails.
	if err := <-ended; err == nil && !a.admits("late") {
		t.Error("the change of the paused writer was answered, and another node does not show it")
	}
}

// A node is cut off while a token is deleted and the log loses that change: the snapshot
// that it loads does not have the token.
func TestCutOffNode_LoadsASnapshotWithoutOldDeletions(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	a := w.join("a")
	cut, way := w.linked("b")
	a.put(project, namespace, token("t"))
	if !cut.admits("t") {
		t.Fatal("the node does not admit the token")
	}
	way.Cut()
	cut.deaf.Store(true)
	if err := a.delete(token("t")); err != nil {
		t.Fatal(err)
	}
	if cut.admits("t") {
		t.Error("the deletion was answered while the node that is cut off admits the token")
	}
	for i := range 2 * kept {
		a.put(token(fmt.Sprint("new", i)))
	}
	way.Mend()
	cut.deaf.Store(false)
	await.True(t, "the node serves again", func() bool { return cut.admits(fmt.Sprint("new", 2*kept-1)) })
	if cut.admits("t") {
		t.Error("the node admits the token after it has loaded a snapshot")
	}
}

// PostgreSQL is gone for longer than the lease. No node serves meanwhile, and no node is
// fenced when it is back: no member could renew.
func TestDatabaseOutage_FencesNobody(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	a, wayOfA := w.linked("a")
	b, wayOfB := w.linked("b")
	a.put(project, namespace, token("t"))
	first, second := a.Incarnation(), b.Incarnation()
	for range 3 {
		wayOfA.Cut()
		wayOfB.Cut()
		await.True(t, "the leases end", func() bool { return !a.Held() && !b.Held() })
		if a.admits("t") || b.admits("t") {
			t.Error("a node admits a token without a lease")
		}
		wayOfA.Mend()
		wayOfB.Mend()
		await.True(t, "both serve again", func() bool { return a.admits("t") && b.admits("t") })
	}
	if a.Incarnation() != first || b.Incarnation() != second {
		t.Error("a node was fenced although no node could renew")
	}
}

// The time of day of a node jumps. A jump forward ends its lease at once, one back does not
// extend it, and neither makes it fence others.
func TestClockJump_FencesNobody(t *testing.T) {
	t.Parallel()
	_, nodes := three(t)
	nodes[0].put(token("t"))
	first := nodes[2].Incarnation()
	for _, jump := range []time.Duration{time.Hour, -2 * time.Hour, 3 * time.Hour} {
		nodes[1].jump.Add(int64(jump))
		await.True(t, "the node renews", func() bool { return nodes[1].admits("t") })
		nodes[0].put(token("t"))
	}
	if got := nodes[0].members(); got != "[a b c]" || nodes[2].Incarnation() != first {
		t.Errorf("got members %s, want all members", got)
	}
}

// An answer waits for a change of a history that the database loses, and the node joins
// again: the number is that of another change then, and must not confirm the answer.
func TestAnswer_IsNotConfirmedByAnotherHistory(t *testing.T) {
	t.Parallel()
	w, nodes := three(t)
	restore := w.save()
	a := nodes[0]
	for _, n := range nodes[1:] {
		n.deaf.Store(true)
		n.view.stuck.Lock()
	}
	ctx, err := a.Begin(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if err := a.store.Update(ctx, func(tx store.Tx) error { return tx.Put(token("lost")) }); err != nil {
		t.Fatal(err)
	}
	answered := make(chan error, 1)
	go func() { answered <- a.Await(ctx) }()
	restore()
	for _, n := range nodes[1:] {
		n.deaf.Store(false)
		n.view.stuck.Unlock()
	}
	if err := await.Receive(t, "the answer", answered); err == nil {
		t.Error("the change was answered, and the database does not have it")
	}
	await.True(t, "all nodes serve again", func() bool { return a.Held() && nodes[1].Held() && nodes[2].Held() })
	for _, n := range nodes {
		if n.admits("lost") {
			t.Errorf("node %s admits a token that the database lost", n.name)
		}
	}
}

// Nodes that start at the same time ask each other: each of them waits for both others.
func TestJoin_AtTheSameTimeAsOthers(t *testing.T) {
	t.Parallel()
	for range 5 {
		w := newWorld(t)
		nodes := []*node{w.open("a"), w.open("b"), w.open("c")}
		joined := make(chan error, len(nodes))
		for _, n := range nodes {
			go func() { joined <- n.Join(t.Context()) }()
		}
		for range nodes {
			if err := await.Receive(t, "a join", joined); err != nil {
				t.Fatal(err)
			}
		}
		for _, n := range nodes {
			n.run()
		}
		nodes[0].put(project, namespace)
		for i, n := range nodes {
			id := fmt.Sprint("t", i)
			n.put(token(id))
			for _, other := range nodes {
				if !other.admits(id) {
					t.Errorf("node %s was not asked by node %s", other.name, n.name)
				}
			}
		}
	}
}
