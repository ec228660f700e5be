package cluster_test

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/uuid"

	"github.com/jeton-dev/jeton/internal/cluster"
	"github.com/jeton-dev/jeton/internal/functions"
	"github.com/jeton-dev/jeton/internal/iam"
	"github.com/jeton-dev/jeton/internal/store"
	"github.com/jeton-dev/jeton/internal/store/postgres"
	"github.com/jeton-dev/jeton/test/await"
	server "github.com/jeton-dev/jeton/test/postgres"
)

func TestMain(m *testing.M) { server.Main(m) }

const (
	lease  = 1500 * time.Millisecond
	margin = 300 * time.Millisecond
	// kept is the number of changes in the log.
	kept = 40
)

// world is a database with nodes in this process. The nodes ask each other by function
// calls, unless they are cut off.
type world struct {
	t       *testing.T
	address string
	mu      sync.Mutex
	nodes   map[string]*node // by address
}

func newWorld(t *testing.T) *world {
	t.Helper()
	w := &world{t: t, address: server.Database(t), nodes: map[string]*node{}}
	return w
}

// node is a node with its store.
type node struct {
	*cluster.Node

	world *world
	name  string
	store *postgres.Store
	view  *tokens
	stop  func()
	// deaf cuts the node off from questions of others, and slow delays renewals.
	deaf atomic.Bool
	// late blocks the followers after view while it is locked.
	late sync.Mutex
	// registry can be replaced by hooks.
	registry *hooked
	// jump is added to the time of day.
	jump atomic.Int64
}

// hooked is a Registry with hooks.
type hooked struct {
	*postgres.Store

	// beforeRenew is called before, and afterRenew after a renewal at the database.
	beforeRenew, afterRenew atomic.Pointer[func()]
	cut                     atomic.Bool
	// renewals counts the calls.
	renewals atomic.Int64
}

var errCut = errors.New("cut off from the database")

func (h *hooked) Renew(ctx context.Context, incarnation string, applied store.Position, ahead time.Duration) (store.Renewal, error) {
	h.renewals.Add(1)
	if h.cut.Load() {
		return store.Renewal{}, errCut
	}
	if f := h.beforeRenew.Load(); f != nil {
		(*f)()
	}
	r, err := h.Store.Renew(ctx, incarnation, applied, ahead)
	if f := h.afterRenew.Load(); f != nil {
		(*f)()
	}
	return r, err
}

func (h *hooked) Leases(ctx context.Context) ([]store.Lease, error) {
	if h.cut.Load() {
		return nil, errCut
	}
	return h.Store.Leases(ctx)
}

func (h *hooked) CatchUp(ctx context.Context) error {
	if h.cut.Load() {
		return errCut
	}
	return h.Store.CatchUp(ctx)
}

// Acknowledge implements cluster.Peers.
func (w *world) Acknowledge(ctx context.Context, m store.Member, p store.Position) (cluster.Acknowledgement, error) {
	w.mu.Lock()
	asked := w.nodes[m.Address]
	w.mu.Unlock()
	if asked == nil || asked.deaf.Load() {
		return cluster.Acknowledgement{}, errors.New("connection refused")
	}
	return asked.Acknowledge(ctx, p), nil
}

// tokens is the view of a node that decides about tokens.
type tokens struct {
	mu  sync.Mutex
	ids map[string]bool
	// stuck blocks Apply while it is locked.
	stuck sync.Mutex
}

func (v *tokens) Apply(c store.Change) {
	v.stuck.Lock()
	defer v.stuck.Unlock()
	v.mu.Lock()
	defer v.mu.Unlock()
	if t, ok := c.Object.(functions.Token); ok {
		if v.ids[t.ID] = true; c.Deleted {
			delete(v.ids, t.ID)
		}
	}
}

func (v *tokens) Reload(store.Position) store.Loader {
	fresh := map[string]bool{}
	return store.Loader{
		Add: func(o store.Object) {
			if t, ok := o.(functions.Token); ok {
				fresh[t.ID] = true
			}
		},
		Swap: func() {
			v.mu.Lock()
			defer v.mu.Unlock()
			v.ids = fresh
		},
	}
}

// admits reports whether the node would admit a token: the lease first, the view second.
func (n *node) admits(id string) bool {
	if !n.Held() || !n.store.Settled() {
		return false
	}
	n.view.mu.Lock()
	defer n.view.mu.Unlock()
	return n.view.ids[id]
}

// open returns a node that has not joined. The options change its configuration.
func (w *world) open(name string, options ...func(*cluster.Config)) *node {
	w.t.Helper()
	return w.openAt(w.address, name, options...)
}

