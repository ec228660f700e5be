package cluster

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/jeton-dev/jeton/internal/functions"
	"github.com/jeton-dev/jeton/internal/store"
)

// The defaults of a lease and of the margin after which a node without renewals is fenced.
const (
	DefaultLease  = 5 * time.Second
	DefaultMargin = time.Second
)

// renewalsPerLease is how often a lease is renewed during its duration.
const renewalsPerLease = 5

// ErrNoLease is returned while the node may not answer, because other nodes may have
// removed it from the cluster.
var ErrNoLease = &functions.Error{
	Code:    functions.Unavailable,
	Message: "this node is not connected to its cluster now: try again, or use another node",
}

// ErrNotConfirmed is returned if it is not known whether all nodes show a state.
var ErrNotConfirmed = &functions.Error{
	Code:    functions.Unavailable,
	Message: "it is not known whether all nodes of the cluster have applied the change: try again",
}

// ErrNotOwner is returned by a transaction for work that another member does.
var ErrNotOwner = store.ErrNotOwner

// Registry keeps the leases of members in the database. The store on PostgreSQL
// implements it.
type Registry interface {
	// Renew renews the lease of an incarnation. It returns store.ErrFenced or
	// store.ErrDiverged if that is not possible.
	Renew(ctx context.Context, incarnation string, applied store.Position, ahead time.Duration) (store.Renewal, error)
	// Leases returns the leases of all members.
	Leases(ctx context.Context) ([]store.Lease, error)
	// Fence removes a member that has still the given number of renewals. It returns
	// store.ErrRenewed otherwise.
	Fence(ctx context.Context, incarnation string, renewals int64) error
	// CatchUp makes the followers apply all changes that are committed now.
	CatchUp(ctx context.Context) error
}

// Peers asks other nodes.
type Peers interface {
	// Acknowledge asks a member whether it has applied a change, and waits for that.
	Acknowledge(ctx context.Context, member store.Member, p store.Position) (Acknowledgement, error)
}

// Config has the dependencies of a Node. All fields are required but Blobs, Previous and
// Cordoned.
type Config struct {
	Store    store.Store
	Registry Registry
	Peers    Peers
	// Name is the name of the node, which no other node has, Address the host:port at which
	// other nodes reach it, and Version that of the program.
	Name, Address, Version string
	// Blobs identifies the storage of archives and artifacts, which all nodes share; empty
	// for a node that stores them on its own machine and must be the only member.
	Blobs string
	// Lease is how long the node serves after its last renewal, and Margin how much longer
	// other nodes wait before they fence it.
	Lease, Margin time.Duration
	// Previous is the incarnation of a process that has used the same data folder and
	// has certainly ended; empty if there is none.
	Previous string
	// Joined is called with each incarnation before it joins, to be remembered as Previous.
	Joined func(incarnation string) error
	// Cordoned is whether the node was cordoned when it was last a member, and NoteCordon
	// is called when that changes, to be remembered as Cordoned.
	Cordoned   bool
	NoteCordon func(cordoned bool) error
	Clock      Clock
	NewID      func() string
	Log        *slog.Logger
}

// A Node is this process as a member of the cluster. All methods are safe for concurrent
// use.
type Node struct {
	config Config
	// alone means that no other process can use the store: the lease is constant.
	alone bool
	view  *view

	// incarnation is "" while the node is not a member, and lease nil without a lease.
	incarnation atomic.Pointer[string]
	lease       atomic.Pointer[Instant]
	// voided counts the calls of void.
	voided atomic.Int64
	// mustJoin means that the node must join as a new incarnation, and left that it must not
	// join again.
	mustJoin, left atomic.Bool
	// outdated means that the change log has a kind of object that this version does not
	// know. The process gets no lease any more.
	outdated atomic.Bool
	// cordoned is the last value of NoteCordon.
	cordoned atomic.Bool
	// renewing makes renewals, joins and the end of the membership exclusive.
	renewing chan struct{}
	// tried are the incarnations that may have joined. renewing guards it.
	tried map[string]bool
	// head is the last change of the database at the last renewal. renewing guards it.
	head store.Position
	// timed means that offset is known. renewing guards it.
	timed bool
	// offset is how far the clock of the database is ahead of this node's, in nanoseconds.
	offset atomic.Int64
	forks  atomic.Int64

	// begun is the last change that the followers have begun to apply.
	begun atomic.Int64

	// failover is when the database was last found to be another server than before; nil if
	// it never was.
	failover atomic.Pointer[Instant]

	barrier  *barrier
	watch    watch
	observer Observer

	subscribing sync.Mutex
	subscribers []func()
}

