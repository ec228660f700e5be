package reconcile_test

import (
	"context"
	"errors"
	"log/slog"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/uuid"

	"github.com/jeton-dev/jeton/internal/blob"
	"github.com/jeton-dev/jeton/internal/blob/files"
	"github.com/jeton-dev/jeton/internal/functions"
	"github.com/jeton-dev/jeton/internal/reconcile"
	"github.com/jeton-dev/jeton/internal/secret"
	"github.com/jeton-dev/jeton/internal/store"
	"github.com/jeton-dev/jeton/internal/store/sqlite"
	"github.com/jeton-dev/jeton/internal/store/storetest"
	"github.com/jeton-dev/jeton/test/deploy"
	"github.com/jeton-dev/jeton/test/testlog"
)

// A fixture is a Reconciler with a real store, real files and fakes for the rest. It
// runs in a bubble of synctest: time passes when all work waits.
type fixture struct {
	*testing.T

	dir       string
	db        *sqlite.Store
	store     *flakyStore
	archives  blob.Archives
	engine    *fakeEngine
	instances *fakeInstances
	builders  *fakeBuilders
	keys      *fakeKeys
	logs      *fakeLogs
	sources   *sources
	log       *testlog.Buffer
	owners    *fakeOwners
	config    reconcile.Config
	running   *reconcile.Reconciler
	stop      func()
}

// run calls test with a fixture whose Reconciler is not started yet.
func run(t *testing.T, test func(*fixture)) {
	t.Helper()
	t.Parallel()
	synctest.Test(t, func(t *testing.T) { test(newFixture(t)) })
}

func newFixture(t *testing.T) *fixture {
	t.Helper()
	f := &fixture{
		T: t, dir: t.TempDir(), engine: &fakeEngine{}, instances: &fakeInstances{}, builders: &fakeBuilders{},
		keys: &fakeKeys{}, logs: &fakeLogs{}, sources: &sources{}, log: &testlog.Buffer{},
	}
	db, err := sqlite.Open(t.Context(), filepath.Join(f.dir, "jeton.db"), time.Now)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = db.Close() })
	f.db, f.store = db, &flakyStore{Store: store.Functions(storetest.Twice(db))}
	archives, err := files.OpenArchives(filepath.Join(f.dir, "archives"))
	artifacts, err2 := files.OpenArtifacts(filepath.Join(f.dir, "artifacts"))
	builds, err3 := files.OpenBuildCache(filepath.Join(f.dir, "builds"), 1<<30, time.Now)
	sealer, err4 := secret.NewSealer(make([]byte, secret.KeySize))
	if err := errors.Join(err, err2, err3, err4); err != nil {
		t.Fatal(err)
	}
	f.archives, f.owners = archives, &fakeOwners{store: f.store, other: map[string]bool{}, behind: map[string]bool{}}
	f.config = reconcile.Config{
		Owners: f.owners, Store: f.store, Keys: f.keys, Sealer: sealer, Archives: archives, Artifacts: artifacts, BuildCache: builds, Logs: f.logs,
		Builders: f.builders, Engine: f.engine, Instances: f.instances,
		Caches: folderCaches{filepath.Join(f.dir, "caches")}, Sources: f.sources, Limits: functions.DefaultLimits(),
		BuildTimeout: time.Minute, BuildDisk: 1 << 20, BuildSlots: 2, CacheLimit: 1 << 20,
		Now: time.Now, NewID: uuid.NewString, Log: slog.New(slog.NewTextHandler(f.log, nil)),
	}
	f.update(func(tx store.Tx) error { return tx.Put(project) })
	return f
}

