package reconcile_test

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/uuid"

	"github.com/jeton-dev/jeton/internal/blob"
	"github.com/jeton-dev/jeton/internal/blob/files"
	"github.com/jeton-dev/jeton/internal/cluster"
	"github.com/jeton-dev/jeton/internal/functions"
	"github.com/jeton-dev/jeton/internal/reconcile"
	"github.com/jeton-dev/jeton/internal/runtime"
	"github.com/jeton-dev/jeton/internal/secret"
	"github.com/jeton-dev/jeton/internal/store"
	"github.com/jeton-dev/jeton/internal/store/postgres"
	"github.com/jeton-dev/jeton/test/await"
	"github.com/jeton-dev/jeton/test/deploy"
	"github.com/jeton-dev/jeton/test/nopeers"
	server "github.com/jeton-dev/jeton/test/postgres"
	"github.com/jeton-dev/jeton/test/testlog"
)

func TestMain(m *testing.M) { server.Main(m) }

const (
	lease  = 1500 * time.Millisecond
	margin = 300 * time.Millisecond
)

// A clusterWorld is nodes that share a PostgreSQL database and archives.
type clusterWorld struct {
	*testing.T

	database string
	archives blob.Archives
	nodes    []*clusterNode
}

// A clusterNode is a Reconciler with a node of a cluster, and fakes for builds and
// instances.
type clusterNode struct {
	*cluster.Node

	name       string
	store      *postgres.Store
	reconciler *reconcile.Reconciler
	builders   *fakeBuilders
	instances  *fakeInstances
	log        *testlog.Buffer
	// stall holds back the changes of the node while it is locked.
	stall sync.Mutex
	// oblivious makes the node take itself for the owner of everything, like a process that
	// was paused and has not looked at its clocks yet.
	oblivious atomic.Bool
	// crash ends the renewals of the lease without leaving.
	crash context.CancelFunc
}

// Owns implements reconcile.Owners.
func (n *clusterNode) Owns(key string) bool { return n.oblivious.Load() || n.Node.Owns(key) }

func newClusterWorld(t *testing.T, nodes int) *clusterWorld {
	t.Helper()
	w := &clusterWorld{T: t, database: server.Database(t)}
	var err error
	if w.archives, err = files.OpenArchives(filepath.Join(t.TempDir(), "archives")); err != nil {
		t.Fatal(err)
	}
	for range nodes {
		w.add()
	}
	w.update(func(tx store.Tx) error { return tx.Put(project) })
	return w
}

// Apply and Reload implement store.Follower: they wait while the node is stalled.
func (n *clusterNode) Apply(store.Change) { n.stall.Lock(); defer n.stall.Unlock() }

func (n *clusterNode) Reload(store.Position) store.Loader {
	return store.Loader{Add: func(store.Object) {}, Swap: func() {}}
}

func (w *clusterWorld) add() {
	w.Helper()
	n := &clusterNode{name: fmt.Sprintf("node%d", len(w.nodes)+1), builders: &fakeBuilders{}, instances: &fakeInstances{}, log: &testlog.Buffer{}}
	log := slog.New(slog.NewTextHandler(n.log, nil))
	database, err := postgres.Open(w.Context(), w.database, time.Now, postgres.WithLog(log))
	if err != nil {
		w.Fatal(err)
	}
	w.Cleanup(func() { _ = database.Close() })
	n.store = database
	n.Node, err = cluster.New(cluster.Config{
		Store: database, Registry: database, Peers: nopeers.Peers{}, Name: n.name, Address: n.name, Blobs: "shared",
		Lease: lease, Margin: margin, Joined: func(string) error { return nil }, NoteCordon: func(bool) error { return nil },
		Clock: cluster.SystemClock, NewID: uuid.NewString, Log: log,
	})
	dir := w.TempDir()
	artifacts, err2 := files.OpenArtifacts(filepath.Join(dir, "artifacts"))
	builds, err3 := files.OpenBuildCache(filepath.Join(dir, "builds"), 1<<30, time.Now)
	sealer, err4 := secret.NewSealer(make([]byte, secret.KeySize))
	if err := errors.Join(err, err2, err3, err4); err != nil {
		w.Fatal(err)
	}
	n.reconciler, err = reconcile.New(reconcile.Config{
		Owners: n, Store: store.Functions(database), Keys: &fakeKeys{}, Sealer: sealer, Archives: w.archives, Artifacts: artifacts, BuildCache: builds,
		Logs: &fakeLogs{}, Builders: n.builders, Engine: &fakeEngine{}, Instances: n.instances,
		Caches: folderCaches{filepath.Join(dir, "caches")}, Sources: &sources{}, Limits: functions.DefaultLimits(),
		BuildTimeout: time.Minute, BuildDisk: 1 << 20, BuildSlots: 20, CacheLimit: 1 << 20, Now: time.Now, NewID: uuid.NewString, Log: log,
	})
	if err != nil {
		w.Fatal(err)
	}
	n.Subscribe(n.reconciler.OwnersChanged)
	w.run(n)
	w.nodes = append(w.nodes, n)
}

