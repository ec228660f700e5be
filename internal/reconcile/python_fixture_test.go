package reconcile_test

import (
	"bytes"
	"context"
	"errors"
	"io"
	"log/slog"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/uuid"

	"github.com/jeton-dev/jeton/internal/blob"
	"github.com/jeton-dev/jeton/internal/blob/files"
	"github.com/jeton-dev/jeton/internal/engine"
	"github.com/jeton-dev/jeton/internal/engine/process"
	"github.com/jeton-dev/jeton/internal/functions"
	"github.com/jeton-dev/jeton/internal/iam"
	"github.com/jeton-dev/jeton/internal/output"
	"github.com/jeton-dev/jeton/internal/projectcache"
	"github.com/jeton-dev/jeton/internal/reconcile"
	"github.com/jeton-dev/jeton/internal/runtime"
	"github.com/jeton-dev/jeton/internal/runtime/python"
	"github.com/jeton-dev/jeton/internal/sandbox"
	"github.com/jeton-dev/jeton/internal/scale"
	"github.com/jeton-dev/jeton/internal/secret"
	"github.com/jeton-dev/jeton/internal/store"
	"github.com/jeton-dev/jeton/internal/store/sqlite"
	"github.com/jeton-dev/jeton/internal/store/storetest"
	"github.com/jeton-dev/jeton/internal/token"
	"github.com/jeton-dev/jeton/test/await"
	"github.com/jeton-dev/jeton/test/deploy"
	"github.com/jeton-dev/jeton/test/testlog"
)

var (
	project    = iam.Project{ID: "11111111-1111-4111-8111-111111111111", OrganizationID: "22222222-2222-4222-8222-222222222222"}
	keyPair    = sync.OnceValues(func() (token.KeyPair, error) { return token.GenerateKeyPair(2048) })
	toolchains = sync.OnceValue(func() *runtime.Toolchains { return runtime.FindToolchains(context.Background(), nil) })
)

// hello is a function that answers with the value of the variable A.
const hello = "import os\n\ndef handle(event, context):\n    return os.environ.get('A', 'none')\n"

// pairs returns one key pair for all namespaces, because generating one is slow.
type pairs struct{}

func (pairs) Take(context.Context) (token.KeyPair, error) { return keyPair() }

// buildLogs stores the logs of builds, as the server does.
type buildLogs struct{ *output.Logs }

func (b buildLogs) WriteBuild(f functions.Function, text string) error {
	return b.Logs.WriteBuild(output.Function{ID: f.ID, Name: f.Name, Namespace: f.NamespaceID}, text)
}

// localArtifacts implements process.Artifacts, as the server does.
type localArtifacts struct{ artifacts blob.Local }

func (l localArtifacts) Local(ctx context.Context, functionID, artifact string) (dir string, release func(), err error) {
	return l.artifacts.Local(ctx, blob.Ref{FunctionID: functionID, Name: artifact})
}

// starter implements process.Starter, as the server does.
type starter struct{ runtime.Starter }

func (s starter) Start(r engine.Revision, home string) (process.Start, error) {
	start, err := s.Starter.Start(r.Runtime, r.Handler, r.Launch, r.Env, home)
	return process.Start(start), err
}

// sources returns the same error for every trigger.
type sources struct{ err error }

func (s *sources) Check(functions.Trigger) error { return s.err }

// A pythonFixture is a Reconciler with a real store, real files, the builder of Python and
// processes as instances. Tests write to the store what the API would write.
type pythonFixture struct {
	*reconcile.Reconciler

	t        *testing.T
	dir      string
	db       *sqlite.Store
	store    functions.Store
	archives blob.Archives
	logs     *output.Logs
	sealer   *secret.Sealer
	scaler   *scale.Scaler
	log      *testlog.Buffer
	sources  *sources
	stop     func()
}

func newPythonFixture(t *testing.T, options ...func(*reconcile.Config)) *pythonFixture {
	t.Helper()
	w := &pythonFixture{t: t, dir: t.TempDir(), log: &testlog.Buffer{}, sources: &sources{}}
	db, err := sqlite.Open(t.Context(), filepath.Join(w.dir, "jeton.db"), time.Now)
	if err != nil {
		t.Fatal(err)
	}
	w.db, w.store = db, store.Functions(storetest.Twice(db))
	t.Cleanup(func() { _ = db.Close() })
	w.update(func(tx functions.Tx) error { return tx.Put(project) })
	if w.sealer, err = secret.NewSealer(make([]byte, secret.KeySize)); err != nil {
		t.Fatal(err)
	}
	w.start(options...)
	return w
}

