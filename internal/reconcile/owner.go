package reconcile

import (
	"context"
	"maps"
	"time"

	"github.com/jeton-dev/jeton/internal/functions"
	"github.com/jeton-dev/jeton/internal/store"
)

// Owners decides which node of a cluster does which work. Package cluster implements it.
// The key of the work on a function and everything that belongs to it is the ID of the
// function; namespaces and tokens have their own IDs.
type Owners interface {
	// Owns reports whether this node has its lease and does the work with a key.
	Owns(key string) bool
	// Home reports whether this node is the home of a function, whether it has its lease
	// or not.
	Home(functionID string) (home store.Member, self bool)
	// Owned returns the store for work with a key. Update returns store.ErrNotOwner, and
	// changes nothing, if another node owns the key when the transaction has locked the
	// store.
	Owned(key string) functions.Store
}

// reclaimInterval is the time between two checks of what this node owns. A lease ends and
// returns without a change of the members.
const reclaimInterval = time.Second

// OwnersChanged makes the reconciler take up the work that this node owns now, and cancel
// the work that it does not own any more. Revisions of functions of which this node is the
// home now are launched, and others retired. It returns at once.
func (r *Reconciler) OwnersChanged() {
	r.queue.ownersChanged()
	r.homes.homesChanged()
}

// reclaim calls reclaim of the queue regularly until ctx ends.
func (r *Reconciler) reclaim(ctx context.Context) {
	tick := time.NewTicker(reclaimInterval)
	defer tick.Stop()
	for {
		select {
		case <-tick.C:
			r.queue.reclaim()
			r.homes.leaseChecked()
		case <-ctx.Done():
			return
		}
	}
}

// owner returns the key of the owner of an object, and whether the status of the object
// asks for work. It is called with mu held.
func (q *queue) owner(k key) (owner string, pending bool) {
	if owner, pending = q.pending[k]; pending {
		return owner, true
	}
	return k.id, false
}

// park keeps a key until this node owns it.
func (q *queue) park(k key) {
	q.mu.Lock()
	defer q.mu.Unlock()
	delete(q.retries, k)
	if _, pending := q.pending[k]; pending && !q.queued[k] && q.running[k] == nil {
		q.parked[k] = true
	}
}

// ownersChanged queues all pending keys that this node owns. Another node may have done
// part of the work on them.
func (q *queue) ownersChanged() {
	q.mu.Lock()
	for k := range q.pending {
		if q.running[k] == nil && q.delayed[k] == nil {
			q.parked[k] = true
		}
	}
	q.mu.Unlock()
	q.reclaim()
}

// reclaim queues the parked keys that this node owns, and cancels the work on keys that it
// does not own.
func (q *queue) reclaim() {
	q.mu.Lock()
	defer q.mu.Unlock()
	for _, r := range q.running {
		if !q.owns(r.owner) {
			r.cancel()
		}
	}
	for k := range maps.Clone(q.parked) {
		if q.owns(q.pending[k]) {
			q.addLocked(k)
		}
	}
}
