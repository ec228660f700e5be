package cluster

import (
	"context"
	"fmt"
	"strings"
	"sync"
	"time"

	"github.com/jeton-dev/jeton/internal/store"
)

const (
	// confirmTimeout is how long an answer waits for other nodes.
	confirmTimeout = 20 * time.Second
	// askTimeout is the maximum time of one question to another node.
	askTimeout = 5 * time.Second
	// fallbackAfter is the time after which the leases are read: a member that cannot be
	// asked records in the database what it has applied.
	fallbackAfter = 100 * time.Millisecond
	// The pauses between two questions to a member that does not answer.
	firstRetry, lastRetry = 20 * time.Millisecond, 500 * time.Millisecond
)

// An Acknowledgement is the answer of a node that was asked about a change.
type Acknowledgement struct {
	// Incarnation is the node's current one.
	Incarnation string `json:"incarnation"`
	// Applied reports that the node has applied the change with this number and uid. It is
	// false if the node does not remember the uid.
	Applied bool `json:"applied"`
	// At is the last change that the node has applied.
	At store.Position `json:"at"`
}

// Acknowledge answers another node: it waits until this node has applied a change, or ctx
// ends. If this node has applied another change with the same number, its lease is void.
func (n *Node) Acknowledge(ctx context.Context, p store.Position) Acknowledgement {
	for kicked := false; ; {
		at, advanced := n.view.position()
		answer := Acknowledgement{Incarnation: n.Incarnation(), At: at}
		switch n.view.compare(p) {
		case applied:
			answer.Applied = true
			return answer
		case unknown:
			// The other node compares At with its own history.
			return answer
		case diverged:
			n.config.Log.Error("another node has applied another change with the same number", "change", p.Number)
			n.void(true)
			return answer
		}
		if !kicked {
			// A notification may be late or lost.
			kicked = true
			go func() { _ = n.catchUp(context.WithoutCancel(ctx)) }()
		}
		select {
		case <-advanced:
		case <-ctx.Done():
			return answer
		}
	}
}

// A barrier knows which changes the other members have applied, and asks them.
type barrier struct {
	node *Node

	mu sync.Mutex
	// acks has, by incarnation, the number up to which a member has applied all changes.
	// Only numbers that this node has applied too are in it.
	acks map[string]int64
	// resets counts the resets of acks.
	resets int64
	askers map[string]*asker
	// changed is closed and replaced when acks or the members change.
	changed chan struct{}
	closed  bool
}

// An asker asks one member.
type asker struct {
	member store.Member
	// wanted is the newest change that somebody waits for; wake has an element when it has
	// grown.
	wanted int64
	wake   chan struct{}
	stop   context.CancelFunc
}

func newBarrier(n *Node) *barrier {
	return &barrier{node: n, acks: map[string]int64{}, askers: map[string]*asker{}, changed: make(chan struct{})}
}

// epoch returns a number that changes when acknowledgements lose their meaning.
func (b *barrier) epoch() int64 {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.resets
}

// acknowledged records that a member has applied all changes up to a number, unless the
// barrier was reset since the epoch.
func (b *barrier) acknowledged(incarnation string, number, epoch int64) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.resets == epoch && number > b.acks[incarnation] {
		b.acks[incarnation] = number
		b.signal()
	}
}

// signal wakes all that wait. It is called with mu held.
func (b *barrier) signal() {
	close(b.changed)
	b.changed = make(chan struct{})
}

// reset forgets all acknowledgements: the changes with these numbers may be others now.
func (b *barrier) reset() {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.resets++
	clear(b.acks)
	for _, a := range b.askers {
		a.wanted = 0
	}
	b.signal()
}

