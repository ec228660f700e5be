package cluster_test

import (
	"context"
	"fmt"
	"path/filepath"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/jeton-dev/jeton/internal/cluster"
	"github.com/jeton-dev/jeton/internal/functions"
	"github.com/jeton-dev/jeton/internal/store"
	"github.com/jeton-dev/jeton/test/await"
	"github.com/jeton-dev/jeton/test/link"
	server "github.com/jeton-dev/jeton/test/postgres"
)

// A replicated is a primary server with a streaming standby, and the ways to them.
type replicated struct {
	primary, standby *server.Server
	// clients leads to the server that clients use, and stream from the primary to the
	// standby.
	clients, stream *link.Link
	database        string
}

func newReplicated(t *testing.T) *replicated {
	t.Helper()
	r := &replicated{}
	var err error
	if r.primary, err = server.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = r.primary.Stop() })
	for _, l := range []**link.Link{&r.clients, &r.stream} {
		if *l, err = link.New(t.Context()); err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _ = (*l).Close() })
		(*l).To("unix", r.primary.Socket())
	}
	r.database = server.Name(r.primary.Database(t))
	if r.standby, err = server.StartStandby(r.primary, r.stream.Address()); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = r.standby.Stop() })
	return r
}

// url returns the URL of the database for clients.
func (r *replicated) url() string {
	return "postgres://jeton@" + r.clients.Address() + "/" + r.database + "?sslmode=disable"
}

// catchUp waits until the standby has everything.
func (r *replicated) catchUp(t *testing.T) {
	t.Helper()
	conn, err := pgx.Connect(t.Context(), r.url())
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = conn.Close(context.Background()) }()
	await.True(t, "the standby has everything", func() bool {
		var same bool
		err := conn.QueryRow(t.Context(), "SELECT coalesce(bool_and(replay_lsn >= pg_current_wal_lsn()), false) FROM pg_stat_replication").Scan(&same)
		return err == nil && same
	})
}

// failOver ends the primary, and makes clients use the standby.
func (r *replicated) failOver(t *testing.T) {
	t.Helper()
	if err := r.primary.Crash(); err != nil {
		t.Fatal(err)
	}
	if err := r.standby.Promote(); err != nil {
		t.Fatal(err)
	}
	r.clients.To("unix", r.standby.Socket())
}

// The standby lacks the last changes when it becomes the primary, the revocation of a token
// among them.
func TestFailover_ToALaggingStandbyKeepsRevocations(t *testing.T) {
	t.Parallel()
	r := newReplicated(t)
	w := newWorld(t)
	w.address = r.url()
	nodes := []*node{w.join("a"), w.join("b")}
	nodes[0].put(project, namespace, token("revoked"), token("kept"))
	r.catchUp(t)
	r.stream.Cut()
	if err := nodes[0].delete(token("revoked")); err != nil {
		t.Fatal(err)
	}
	nodes[1].put(token("lost"))
	r.failOver(t)
	for _, n := range nodes {
		await.True(t, "node "+n.name+" notices that the database went back", func() bool { return n.Forks() > 0 })
	}
	for _, n := range nodes {
		await.True(t, "node "+n.name+" serves again", func() bool { return n.admits("kept") })
		if n.admits("revoked") || n.admits("lost") {
			t.Errorf("node %s admits a token that was revoked or that the database lost", n.name)
		}
	}
	err := nodes[1].store.View(t.Context(), func(tx store.Tx) error {
		if _, err := tx.Token("revoked"); !functions.IsNotFound(err) {
			t.Errorf("the revoked token: %v, want that it is deleted again", err)
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	// The cluster works with the new primary.
	for i := range 5 {
		id := fmt.Sprint("new", i)
		nodes[i%2].put(token(id))
		if err := nodes[(i+1)%2].delete(token(id)); err != nil || nodes[0].admits(id) || nodes[1].admits(id) {
			t.Errorf("a token of the new primary: %v", err)
		}
	}
}

// The join of a node is lost by a failover before another node has applied it. The node
// serves with the lease that it has, and no answer may leave until that has ended.
func TestFailover_AnswersWaitForMembersThatWereLost(t *testing.T) {
	t.Parallel()
	r := newReplicated(t)
	w := newWorld(t)
	w.address = r.url()
	long := func(c *cluster.Config) { c.Lease = 10 * time.Second }
	a := w.join("a", long)
	a.put(project, namespace, token("t"))
	r.catchUp(t)
	r.stream.Cut()
	// The node a is cut off when b joins, and renews once.
	r.clients.Cut()
	b := w.openAt("postgres://jeton@/"+r.database+"?host="+filepath.Dir(r.primary.Socket()), "b", long)
	if err := b.Join(t.Context()); err != nil {
		t.Fatal(err)
	}
	if !b.admits("t") {
		t.Fatal("the node that has joined does not admit the token")
	}
	r.failOver(t)
	r.clients.Mend()
	deadline := time.Now().Add(time.Minute)
	for {
		err := a.delete(token("t"))
		if admitted := b.admits("t"); err == nil && admitted {
			t.Error("the deletion was answered while a node admits the token")
		}
		if err == nil {
			break
		}
		if time.Now().After(deadline) {
			t.Fatalf("the deletion is not answered: %v", err)
		}
	}
}
