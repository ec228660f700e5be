package cluster

import (
	"context"
	"errors"
	"sync"
	"time"

	"github.com/jeton-dev/jeton/internal/store"
)

// A watch is what this node has seen of the leases of others.
type watch struct {
	mu sync.Mutex
	// seen has, by incarnation, the number of renewals and when it was first seen.
	seen map[string]sighting
	// read is when the leases were last read.
	read Instant
	// leases are those of the last read.
	leases map[string]store.Lease
	// hurry makes the next read come at once.
	hurry chan struct{}
}

type sighting struct {
	renewals int64
	since    Instant
}

func newWatch() watch { return watch{seen: map[string]sighting{}, hurry: make(chan struct{}, 1)} }

// Leases returns the leases of all members, as this node has read them last.
func (n *Node) Leases() map[string]store.Lease {
	n.watch.mu.Lock()
	defer n.watch.mu.Unlock()
	return n.watch.leases
}

// observeAll reads the leases of all members regularly until ctx ends.
func (n *Node) observeAll(ctx context.Context) {
	timer := time.NewTimer(n.interval())
	defer timer.Stop()
	for {
		select {
		case <-timer.C:
		case <-n.watch.hurry:
		case <-ctx.Done():
			return
		}
		if err := n.observe(ctx); err != nil && ctx.Err() == nil {
			n.config.Log.Debug("the leases cannot be read", "error", err)
		}
		timer.Reset(n.interval())
	}
}

// observe reads the leases of all members once. It fences those whose number of renewals
// stood still for lease and margin.
func (n *Node) observe(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, n.config.Lease)
	defer cancel()
	epoch := n.barrier.epoch()
	before := n.config.Clock()
	leases, err := n.config.Registry.Leases(ctx)
	if err != nil {
		return err
	}
	after := n.config.Clock()
	for _, l := range leases {
		// A position that this node does not know may be of another history.
		if l.Applied.UID != "" && n.view.uidOf(l.Applied.Number) == l.Applied.UID {
			n.barrier.acknowledged(l.Incarnation, l.Applied.Number, epoch)
		}
	}
	for _, l := range n.watch.note(leases, before, after, 2*n.interval()) {
		after, known := n.fenceAfter(l.Incarnation)
		if l.Incarnation == n.Incarnation() || !known || before.stood(l.since) < after {
			continue
		}
		err = errors.Join(err, n.fence(ctx, l.Lease))
	}
	return err
}

// A standing lease has not been renewed since an instant.
type standing struct {
	store.Lease

	since Instant
}

// note records the leases that were read between two instants, and returns them with the
// instants from which on they were not renewed. After a gap between two reads all instants
// are new: if the database was not reachable, no member could renew.
func (w *watch) note(leases []store.Lease, before, after Instant, gap time.Duration) []standing {
	w.mu.Lock()
	defer w.mu.Unlock()
	interrupted := before.Since(w.read) > gap
	w.read = after
	seen := map[string]sighting{}
	all := make([]standing, 0, len(leases))
	w.leases = make(map[string]store.Lease, len(leases))
	for _, l := range leases {
		s, known := w.seen[l.Incarnation]
		if !known || interrupted || s.renewals != l.Renewals {
			s = sighting{l.Renewals, after}
		}
		seen[l.Incarnation] = s
		all = append(all, standing{l, s.since})
		w.leases[l.Incarnation] = l
	}
	w.seen = seen
	return all
}

// fenceAfter returns for how long the renewals of a member must stand still before it is
// fenced: until its lease has ended, and the margin. It returns false for a member whose
// lease is not known, because this node has not applied its join.
func (n *Node) fenceAfter(incarnation string) (time.Duration, bool) {
	m := n.view.member(incarnation)
	return max(m.Lease, n.config.Lease) + n.config.Margin, m.Incarnation != ""
}

// fence removes a member from the cluster unless it has renewed its lease.
func (n *Node) fence(ctx context.Context, l store.Lease) error {
	err := n.config.Registry.Fence(ctx, l.Incarnation, l.Renewals)
	switch {
	case errors.Is(err, store.ErrRenewed):
		return nil
	case err == nil:
		n.observer.Fenced()
		m := n.view.member(l.Incarnation)
		n.config.Log.Warn("fenced a member that did not renew its lease", "node", m.Node, "incarnation", l.Incarnation)
	}
	return err
}