// start starts a Reconciler with the configuration, as a server does. A second call
// stops the first one.
func (f *fixture) start() {
	f.Helper()
	if f.stop != nil {
		f.stop()
	}
	r, err := reconcile.New(f.config)
	if err != nil {
		f.Fatal(err)
	}
	f.running = r
	ctx, cancel := context.WithCancel(context.Background())
	if err := errors.Join(f.db.Follow(ctx, store.Position{}, r), r.Restore(ctx)); err != nil {
		f.Fatal(err)
	}
	var running sync.WaitGroup
	running.Go(func() { _ = r.Run(ctx) })
	f.stop = sync.OnceFunc(func() { cancel(); running.Wait() })
	f.Cleanup(f.stop)
	synctest.Wait()
}

// after lets time pass.
func (f *fixture) after(d time.Duration) {
	<-time.After(d)
	synctest.Wait()
}

func (f *fixture) update(write func(store.Tx) error) {
	f.Helper()
	if err := f.db.Update(context.Background(), write); err != nil {
		f.Fatal(err)
	}
}

func (f *fixture) put(object store.Object) {
	f.Helper()
	f.update(func(tx store.Tx) error { return tx.Put(object) })
}

// get returns an object, and whether it exists.
func get[T any](f *fixture, id string, read func(functions.Tx, string) (T, error)) (T, bool) {
	f.Helper()
	var object T
	err := f.db.View(context.Background(), func(tx store.Tx) (err error) {
		object, err = read(tx, id)
		return err
	})
	if err != nil && !functions.IsNotFound(err) {
		f.Fatal(err)
	}
	return object, err == nil
}

func (f *fixture) newNamespace() functions.Namespace {
	f.Helper()
	n := functions.Namespace{
		ID: uuid.NewString(), Region: "fr-par", ProjectID: project.ID, OrganizationID: project.OrganizationID, Name: uuid.NewString(), Slug: "slug",
		Status: functions.Pending, CreatedAt: time.Now(), UpdatedAt: time.Now(),
	}
	f.put(n)
	return n
}

// newFunction puts a function without code into a namespace of its own.
func (f *fixture) newFunction() functions.Function {
	f.Helper()
	n := f.newNamespace()
	fn := functions.Function{
		ID: uuid.NewString(), Region: n.Region, ProjectID: n.ProjectID, OrganizationID: n.OrganizationID, NamespaceID: n.ID, Name: uuid.NewString(),
		Status: functions.Created, MaxScale: 1, Runtime: "python314", Handler: "handler.handle", MemoryLimit: 256, CPULimit: 140,
		Timeout: time.Minute, Privacy: functions.Private, DomainName: uuid.NewString(), CreatedAt: time.Now(), UpdatedAt: time.Now(),
	}
	f.put(fn)
	return fn
}

// deploy uploads code and requests its deployment.
func (f *fixture) deploy(id, code string) {
	f.Helper()
	packed, err := deploy.Archive(map[string]string{"handler.py": code})
	if err != nil {
		f.Fatal(err)
	}
	_, err = f.archives.Put(context.Background(), id, strings.NewReader(string(packed)), int64(len(packed)), func(a blob.Archive) error {
		return f.change(id, func(fn *functions.Function) {
			fn.Archive, fn.Target, fn.Rebuild = a.Digest, a.Digest, true
			fn.StartDeployment(time.Now())
		})
	})
	if err != nil {
		f.Fatal(err)
	}
	synctest.Wait()
}

func (f *fixture) change(id string, change func(*functions.Function)) error {
	return f.db.Update(context.Background(), func(tx store.Tx) error {
		fn, err := tx.Function(id)
		if err != nil {
			return err
		}
		change(&fn)
		return tx.Put(fn)
	})
}

func (f *fixture) function(id string) functions.Function {
	f.Helper()
	fn, ok := get(f, id, functions.Tx.Function)
	if !ok {
		f.Fatalf("function %s does not exist", id)
	}
	return fn
}

// wantFunction checks the status of a function and its error message.
func (f *fixture) wantFunction(id string, status functions.Status, message string) functions.Function {
	f.Helper()
	fn := f.function(id)
	if fn.Status != status || fn.ErrorMessage != message {
		f.Errorf("got function %s %q, want %s %q", fn.Status, fn.ErrorMessage, status, message)
	}
	return fn
}