// membersChanged starts and stops askers.
func (b *barrier) membersChanged() {
	if b == nil {
		return
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	// The members are read with the lock: a call with older ones must not undo a later one.
	members, _ := b.node.view.all()
	current := map[string]bool{}
	for _, m := range members {
		current[m.Incarnation] = true
		if b.askers[m.Incarnation] == nil && !b.closed && m.Incarnation != b.node.Incarnation() {
			b.start(m)
		}
	}
	for incarnation, a := range b.askers {
		if !current[incarnation] || incarnation == b.node.Incarnation() {
			a.stop()
			delete(b.askers, incarnation)
			delete(b.acks, incarnation)
		}
	}
	b.signal()
}

// start is called with mu held.
func (b *barrier) start(m store.Member) {
	ctx, stop := context.WithCancel(context.Background())
	a := &asker{member: m, wake: make(chan struct{}, 1), stop: stop}
	b.askers[m.Incarnation] = a
	go b.ask(ctx, a)
}

// close stops all askers.
func (b *barrier) close() {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.closed = true
	for _, a := range b.askers {
		a.stop()
	}
}

// ask asks a member about the newest change that somebody waits for, until ctx ends.
func (b *barrier) ask(ctx context.Context, a *asker) {
	retry := firstRetry
	for {
		b.mu.Lock()
		wanted, epoch, pending := a.wanted, b.resets, a.wanted > b.acks[a.member.Incarnation]
		b.mu.Unlock()
		if !pending {
			select {
			case <-a.wake:
			case <-ctx.Done():
				return
			}
			continue
		}
		if b.askOnce(ctx, a.member, wanted, epoch) {
			retry = firstRetry
			continue
		}
		if !pause(ctx, retry) {
			return
		}
		retry = min(2*retry, lastRetry)
	}
}

func (b *barrier) askOnce(ctx context.Context, m store.Member, number, epoch int64) bool {
	ctx, cancel := context.WithTimeout(ctx, askTimeout)
	defer cancel()
	p := store.Position{Number: number, UID: b.node.view.uidOf(number)}
	if p.UID == "" {
		// The uid is not remembered. A later change includes this one.
		p = b.node.Position()
	}
	answer, err := b.node.config.Peers.Acknowledge(ctx, m, p)
	switch {
	case err != nil || answer.Incarnation != m.Incarnation:
		return false
	case answer.Applied:
		b.acknowledged(m.Incarnation, p.Number, epoch)
		return true
	case answer.At.UID != "" && b.node.view.uidOf(answer.At.Number) == answer.At.UID:
		// The member does not remember the change, but has the same history.
		b.acknowledged(m.Incarnation, answer.At.Number, epoch)
		return answer.At.Number >= number
	}
	return false
}

// behind returns the members that are not known to have applied a change, makes the askers
// ask them, and returns a channel that is closed when this may have changed.
func (b *barrier) behind(number int64) (missing []store.Member, changed <-chan struct{}) {
	b.mu.Lock()
	defer b.mu.Unlock()
	for incarnation, a := range b.askers {
		if b.acks[incarnation] >= number {
			continue
		}
		missing = append(missing, a.member)
		a.wanted = max(a.wanted, number)
		select {
		case a.wake <- struct{}{}:
		default:
		}
	}
	return missing, b.changed
}

// await returns when every member has applied the change with a number.
func (b *barrier) await(ctx context.Context, number int64) error {
	fallback := time.NewTimer(fallbackAfter)
	defer fallback.Stop()
	begun := time.Now()
	var last []string
	for {
		missing, changed := b.behind(number)
		if len(missing) == 0 {
			b.node.observer.Waited(time.Since(begun), last, true)
			return nil
		}
		last = nodesOf(missing)
		select {
		case <-changed:
		case <-fallback.C:
			select {
			case b.node.watch.hurry <- struct{}{}:
			default:
			}
			fallback.Reset(fallbackAfter)
		case <-ctx.Done():
			b.node.observer.Waited(time.Since(begun), last, false)
			return fmt.Errorf("wait for change %d at %s: %w", number, strings.Join(last, ", "), ErrNotConfirmed)
		}
	}
}

// Begin returns a context in which what a request reads and writes is noted for Await.
// Returns ErrNoLease if the node may not answer.
func (n *Node) Begin(ctx context.Context) (context.Context, error) {
	if !n.Held() {
		return ctx, ErrNoLease
	}
	ctx, seen := store.WithSeen(ctx)
	return context.WithValue(ctx, requestKey{}, request{seen, n.Incarnation()}), nil
}

type requestKey struct{}

// A request is what Begin knows about a request.
type request struct {
	seen *store.Seen
	// incarnation is that at the beginning. A later one may have another history, in which
	// the numbers that the request has seen are of other changes.
	incarnation string
}

// Await returns when every member shows everything that the request with a context of
// Begin has read or written, so that its answer may leave. Returns ErrNotConfirmed or
// ErrNoLease if that is not known.
func (n *Node) Await(ctx context.Context) error {
	// What the views of this node show counts as read, also what only some of them show.
	number := max(n.Position().Number, n.begun.Load())
	begun, _ := ctx.Value(requestKey{}).(request)
	if begun.seen != nil {
		number = max(number, begun.seen.Number())
	}
	ctx, cancel := context.WithTimeout(ctx, confirmTimeout)
	defer cancel()
	if err := n.awaitApplied(ctx, number); err != nil || n.alone {
		return err
	}
	if err := n.barrier.await(ctx, number); err != nil {
		return err
	}
	if err := n.awaitLost(ctx); err != nil {
		return err
	}
	if begun.seen != nil && n.Incarnation() != begun.incarnation {
		return fmt.Errorf("wait for change %d: the node has joined again: %w", number, ErrNotConfirmed)
	}
	if !n.Held() {
		return ErrNoLease
	}
	return nil
}

// awaitApplied returns when this node has applied the change with a number.
func (n *Node) awaitApplied(ctx context.Context, number int64) error {
	for {
		at, advanced := n.view.position()
		if at.Number >= number {
			return nil
		}
		select {
		case <-advanced:
		case <-ctx.Done():
			return fmt.Errorf("wait for change %d: %w", number, ErrNotConfirmed)
		}
	}
}