// start starts a Reconciler, as a server does. The end of the test stops it.
func (w *pythonFixture) start(options ...func(*reconcile.Config)) {
	w.t.Helper()
	archives, err := files.OpenArchives(filepath.Join(w.dir, "archives"))
	artifacts, err2 := files.OpenArtifacts(filepath.Join(w.dir, "artifacts"))
	builds, err3 := files.OpenBuildCache(filepath.Join(w.dir, "builds"), 1<<30, time.Now)
	logs, err4 := output.Open(filepath.Join(w.dir, "logs"), 1<<20)
	sockets, err5 := os.MkdirTemp("/tmp", "jr") //nolint:usetesting // The path of a socket must be short.
	log := slog.New(slog.NewTextHandler(w.log, nil))
	engine, err6 := process.New(process.Config{
		Artifacts: localArtifacts{artifacts}, Starter: starter{runtime.Starter{Toolchains: toolchains()}},
		Dir: sockets, Isolation: sandbox.None, ReadyTimeout: await.Patience, Grace: 100 * time.Millisecond,
	}, log)
	caches, err7 := projectcache.Open(filepath.Join(w.dir, "caches"), projectcache.Limits{Project: 1 << 30, Total: 1 << 30}, time.Now, log)
	if err := errors.Join(err, err2, err3, err4, err5, err6, err7); err != nil {
		w.t.Fatal(err)
	}
	w.logs, w.scaler = logs, scale.New(engine, scale.Config{}, log)
	config := reconcile.Config{
		Owners: &fakeOwners{store: w.store}, Store: w.store, Keys: pairs{}, Sealer: w.sealer, Archives: archives, Artifacts: artifacts, BuildCache: builds, Logs: buildLogs{logs},
		Builders: runtime.Builders{runtime.Python: python.New(toolchains())}, Engine: engine, Instances: w.scaler,
		Limits: functions.DefaultLimits(), BuildTimeout: await.Patience, BuildDisk: 1 << 30, Caches: caches, CacheLimit: 1 << 30, Now: time.Now, NewID: uuid.NewString,
		Log: log, Sources: w.sources,
	}
	for _, option := range options {
		option(&config)
	}
	if w.Reconciler, err = reconcile.New(config); err != nil {
		w.t.Fatal(err)
	}
	w.archives = archives
	if err := w.db.Follow(w.t.Context(), store.Position{}, w.Reconciler); err != nil {
		w.t.Fatal(err)
	}
	if err := w.Restore(w.t.Context()); err != nil {
		w.t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	var running sync.WaitGroup
	running.Go(func() { _ = w.scaler.Run(ctx) })
	running.Go(func() { _ = w.Run(ctx) })
	w.stop = sync.OnceFunc(func() {
		cancel()
		running.Wait()
		if err := errors.Join(engine.Close(), logs.Close(), os.RemoveAll(sockets)); err != nil {
			w.t.Error(err)
		}
	})
	w.t.Cleanup(w.stop)
	w.t.Cleanup(func() {
		if w.t.Failed() {
			w.t.Logf("log:\n%.10000s", w.log)
		}
	})
}

func (w *pythonFixture) update(write func(functions.Tx) error) {
	w.t.Helper()
	if err := w.store.Update(context.Background(), write); err != nil {
		w.t.Fatal(err)
	}
}

// view returns an object, and whether it exists.
func view[T any](w *pythonFixture, id string, read func(functions.Tx, string) (T, error)) (T, bool) {
	w.t.Helper()
	var found T
	err := w.store.View(context.Background(), func(tx functions.Tx) (err error) {
		found, err = read(tx, id)
		return err
	})
	if err != nil && !functions.IsNotFound(err) {
		w.t.Fatal(err)
	}
	return found, err == nil
}

// settled waits until a function is in no transient state, and returns it.
func (w *pythonFixture) settled(id string) functions.Function {
	w.t.Helper()
	var f functions.Function
	await.True(w.t, "the function is settled", func() bool {
		found, ok := view(w, id, functions.Tx.Function)
		f = found
		return ok && !f.Status.Transient()
	})
	return f
}

// namespace puts a namespace and waits until it is ready.
func (w *pythonFixture) namespace(change func(*functions.Namespace)) functions.Namespace {
	w.t.Helper()
	n := functions.Namespace{
		ID: uuid.NewString(), Region: "fr-par", ProjectID: project.ID, OrganizationID: project.OrganizationID, Name: uuid.NewString(), Slug: "slug",
		Status: functions.Pending, CreatedAt: time.Now(), UpdatedAt: time.Now(),
	}
	if change != nil {
		change(&n)
	}
	w.update(func(tx functions.Tx) error { return tx.Put(n) })
	await.True(w.t, "the namespace is ready", func() bool {
		found, ok := view(w, n.ID, functions.Tx.Namespace)
		n = found
		return ok && n.Status == functions.Ready
	})
	return n
}

// function puts a Python function without code.
func (w *pythonFixture) function(n functions.Namespace, change func(*functions.Function)) functions.Function {
	w.t.Helper()
	f := functions.Function{
		ID: uuid.NewString(), Region: n.Region, ProjectID: n.ProjectID, OrganizationID: n.OrganizationID, NamespaceID: n.ID, Name: uuid.NewString(),
		Status: functions.Created, MaxScale: 1, Runtime: "python314", Handler: "handler.handle", MemoryLimit: 256, CPULimit: 140,
		Timeout: time.Minute, Privacy: functions.Private, DomainName: uuid.NewString(), CreatedAt: time.Now(), UpdatedAt: time.Now(),
	}
	if change != nil {
		change(&f)
	}
	w.update(func(tx functions.Tx) error { return tx.Put(f) })
	return f
}

// begin uploads code and requests its deployment.
func (w *pythonFixture) begin(id, handler string) {
	w.t.Helper()
	packed, err := deploy.Archive(map[string]string{"handler.py": handler})
	if err != nil {
		w.t.Fatal(err)
	}
	_, err = w.archives.Put(context.Background(), id, bytes.NewReader(packed), int64(len(packed)), func(a blob.Archive) error {
		return w.store.Update(context.Background(), func(tx functions.Tx) error {
			f, err := tx.Function(id)
			if err != nil {
				return err
			}
			f.Archive, f.Target, f.Rebuild = a.Digest, a.Digest, true
			f.StartDeployment(time.Now())
			return tx.Put(f)
		})
	})
	if err != nil {
		w.t.Fatal(err)
	}
}

// deploy calls begin, and returns the function when its deployment has ended.
func (w *pythonFixture) deploy(id, handler string) functions.Function {
	w.t.Helper()
	w.begin(id, handler)
	return w.settled(id)
}

// call calls the serving revision of a function, and returns the body of the response.
func (w *pythonFixture) call(f functions.Function) string {
	w.t.Helper()
	if f.Revision == nil {
		w.t.Fatalf("got no serving revision: %s %s", f.Status, f.ErrorMessage)
	}
	instance, err := w.scaler.Acquire(w.t.Context(), f.Revision.ID)
	if err != nil {
		w.t.Fatal(err)
	}
	defer w.scaler.Release(instance)
	client := &http.Client{Transport: &http.Transport{DisableKeepAlives: true, DialContext: func(ctx context.Context, _, _ string) (net.Conn, error) {
		return new(net.Dialer).DialContext(ctx, instance.Address.Network(), instance.Address.Endpoint())
	}}}
	response, err := client.Get("http://function/")
	if err != nil {
		w.t.Fatal(err)
	}
	defer response.Body.Close()
	body, err := io.ReadAll(response.Body)
	if err != nil {
		w.t.Fatal(err)
	}
	return strings.TrimSpace(string(body))
}

// files returns the paths in one of the folders of a function.
func (w *pythonFixture) files(kind, id string) []string {
	w.t.Helper()
	found, err := filepath.Glob(filepath.Join(w.dir, kind, id, "*"))
	if err != nil {
		w.t.Fatal(err)
	}
	return found
}
