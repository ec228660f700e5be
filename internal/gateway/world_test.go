package gateway_test

import (
	"context"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/jeton-dev/jeton/internal/engine"
	"github.com/jeton-dev/jeton/internal/functions"
	"github.com/jeton-dev/jeton/internal/gateway"
	"github.com/jeton-dev/jeton/internal/iam"
	"github.com/jeton-dev/jeton/internal/scale"
	"github.com/jeton-dev/jeton/internal/store"
	"github.com/jeton-dev/jeton/test/await"
	"github.com/jeton-dev/jeton/test/testlog"
)

const (
	namespaceID = "d049a22d-92fd-48a5-9b3f-8c5633c313d3"
	functionID  = "a570d8b5-572f-49c2-9821-f3e363d3f2dc"
	siblingID   = "b570d8b5-572f-49c2-9821-f3e363d3f2dc"
	strangerID  = "c049a22d-92fd-48a5-9b3f-8c5633c313d3"
	projectID   = "11111111-1111-4111-8111-111111111111"
	host        = "ns-f.functions.fnc.fr-par.localhost"
)

var start = time.Date(2026, 7, 3, 13, 0, 0, 0, time.UTC)

// world is a gateway and one real HTTP server on a unix socket, which is the instance of every
// function.
type world struct {
	*gateway.Gateway
	t         *testing.T
	config    gateway.Config
	directory *iam.Directory
	handler   http.Handler
	log       *testlog.Buffer

	mu        sync.Mutex
	clock     time.Time
	err       error
	released  int
	discarded int
	address   engine.Address
}

func newWorld(t *testing.T, function http.HandlerFunc, configure ...func(*gateway.Config)) *world {
	t.Helper()
	w := &world{t: t, directory: iam.NewDirectory(), log: &testlog.Buffer{}, clock: start}
	dir, err := os.MkdirTemp("/tmp", "gw") //nolint:usetesting // The path of a socket must be short.
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = os.RemoveAll(dir) })
	w.address = engine.MustParseAddress("unix:" + filepath.Join(dir, "s"))
	var config net.ListenConfig
	listener, err := config.Listen(t.Context(), "unix", w.address.Endpoint())
	if err != nil {
		t.Fatal(err)
	}
	instance := httptest.NewUnstartedServer(function)
	instance.Listener = listener
	instance.Start()
	t.Cleanup(instance.Close)
	w.config = gateway.Config{
		Table: gateway.NewTable(), Keys: w.directory, Instances: w,
		Now:   func() time.Time { w.mu.Lock(); defer w.mu.Unlock(); return w.clock },
		NewID: func() string { return "made-here" },
		Log:   slog.New(slog.NewTextHandler(w.log, nil)),
	}
	w.configure(configure...)
	return w
}

// configure changes the configuration and replaces the gateway with a new one.
func (w *world) configure(change ...func(*gateway.Config)) {
	w.t.Helper()
	for _, c := range change {
		c(&w.config)
	}
	w.Gateway = newGateway(w.t, w.config)
	w.handler = w.Handler()
}

func newGateway(t testing.TB, c gateway.Config) *gateway.Gateway {
	t.Helper()
	g, err := gateway.New(c)
	if err != nil {
		t.Fatal(err)
	}
	return g
}

// configOf returns the configuration of a gateway for a table, without instances.
func configOf(table *gateway.Table) gateway.Config {
	return gateway.Config{
		Table: table, Keys: iam.NewDirectory(), Instances: noInstances{}, Now: time.Now, NewID: func() string { return "id" },
		Log: slog.New(slog.DiscardHandler),
	}
}

// noInstances is an Instances without instances.
type noInstances struct{}

func (noInstances) TryAcquire(string) *scale.Instance { return nil }
func (noInstances) Acquire(context.Context, string) (*scale.Instance, error) {
	return nil, scale.ErrUnknownRevision
}
func (noInstances) Release(*scale.Instance) {}
func (noInstances) Discard(*scale.Instance) {}

func (w *world) TryAcquire(revision string) *scale.Instance {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.err != nil || revision == "" {
		return nil
	}
	return &scale.Instance{ID: "instance", Address: w.address}
}

func (w *world) Acquire(context.Context, string) (*scale.Instance, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.err != nil {
		return nil, w.err
	}
	return &scale.Instance{ID: "instance", Address: w.address}, nil
}

func (w *world) Release(*scale.Instance) { w.mu.Lock(); defer w.mu.Unlock(); w.released++ }

func (w *world) Discard(*scale.Instance) { w.mu.Lock(); defer w.mu.Unlock(); w.discarded++ }

func (w *world) function(change func(*functions.Function)) {
	f := functions.Function{
		ID: functionID, NamespaceID: namespaceID, ProjectID: projectID, DomainName: host, Privacy: functions.Private,
		HTTPOption: functions.HTTPEnabled, Timeout: time.Minute, Status: functions.Ready, Revision: &functions.Revision{ID: "r"},
	}
	if change != nil {
		change(&f)
	}
	w.config.Table.Apply(store.Change{Object: f})
}

func (w *world) token(text string, t functions.Token) functions.Token {
	t.Digest = functions.DigestOf(text)
	w.config.Table.Apply(store.Change{Object: t})
	return t
}

// apiKey creates an API key and returns its secret key.
func (w *world) apiKey(project string, permissions ...string) string {
	return w.expiringKey(project, time.Time{}, permissions...)
}

// expiringKey creates an API key that expires and returns its secret key.
func (w *world) expiringKey(project string, expiresAt time.Time, permissions ...string) string {
	key, secretKey := iam.NewAPIKey(iam.Project{ID: project}, start, permissions...)
	key.ExpiresAt = expiresAt
	w.directory.Apply(key, false)
	return secretKey.Reveal()
}

func (w *world) call(headers ...string) *httptest.ResponseRecorder {
	w.t.Helper()
	r := httptest.NewRequest(http.MethodGet, "http://"+host+"/path?q=1", nil)
	for i := 0; i < len(headers); i += 2 {
		r.Header.Add(headers[i], headers[i+1])
	}
	return w.send(r)
}

func (w *world) send(r *http.Request) *httptest.ResponseRecorder {
	recorder := httptest.NewRecorder()
	w.handler.ServeHTTP(recorder, r)
	return recorder
}

func tokenID(n int) string { return fmt.Sprintf("70000000-0000-4000-8000-%012d", n) }

func echo(w http.ResponseWriter, r *http.Request) {
	w.Header().Set("X-Seen-Token", strings.Join(append(r.Header.Values("X-Auth-Token"), r.Header.Values("SCW_FUNCTIONS_TOKEN")...), ","))
	w.Header().Set("X-Seen-Host", r.Host)
	w.Header().Set("X-Seen-Forwarded-For", r.Header.Get("X-Forwarded-For"))
	w.Header().Set("X-Request-Id", "the function's own")
	w.Header().Set("X-Seen-Request-Id", r.Header.Get("X-Request-Id"))
	received, err := io.ReadAll(r.Body)
	if err != nil {
		panic(http.ErrAbortHandler)
	}
	_, _ = w.Write(received)
	_, _ = io.WriteString(w, r.URL.RequestURI())
}

// waitReturned waits until the instance is released or discarded.
func (w *world) waitReturned(t *testing.T) (released, discarded int) {
	t.Helper()
	await.True(t, "the instance is released or discarded", func() bool {
		w.mu.Lock()
		defer w.mu.Unlock()
		released, discarded = w.released, w.discarded
		return released+discarded > 0
	})
	return released, discarded
}