// openAt is open with a database URL of its own.
func (w *world) openAt(address, name string, options ...func(*cluster.Config)) *node {
	w.t.Helper()
	log := slog.New(slog.NewTextHandler(w.t.Output(), nil)).With("node", name)
	s, err := postgres.Open(w.t.Context(), address, time.Now, postgres.WithLog(log), postgres.WithRetention(store.Retention{Changes: kept, Bytes: 1 << 20, Age: time.Hour}))
	if err != nil {
		w.t.Fatal(err)
	}
	w.t.Cleanup(func() { _ = s.Close() })
	n := &node{world: w, name: name, store: s, view: &tokens{ids: map[string]bool{}}, registry: &hooked{Store: s}}
	c := cluster.Config{
		Store: s, Registry: n.registry, Peers: w, Name: name, Address: name + "-" + uuid.NewString()[:8] + ":1", Version: "test", Blobs: "bucket",
		Lease: lease, Margin: margin, Joined: func(string) error { return nil }, NoteCordon: func(bool) error { return nil }, NewID: uuid.NewString, Log: log,
		Clock: func() cluster.Instant {
			i := cluster.SystemClock()
			i.Time = i.Time.Add(time.Duration(n.jump.Load()))
			return i
		},
	}
	for _, option := range options {
		option(&c)
	}
	if n.Node, err = cluster.New(c); err != nil {
		w.t.Fatal(err)
	}
	s.OnFork(n.Forked)
	s.OnFailover(n.FailedOver)
	late := store.Hook{OnChange: func(store.Change) {
		n.late.Lock()
		defer n.late.Unlock()
	}}
	if err := s.Follow(w.t.Context(), store.Position{}, store.NewFanout(n.First(), n.view, late, n.Follower())); err != nil {
		w.t.Fatal(err)
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	w.nodes[c.Address] = n
	return n
}

// join starts a node and makes it a member.
func (w *world) join(name string, options ...func(*cluster.Config)) *node {
	w.t.Helper()
	n := w.open(name, options...)
	if err := n.Join(w.t.Context()); err != nil {
		w.t.Fatal(err)
	}
	n.run()
	return n
}

// run renews the lease until the test ends or stop is called.
func (n *node) run() {
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		_ = n.Run(ctx)
	}()
	n.stop = sync.OnceFunc(func() { cancel(); <-ended })
	n.world.t.Cleanup(n.stop)
}

var (
	project   = iam.Project{ID: "p", OrganizationID: "o", Name: "p"}
	namespace = functions.Namespace{ID: "n", Region: "fr-par", ProjectID: "p", Name: "n"}
)

func token(id string) functions.Token {
	return functions.Token{ID: id, Region: "fr-par", ProjectID: "p", NamespaceID: "n"}
}

// request makes a change as the API does: nil means that it was answered.
func (n *node) request(write func(store.Tx) error) error {
	ctx, err := n.Begin(n.world.t.Context())
	if err != nil {
		return err
	}
	if err := n.store.Update(ctx, write); err != nil {
		return err
	}
	return n.Await(ctx)
}

func (n *node) put(objects ...store.Object) {
	n.world.t.Helper()
	err := n.request(func(tx store.Tx) (err error) {
		for _, o := range objects {
			err = errors.Join(err, tx.Put(o))
		}
		return err
	})
	if err != nil {
		n.world.t.Fatal(err)
	}
}

func (n *node) delete(o store.Object) error {
	return n.request(func(tx store.Tx) error { return tx.Delete(o) })
}

// members returns the names of the members that the node sees.
func (n *node) members() string {
	all, _ := n.Members()
	var names []string
	for _, m := range all {
		names = append(names, m.Node)
	}
	return fmt.Sprint(names)
}

// three returns a world with three members, a project and a namespace.
func three(t *testing.T) (*world, []*node) {
	t.Helper()
	w := newWorld(t)
	nodes := []*node{w.join("a"), w.join("b"), w.join("c")}
	nodes[0].put(project, namespace)
	return w, nodes
}

func TestDelete_IsAppliedEverywhereWhenAnswered(t *testing.T) {
	t.Parallel()
	_, nodes := three(t)
	for i := range 50 {
		id := fmt.Sprint("t", i)
		nodes[i%3].put(token(id))
		for _, n := range nodes {
			if !n.admits(id) {
				t.Fatalf("node %s does not admit a token that was created", n.name)
			}
		}
		if err := nodes[(i+1)%3].delete(token(id)); err != nil {
			t.Fatal(err)
		}
		for _, n := range nodes {
			if n.admits(id) {
				t.Fatalf("node %s admits a token that was deleted", n.name)
			}
		}
	}
}

func TestCutOffNode_LosesItsLeaseBeforeItIsFenced(t *testing.T) {
	t.Parallel()
	_, nodes := three(t)
	nodes[0].put(token("t"))
	cut := nodes[2]
	cut.registry.cut.Store(true)
	cut.deaf.Store(true)
	cut.view.stuck.Lock()
	deleted := make(chan error, 1)
	go func() { deleted <- nodes[0].delete(token("t")) }()
	select {
	case err := <-deleted:
		if cut.admits("t") {
			t.Error("the answer was sent while the node that is cut off admits the token")
		}
		if err != nil {
			t.Error(err)
		}
	case <-time.After(30 * time.Second):
		t.Fatal("the deletion was not answered")
	}
	await.True(t, "the node is fenced", func() bool { return nodes[0].members() == "[a b]" && nodes[1].members() == "[a b]" })
	first := cut.Incarnation()
	cut.view.stuck.Unlock()
	cut.registry.cut.Store(false)
	cut.deaf.Store(false)
	await.True(t, "the node joins again", func() bool { return cut.Held() && cut.Incarnation() != first && nodes[0].members() == "[a b c]" })
	if cut.admits("t") {
		t.Error("the node admits the token after it joined again")
	}
}
