package admin_test

import (
	"context"
	"errors"
	"log/slog"
	"net"
	"net/http"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"github.com/google/uuid"

	"github.com/jeton-dev/jeton/internal/admin"
	"github.com/jeton-dev/jeton/internal/functions"
	"github.com/jeton-dev/jeton/internal/iam"
	"github.com/jeton-dev/jeton/internal/store"
	"github.com/jeton-dev/jeton/internal/store/sqlite"
	"github.com/jeton-dev/jeton/internal/store/storetest"
	"github.com/jeton-dev/jeton/internal/usage"
	"github.com/jeton-dev/jeton/test/testclock"
	"github.com/jeton-dev/jeton/test/testlog"
)

var (
	first = iam.Project{ID: "11111111-1111-4111-8111-111111111111", OrganizationID: "22222222-2222-4222-8222-222222222222", Name: "default"}
	start = time.Date(2026, 7, 3, 13, 0, 0, 0, time.UTC)
)

// A world is a service with a real store and a real socket, and a clock that the test
// advances. Each transaction runs twice. The directory follows the store.
type world struct {
	*admin.Client
	*testclock.Clock

	service   *admin.Service
	db        *sqlite.Store
	directory *iam.Directory
	socket    string
	log       *testlog.Buffer

	mu       sync.Mutex
	outcomes []admin.Outcome
}

func newWorld(t *testing.T) *world {
	t.Helper()
	dir := t.TempDir()
	w := &world{Clock: testclock.New(start), directory: iam.NewDirectory(), log: &testlog.Buffer{}, socket: filepath.Join(dir, "s")}
	db, err := sqlite.Open(t.Context(), filepath.Join(dir, "jeton.db"), w.Now)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = db.Close() })
	w.db = db
	if err := db.Follow(t.Context(), store.Position{}, store.Directory(w.directory)); err != nil {
		t.Fatal(err)
	}
	if err := db.Update(t.Context(), func(tx store.Tx) error { return tx.Put(first) }); err != nil {
		t.Fatal(err)
	}
	log := slog.New(slog.NewTextHandler(w.log, nil))
	uses, err := usage.NewRecorder(usage.RecorderConfig{
		Sources: map[usage.Kind]usage.Source{usage.APIKeys: w.directory.Uses}, Store: db, Log: log,
	})
	if err != nil {
		t.Fatal(err)
	}
	w.service = newService(t, admin.Config{Store: storetest.Twice(db), Uses: uses, Now: w.Now, NewID: uuid.NewString})
	listener, err := new(net.ListenConfig).Listen(t.Context(), "unix", w.socket)
	if err != nil {
		t.Fatal(err)
	}
	server := &http.Server{Handler: w.service.Handler(log, w.observe)}
	go func() { _ = server.Serve(listener) }()
	t.Cleanup(func() { _ = server.Close() })
	w.Client = admin.NewClient(w.socket)
	return w
}

func newService(t *testing.T, c admin.Config) *admin.Service {
	t.Helper()
	s, err := admin.NewService(c)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// noUses has no uses.
type noUses struct{}

func (noUses) Flush(context.Context) {}

func TestNewService_RefusesMissingDependency(t *testing.T) {
	t.Parallel()
	for name, remove := range map[string]func(*admin.Config){
		"Store": func(c *admin.Config) { c.Store = nil },
		"Uses":  func(c *admin.Config) { c.Uses = nil },
		"Now":   func(c *admin.Config) { c.Now = nil },
		"NewID": func(c *admin.Config) { c.NewID = nil },
	} {
		c := admin.Config{Store: new(sqlite.Store), Uses: noUses{}, Now: time.Now, NewID: uuid.NewString}
		remove(&c)
		if s, err := admin.NewService(c); s != nil || err == nil {
			t.Errorf("without %s: got %v, %v, want an error", name, s, err)
		}
	}
}

func (w *world) observe(_ *http.Request, o admin.Outcome) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.outcomes = append(w.outcomes, o)
}

// last returns the outcome of the last request.
func (w *world) last() admin.Outcome {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.outcomes[len(w.outcomes)-1]
}

// authenticate returns the error for a caller with the key.
func (w *world) authenticate(key admin.APIKey) error {
	_, err := w.directory.Authenticate(key.SecretKey, w.Now())
	return err
}

func (w *world) key(t *testing.T, k admin.CreateKey) admin.APIKey {
	t.Helper()
	key, err := w.CreateKey(t.Context(), k)
	if err != nil {
		t.Fatal(err)
	}
	return key
}

func wantCode(t *testing.T, what string, err error, code functions.Code) {
	t.Helper()
	if refused, ok := errors.AsType[*functions.Error](err); !ok || refused.Code != code {
		t.Errorf("%s: got %v, want the code %s", what, err, code)
	}
}

// put stores objects.
func (w *world) put(t *testing.T, objects ...functions.Object) {
	t.Helper()
	err := w.db.Update(context.Background(), func(tx store.Tx) error {
		for _, o := range objects {
			if err := tx.Put(o); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
}
