package cluster

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/jeton-dev/jeton/internal/functions"
	"github.com/jeton-dev/jeton/internal/iam"
	"github.com/jeton-dev/jeton/internal/store"
)

// interval returns the time between two renewals.
func (n *Node) interval() time.Duration { return n.config.Lease / renewalsPerLease }

// Join makes the node a member with a lease. If another member has the same name, or
// stores code elsewhere, Join waits until that one is fenced or must be running, and then
// returns an error.
func (n *Node) Join(ctx context.Context) error {
	if n.alone {
		return nil
	}
	wait, cancel := context.WithTimeout(ctx, 3*(n.config.Lease+n.config.Margin))
	defer cancel()
	for {
		err := n.renew(ctx)
		if err == nil || ctx.Err() != nil || !mayPass(err) {
			return err
		}
		// The member may be a process that was killed: it is fenced here.
		_ = n.observe(ctx)
		if !pause(wait, n.interval()) {
			return err
		}
	}
}

// mayPass reports whether an error of a join passes when a member is fenced.
func mayPass(err error) bool {
	_, name := errors.AsType[*nameError](err)
	_, blobs := errors.AsType[*blobsError](err)
	return name || blobs
}

// Run renews the lease, observes the leases of other members and fences those that do not
// renew, until ctx ends.
func (n *Node) Run(ctx context.Context) error {
	if n.alone {
		return nil
	}
	defer n.barrier.close()
	go n.observeAll(ctx)
	var failing error
	for pause(ctx, n.interval()) {
		n.noteCordon()
		err := n.renew(ctx)
		if ctx.Err() != nil {
			break
		}
		if err != nil {
			n.observer.RenewalFailed()
		}
		switch {
		case err != nil && failing == nil:
			n.config.Log.Error("the lease cannot be renewed: this node answers no calls and requests when it ends", "error", err)
		case err == nil && failing != nil:
			n.config.Log.Info("the lease is renewed again", "incarnation", n.Incarnation())
		}
		failing = err
	}
	return nil
}

// renew renews the lease, after it has made the node a member if necessary.
func (n *Node) renew(ctx context.Context) error {
	if err := n.lock(ctx); err != nil {
		return err
	}
	defer n.unlock()
	if n.left.Load() {
		return nil
	}
	if n.outdated.Load() {
		return store.ErrUnknownKind
	}
	// A renewal that takes longer than the lease is useless.
	ctx, cancel := context.WithTimeout(ctx, n.config.Lease)
	defer cancel()
	voided := n.voided.Load()
	if n.mustJoin.Load() {
		if err := n.join(ctx); err != nil {
			return err
		}
	}
	if err := n.applyHead(ctx); err != nil {
		return err
	}
	begun := n.config.Clock()
	renewal, err := n.config.Registry.Renew(ctx, n.Incarnation(), n.Position(), -n.Offset())
	if errors.Is(err, store.ErrFenced) || errors.Is(err, store.ErrDiverged) {
		n.void(true)
	}
	if err != nil {
		return err
	}
	n.head = renewal.Head
	n.noteTime(renewal.Time, begun.Time, n.config.Clock().Time)
	if n.voided.Load() == voided {
		n.lease.Store(&begun)
	}
	// The lease may have been voided between the check and the assignment.
	if n.voided.Load() != voided {
		n.lease.Store(nil)
		if n.left.Load() {
			return nil
		}
		return errVoided
	}
	return nil
}

// maxDrift is how much the clocks of the node and the database may drift apart between two
// renewals.
const maxDrift = time.Millisecond

// noteTime estimates how far the clock of the database is ahead, which showed a time
// between two readings of this node's. Of the possible values it takes a large one, so that
// no token is admitted that may have expired, but not one that a slow renewal explains.
func (n *Node) noteTime(at, before, after time.Time) {
	most, least := at.Sub(before), at.Sub(after)
	if known := n.Offset() + maxDrift; known >= least && known < most && n.timed {
		most = known
	}
	n.timed = true
	n.offset.Store(int64(most))
}

var errVoided = errors.New("the lease was voided while it was renewed")

// applyHead waits until this node has applied the last change that it knows of. A node
// whose followers are stuck loses its lease.
func (n *Node) applyHead(ctx context.Context) error {
	if n.view.compare(n.head) == ahead {
		if err := n.catchUp(ctx); err != nil {
			return fmt.Errorf("apply change %d: %w", n.head.Number, err)
		}
	}
	switch n.view.compare(n.head) {
	case applied, unknown:
		// An unknown one is before a snapshot that was loaded. Renew checks the history.
		return nil
	case diverged:
		n.void(true)
		return fmt.Errorf("change %d: %w", n.head.Number, store.ErrDiverged)
	}
	return fmt.Errorf("apply change %d: not applied yet", n.head.Number)
}