// New returns a node that is not a member yet. Make it the last follower of the store, and
// call Join, then Run. Returns an error if a required field is missing.
func New(c Config) (*Node, error) {
	if c.Store == nil || c.Registry == nil || c.Peers == nil || c.Name == "" || c.Address == "" || c.Clock == nil || c.NewID == nil || c.Joined == nil || c.NoteCordon == nil || c.Log == nil {
		return nil, errors.New("configure cluster node: Store, Registry, Peers, Name, Address, Joined, NoteCordon, Clock, NewID and Log are required")
	}
	if c.Lease <= 0 || c.Margin <= 0 {
		return nil, fmt.Errorf("configure cluster node: lease is %v and margin %v: both must be positive", c.Lease, c.Margin)
	}
	n := newNode(c)
	n.barrier = newBarrier(n)
	n.view.changed, n.view.rewound = n.membersChanged, n.barrier.reset
	n.mustJoin.Store(true)
	n.cordoned.Store(c.Cordoned)
	return n, nil
}

// Alone returns the only node of a store that no other process can use. Its lease never
// ends, and it is the home of all functions.
func Alone(s store.Store, name string) *Node {
	n := newNode(Config{Store: s, Name: name})
	n.alone = true
	return n
}

func newNode(c Config) *Node {
	n := &Node{config: c, observer: unobserved{}, view: newView(), watch: newWatch(), tried: map[string]bool{c.Previous: true}, renewing: make(chan struct{}, 1)}
	n.incarnation.Store(new(string))
	return n
}

// Follower returns the follower that keeps the node up to date. It must be the last
// follower of the store: its position is taken for that of all.
func (n *Node) Follower() store.Follower { return n.view }

// First returns a follower that must be the first of the store. A view may show a change
// before all have applied it: Await counts what was begun as read.
func (n *Node) First() store.Follower { return first{n} }

type first struct{ node *Node }

// Apply implements store.Follower.
func (f first) Apply(c store.Change) { f.node.begun.Store(c.Number) }

// Reload implements store.Follower.
func (f first) Reload(at store.Position) store.Loader {
	return store.Loader{Add: func(store.Object) {}, Swap: func() { f.node.begun.Store(at.Number) }}
}

// Held reports whether the node has its lease: no other node has removed it from the
// cluster, and its views have every change that was acknowledged before the call. It never
// blocks.
func (n *Node) Held() bool {
	if n.alone {
		return true
	}
	start := n.lease.Load()
	return start != nil && n.config.Clock().Since(*start) < n.config.Lease
}

// LeaseLeft returns how long the lease lasts, 0 if it has ended.
func (n *Node) LeaseLeft() time.Duration {
	start := n.lease.Load()
	if n.alone || start == nil {
		return 0
	}
	return max(n.config.Lease-n.config.Clock().Since(*start), 0)
}

// Alone reports whether no other process can use the store.
func (n *Node) Alone() bool { return n.alone }

// Name returns the name of the node.
func (n *Node) Name() string { return n.config.Name }

// Incarnation returns the current incarnation, "" before the node has joined.
func (n *Node) Incarnation() string { return *n.incarnation.Load() }

// Position returns the last change that all followers have applied.
func (n *Node) Position() store.Position {
	p, _ := n.view.position()
	return p
}

// Offset returns how far the clock of the database is ahead of this node's.
func (n *Node) Offset() time.Duration { return time.Duration(n.offset.Load()) }

