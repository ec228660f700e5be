package cluster

import (
	"context"
	"errors"
	"fmt"

	"github.com/jeton-dev/jeton/internal/functions"
	"github.com/jeton-dev/jeton/internal/store"
)

// Standings reads the leases of all members, and returns the members in the order in which
// they joined. After an error the leases are those of the last successful read.
func (n *Node) Standings(ctx context.Context) ([]store.Standing, error) {
	if n.alone {
		return nil, nil
	}
	err := n.observe(ctx)
	members, _ := n.Members()
	now := n.config.Clock()
	n.watch.mu.Lock()
	defer n.watch.mu.Unlock()
	all := make([]store.Standing, len(members))
	for i, m := range members {
		all[i] = store.Standing{Member: m, Lease: n.watch.leases[m.Incarnation]}
		if all[i].Self = m.Incarnation == n.Incarnation(); all[i].Self {
			all[i].Left = n.LeaseLeft()
			all[i].Lease.Applied = n.Position()
		} else if s, seen := n.watch.seen[m.Incarnation]; seen {
			all[i].Left = max(m.Lease-now.Since(s.since), 0)
		}
	}
	return all, err
}

// Cordon excludes a node from being the home of functions and the owner of other work, or
// ends that. It has effect until it is ended, also after the node has joined again.
func (n *Node) Cordon(ctx context.Context, name string, cordoned bool) (store.Member, error) {
	var changed store.Member
	if n.alone {
		return changed, errAlone
	}
	err := n.config.Store.Update(ctx, func(tx store.Tx) error {
		m, err := named(tx, name)
		if err != nil {
			return err
		}
		m.Cordoned = cordoned
		changed = m
		return tx.Put(m)
	})
	return changed, err
}

// FenceNow removes a member that its operator knows to be gone, as soon as its lease must
// have ended. It reads the number of renewals, waits for the duration of the lease and the
// margin on the monotonic clock of this process, which stands still while the machine is
// suspended, and removes the member only if it still has that number: each renewal that
// was counted was sent before the number was read, and the lease counts from before its
// renewal was sent. Returns a functions.Error if the member renews its lease.
func (n *Node) FenceNow(ctx context.Context, name string) (store.Member, error) {
	if n.alone {
		return store.Member{}, errAlone
	}
	if name == n.config.Name {
		return store.Member{}, refused("this node cannot fence itself: stop it, or use the command at another node")
	}
	var m store.Member
	err := n.config.Store.View(ctx, func(tx store.Tx) (err error) {
		m, err = named(tx, name)
		return err
	})
	if err != nil {
		return m, err
	}
	leases, err := n.config.Registry.Leases(ctx)
	if err != nil {
		return m, err
	}
	for _, l := range leases {
		if l.Incarnation == m.Incarnation {
			return m, n.fenceIfStill(ctx, m, l)
		}
	}
	return m, nil // Another node was faster.
}

func (n *Node) fenceIfStill(ctx context.Context, m store.Member, l store.Lease) error {
	if !pause(ctx, max(m.Lease, n.config.Lease)+n.config.Margin) {
		return ctx.Err()
	}
	err := n.config.Registry.Fence(ctx, l.Incarnation, l.Renewals)
	if errors.Is(err, store.ErrRenewed) {
		return refused(fmt.Sprintf("the node %q renews its lease: it runs and reaches the database: stop it, or cordon it", m.Node))
	}
	return err
}

// named returns the member with the name of a node.
func named(tx store.Tx, name string) (store.Member, error) {
	members, err := tx.Members()
	if err != nil {
		return store.Member{}, err
	}
	var newest store.Member
	for _, m := range members {
		if m.Node == name && !m.JoinedAt.Before(newest.JoinedAt) {
			newest = m
		}
	}
	if newest.Incarnation == "" {
		return newest, functions.NotFoundError("Node", name)
	}
	return newest, nil
}

var errAlone = refused("this server is not a member of a cluster: start it with --database and --blobs")

func refused(text string) error {
	return &functions.Error{Code: functions.PreconditionFailed, Precondition: "cluster", Message: text}
}

// noteCordon remembers whether this node is cordoned.
func (n *Node) noteCordon() {
	if m := n.view.member(n.Incarnation()); m.Incarnation != "" {
		n.setCordoned(m.Cordoned)
	}
}

func (n *Node) setCordoned(cordoned bool) {
	if cordoned == n.cordoned.Load() {
		return
	}
	if err := n.config.NoteCordon(cordoned); err != nil {
		n.config.Log.Error("the state of this node is lost when it joins again", "cordoned", cordoned, "error", err)
	}
	n.cordoned.Store(cordoned)
	n.config.Log.Info("an operator has changed the state of this node", "cordoned", cordoned)
}