// join makes the node a member as a new incarnation. It removes the previous incarnation,
// and deletes credentials again that the database had lost the deletions of.
func (n *Node) join(ctx context.Context) error {
	incarnation := n.config.NewID()
	if err := n.config.Joined(incarnation); err != nil {
		return fmt.Errorf("join the cluster: %w", err)
	}
	var reappeared []store.Object
	n.noteCordon()
	n.mustJoin.Store(false)
	// The outcome of an attempt may be unknown.
	n.tried[incarnation] = true
	err := n.config.Store.Update(ctx, func(tx store.Tx) error {
		// Not before: the followers may have been loading the snapshot. The transaction has
		// compared their position with that of the database.
		reappeared = append(reappeared, n.view.takeReappeared()...)
		members, err := tx.Members()
		if err != nil {
			return err
		}
		cordoned, err := n.admit(tx, members)
		if err != nil {
			return err
		}
		if err := deleteAgain(tx, reappeared); err != nil {
			return err
		}
		return tx.Put(store.Member{
			Incarnation: incarnation, Node: n.config.Name, Address: n.config.Address, Format: store.Format, Version: n.config.Version,
			Lease: n.config.Lease, Blobs: n.config.Blobs, Cordoned: cordoned, JoinedAt: n.config.Clock().Time.UTC(),
		})
	})
	if err != nil {
		n.view.returnReappeared(reappeared)
		n.mustJoin.Store(true)
		return err
	}
	if len(reappeared) > 0 {
		n.config.Log.Warn("deleted tokens and API keys again that the database had lost the deletions of", "count", len(reappeared))
	}
	n.tried = map[string]bool{incarnation: true}
	n.incarnation.Store(&incarnation)
	n.head = store.Position{}
	n.config.Log.Info("joined the cluster", "node", n.config.Name, "incarnation", incarnation)
	// The members did not change, but which of them this node is.
	n.membersChanged()
	return nil
}

// admit removes earlier incarnations of this node from the members, and returns whether
// they are cordoned, or an error if the node cannot join the others.
func (n *Node) admit(tx store.Tx, members []store.Member) (cordoned bool, err error) {
	cordoned = n.cordoned.Load()
	for _, m := range members {
		switch {
		case n.tried[m.Incarnation]:
			cordoned = m.Cordoned
			if err := tx.Delete(m); err != nil {
				return false, err
			}
		case m.Node == n.config.Name:
			return false, &nameError{m}
		case m.Blobs != n.config.Blobs || m.Blobs == "":
			return false, &blobsError{m}
		}
	}
	return cordoned, nil
}

// A nameError reports that another member has the name of this node.
type nameError struct{ member store.Member }

// Error implements error.
func (e *nameError) Error() string {
	return fmt.Sprintf("join the cluster: the node at %s has the name %q: stop it, or choose another name with --node-name", e.member.Address, e.member.Node)
}

// A blobsError reports that another member stores archives and artifacts elsewhere.
type blobsError struct{ member store.Member }

// Error implements error.
func (e *blobsError) Error() string {
	return fmt.Sprintf("join the cluster: the node %q at %s does not store code at the same place: start all nodes with the same --blobs", e.member.Node, e.member.Address)
}

// deleteAgain deletes credentials that exist.
func deleteAgain(tx store.Tx, credentials []store.Object) error {
	for _, o := range credentials {
		var err error
		switch o := o.(type) {
		case functions.Token:
			_, err = tx.Token(o.ID)
		case iam.APIKey:
			_, err = tx.APIKey(o.AccessKey)
		}
		if functions.IsNotFound(err) {
			continue
		}
		if err == nil {
			err = tx.Delete(o)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// leaveTimeout is the maximum time for draining and for leaving: no other node waits for one
// that stops.
const leaveTimeout = 2 * time.Second

// Drain makes other members the homes of this node's functions. The node still admits and
// forwards calls. An error is logged only.
func (n *Node) Drain(ctx context.Context) {
	n.change(ctx, "drain", func(tx store.Tx, m store.Member) error {
		m.Draining = true
		return tx.Put(m)
	})
}

// Leave ends the lease, and then the membership. An error is logged only: the other nodes
// fence this one.
func (n *Node) Leave(ctx context.Context) {
	n.left.Store(true)
	n.void(false)
	cordoned := n.cordoned.Load()
	n.change(ctx, "leave", func(tx store.Tx, m store.Member) error {
		cordoned = m.Cordoned
		return tx.Delete(m)
	})
	if !n.alone {
		n.setCordoned(cordoned)
	}
}

// change changes the row of this member.
func (n *Node) change(ctx context.Context, verb string, write func(store.Tx, store.Member) error) {
	if n.alone || n.Incarnation() == "" {
		return
	}
	ctx, cancel := context.WithTimeout(ctx, leaveTimeout)
	defer cancel()
	if err := n.lock(ctx); err != nil {
		n.config.Log.Warn("the membership could not be changed", "change", verb, "error", err)
		return
	}
	defer n.unlock()
	err := n.config.Store.Update(ctx, func(tx store.Tx) error {
		m, err := tx.Member(n.Incarnation())
		if err != nil {
			return err
		}
		return write(tx, m)
	})
	if err != nil && !functions.IsNotFound(err) {
		n.config.Log.Warn("the membership could not be changed", "change", verb, "error", err)
	}
}

// lock begins a renewal, a join or another change of the membership, unless ctx ends first.
func (n *Node) lock(ctx context.Context) error {
	select {
	case n.renewing <- struct{}{}:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

func (n *Node) unlock() { <-n.renewing }

// pause waits, and returns false if ctx has ended.
func pause(ctx context.Context, d time.Duration) bool {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return true
	case <-ctx.Done():
		return false
	}
}