// Forks returns how often the database was found to have gone back in time.
func (n *Node) Forks() int64 { return n.forks.Load() }

// Members returns the members, in the order in which they joined, and the number of the
// last change of a member. It returns no members for a node that is alone.
func (n *Node) Members() ([]store.Member, int64) { return n.view.all() }

// Member returns the member with an incarnation, and whether there is one.
func (n *Node) Member(incarnation string) (store.Member, bool) {
	m := n.view.member(incarnation)
	return m, m.Incarnation != ""
}

// Present reports whether the node of a member is a member now, also as a later incarnation.
func (n *Node) Present(m store.Member) bool {
	for _, other := range n.view.current.Load().members {
		if other.Node == m.Node {
			return true
		}
	}
	return false
}

// Membership returns the number of the last change of a member.
func (n *Node) Membership() int64 { return n.view.current.Load().number }

// CatchUp waits until this node has applied the change with a number. It reads the database
// if it has not.
func (n *Node) CatchUp(ctx context.Context, number int64) error {
	if n.alone || n.Position().Number >= number {
		return nil
	}
	if err := n.catchUp(ctx); err != nil {
		return err
	}
	return n.awaitApplied(ctx, number)
}

// Others returns the members besides this node.
func (n *Node) Others() []store.Member {
	members, _ := n.Members()
	return slices.DeleteFunc(members, func(m store.Member) bool { return m.Incarnation == n.Incarnation() })
}

// Home returns the member that serves the calls of a function, and whether that is this
// node. Without members, the other result is the zero Member and false.
func (n *Node) Home(functionID string) (home store.Member, self bool) {
	if n.alone {
		return store.Member{}, true
	}
	home, ok := n.view.choose(functionID)
	return home, ok && home.Incarnation == n.Incarnation()
}

// Subscribe makes changed be called after the members, and so homes and owners, have
// changed. It must be called before the node follows the store, and changed must be quick.
func (n *Node) Subscribe(changed func()) {
	n.subscribing.Lock()
	defer n.subscribing.Unlock()
	n.subscribers = append(n.subscribers, changed)
}

// membersChanged is called by the view.
func (n *Node) membersChanged() {
	n.barrier.membersChanged()
	n.subscribing.Lock()
	subscribers := n.subscribers
	n.subscribing.Unlock()
	for _, changed := range subscribers {
		changed()
	}
}

// Forked is called when the database went back in time, before the followers load a
// snapshot. The lease is void until the node has joined again.
func (n *Node) Forked() {
	n.forks.Add(1)
	n.void(true)
}

// FailedOver is called when a standby has become the primary server of the database. It may
// lack the joins of members that have leases: no answer leaves until these have ended.
func (n *Node) FailedOver() {
	now := n.config.Clock()
	n.failover.Store(&now)
}

// awaitLost waits until members that a failover has lost have no lease any more.
func (n *Node) awaitLost(ctx context.Context) error {
	for {
		since := n.failover.Load()
		if since == nil {
			return nil
		}
		left := n.config.Lease
		for _, m := range n.view.current.Load().members {
			left = max(left, m.Lease)
		}
		if left += n.config.Margin - n.config.Clock().stood(*since); left <= 0 {
			return nil
		}
		if !pause(ctx, left) {
			return fmt.Errorf("wait for the leases of members that a failover may have lost: %w", ErrNotConfirmed)
		}
	}
}

// catchUp applies all changes that are committed now. The lease is void for good if this
// version does not know the kind of one of them: it cannot know what the change forbids.
func (n *Node) catchUp(ctx context.Context) error {
	err := n.config.Registry.CatchUp(ctx)
	if errors.Is(err, store.ErrUnknownKind) {
		n.outdated.Store(true)
		n.void(false)
	}
	return err
}

// void ends the lease at once. With join, the node joins again before it renews.
func (n *Node) void(join bool) {
	n.voided.Add(1)
	n.lease.Store(nil)
	if join {
		n.mustJoin.Store(true)
	}
}