// run runs a node until the test ends.
func (w *clusterWorld) run(n *clusterNode) {
	w.Helper()
	ctx, stop := context.WithCancel(context.Background())
	renewing, crash := context.WithCancel(ctx)
	n.crash = crash
	err := n.store.Follow(ctx, store.Position{}, store.NewFanout(n.First(), n, n.reconciler, n.Follower()))
	if err = errors.Join(err, n.Join(ctx)); err != nil {
		w.Fatal(err)
	}
	var running sync.WaitGroup
	running.Go(func() { _ = n.Run(renewing) })
	running.Go(func() { _ = n.reconciler.Run(ctx) })
	w.Cleanup(func() { stop(); running.Wait() })
}

func (w *clusterWorld) update(write func(store.Tx) error) {
	w.Helper()
	if err := w.nodes[0].store.Update(w.Context(), write); err != nil {
		w.Fatal(err)
	}
}

// newFunction starts the deployment of a new function that node owns, or any if that is nil.
func (w *clusterWorld) newFunction(owner *clusterNode) string {
	w.Helper()
	members, _ := w.nodes[0].Members()
	id := uuid.NewString()
	for owner != nil {
		if home, _ := cluster.Choose(members, id); home.Node == owner.name {
			break
		}
		id = uuid.NewString()
	}
	n := functions.Namespace{ID: uuid.NewString(), Region: "fr-par", ProjectID: project.ID, Name: uuid.NewString(), Slug: "slug", Status: functions.Ready, PublicKey: "k", PrivateKey: []byte("k")}
	f := functions.Function{
		ID: id, Region: n.Region, ProjectID: project.ID, NamespaceID: n.ID, Name: id, Status: functions.Created, MaxScale: 1,
		Runtime: "python314", Handler: "handler.handle", MemoryLimit: 256, CPULimit: 140, Timeout: time.Minute, DomainName: id,
	}
	w.update(func(tx store.Tx) error { return errors.Join(tx.Put(n), tx.Put(f)) })
	packed, err := deploy.Archive(map[string]string{"handler.py": "code"})
	if err != nil {
		w.Fatal(err)
	}
	_, err = w.archives.Put(w.Context(), id, strings.NewReader(string(packed)), int64(len(packed)), func(a blob.Archive) error {
		f.Archive, f.Target, f.Rebuild = a.Digest, a.Digest, true
		f.StartDeployment(time.Now())
		return w.nodes[0].store.Update(w.Context(), func(tx store.Tx) error { return tx.Put(f) })
	})
	if err != nil {
		w.Fatal(err)
	}
	return id
}

func (w *clusterWorld) function(id string) (f functions.Function) {
	w.Helper()
	err := w.nodes[0].store.View(w.Context(), func(tx store.Tx) (err error) {
		f, err = tx.Function(id)
		return err
	})
	if err != nil {
		w.Fatal(err)
	}
	return f
}

func (w *clusterWorld) awaitReady(id string) functions.Function {
	w.Helper()
	await.True(w.T, "function "+id+" is ready", func() bool { return w.function(id).Status == functions.Ready })
	return w.function(id)
}

func (w *clusterWorld) wantNoErrors() {
	w.Helper()
	for _, n := range w.nodes {
		if strings.Contains(n.log.String(), "will be retried") {
			w.Errorf("%s: got log %s, want no failures of work", n.name, n.log)
		}
	}
}

