package cluster_test

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/jeton-dev/jeton/internal/cluster"
	"github.com/jeton-dev/jeton/internal/store"
	"github.com/jeton-dev/jeton/test/await"
	server "github.com/jeton-dev/jeton/test/postgres"
)

// unknownChange is a change that a newer version of the program makes.
const unknownChange = `WITH h AS (UPDATE head SET number = number + 1, uid = 'newer' RETURNING number)
	INSERT INTO changes (number, at, kind, id, deleted, uid, body) SELECT number, 0, 'gadgets', 'g', false, 'newer', '{}' FROM h`

// I11: a node that does not know the kind of a change has no lease. It cannot
// know what the change forbids.
func TestI11_UnknownKindOfChangeVoidsALongLeaseAtOnce(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	// The lease would last longer than the test.
	long := func(c *cluster.Config) { c.Lease = 10 * time.Minute }
	n := w.join("a", long)
	n.put(project, namespace, token("t"))
	if !n.admits("t") {
		t.Fatal("the node does not admit the token")
	}
	last := n.Position().Number
	server.Execute(t, w.address, unknownChange)
	// Another node asks whether this one has applied the change.
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	go n.Acknowledge(ctx, store.Position{Number: last + 1, UID: "newer"})
	await.True(t, "the lease is void", func() bool { return !n.Held() })
	if n.admits("t") || n.LeaseLeft() > 0 {
		t.Error("the node admits calls without knowing the change")
	}
	for range 2 {
		if err := n.Join(t.Context()); !errors.Is(err, store.ErrUnknownKind) {
			t.Errorf("Join() = %v, want ErrUnknownKind", err)
		}
	}
	if n.Held() || n.Position().Number != last {
		t.Errorf("the node is at change %d with a lease, want %d without one", n.Position().Number, last)
	}
}