func TestCluster_EachFunctionIsBuiltOnce(t *testing.T) {
	t.Parallel()
	w := newClusterWorld(t, 3)
	const count = 30
	owners := map[string]string{}
	for range count {
		id := w.newFunction(nil)
		home, _ := w.nodes[0].Home(id)
		owners[id] = home.Node
	}
	for id := range owners {
		w.awaitReady(id)
	}
	builds := map[string]int{}
	for _, owner := range owners {
		builds[owner]++
	}
	for _, n := range w.nodes {
		if got := n.builders.count("build"); got != builds[n.name] {
			t.Errorf("%s: got %d builds, want the %d of its functions", n.name, got, builds[n.name])
		}
		if got := n.reconciler.Homes(); got != builds[n.name] {
			t.Errorf("%s: got %d functions, want %d", n.name, got, builds[n.name])
		}
	}
	w.wantNoErrors()
}

// The owner is paused during a build until another node has fenced it and has begun to build.
// Then it continues, and does not notice by itself.
func TestCluster_BuildOfFencedOwnerIsTakenUp(t *testing.T) {
	t.Parallel()
	w := newClusterWorld(t, 2)
	survivor, victim := w.nodes[0], w.nodes[1]
	building, paused, again, finish := make(chan struct{}), make(chan struct{}), make(chan struct{}), make(chan struct{})
	victim.builders.build.set(func(context.Context, runtime.Build) error { close(building); <-paused; return nil })
	survivor.builders.build.set(func(context.Context, runtime.Build) error { close(again); <-finish; return nil })
	id := w.newFunction(victim)
	<-building
	crashed := time.Now()
	victim.oblivious.Store(true)
	victim.crash()
	<-again
	if took := time.Since(crashed); took > 10*time.Second {
		t.Errorf("the build was taken up after %v, want at most 10 s", took)
	}
	close(paused)
	await.True(t, "the fenced node gives up", func() bool { return reconcile.Idle(victim.reconciler) })
	if f := w.function(id); f.Status != functions.Pending || f.Revision != nil {
		t.Errorf("the fenced node has changed the function: %+v", f)
	}
	close(finish)
	f := w.awaitReady(id)
	if survivor.instances.count("warm "+f.Revision.ID) != 1 || survivor.builders.count("build") != 1 {
		t.Errorf("got revision %s after %d builds, want that of the new owner after one", f.Revision.ID, survivor.builders.count("build"))
	}
	w.wantNoErrors()
}

// I8: a node that has not applied the change that makes it the owner does not start, and
// the former owner does not either.
func TestCluster_NewOwnerStartsAfterItHasAppliedTheChange(t *testing.T) {
	t.Parallel()
	w := newClusterWorld(t, 2)
	former, next := w.nodes[0], w.nodes[1]
	members, _ := former.Members()
	id := uuid.NewString()
	for {
		if home, _ := cluster.Choose(members, id); home.Node == former.name {
			break
		}
		id = uuid.NewString()
	}
	n := functions.Namespace{ID: uuid.NewString(), Region: "fr-par", ProjectID: project.ID, Name: "n", Slug: "slug", Status: functions.Ready, PublicKey: "k", PrivateKey: []byte("k")}
	w.update(func(tx store.Tx) error { return tx.Put(n) })
	token := functions.Token{ID: id, ProjectID: project.ID, NamespaceID: n.ID, Digest: functions.Digest{1}, Status: functions.Creating}
	status := func() functions.Status {
		t.Helper()
		var found functions.Token
		err := former.store.View(t.Context(), func(tx store.Tx) (err error) {
			found, err = tx.Token(id)
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
		return found.Status
	}
	next.stall.Lock()
	stalled := time.Now()
	former.Drain(t.Context())
	w.update(func(tx store.Tx) error { return tx.Put(token) })
	if _, self := former.Home(id); self {
		t.Error("the draining node takes itself for the owner")
	}
	if next.Owns(id) {
		t.Error("a node takes itself for the owner before it has applied the change")
	}
	for time.Since(stalled) < lease/3 {
		if got := status(); got != functions.Creating {
			t.Fatalf("got status %s before the new owner has applied the change", got)
		}
	}
	next.stall.Unlock()
	await.True(t, "the new owner does the work", func() bool { return status() == functions.Ready })
	w.wantNoErrors()
}
