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
	"github.com/jeton-dev/jeton/test/testlog"
)

var (
	first = iam.Project{ID: "11111111-1111-4111-8111-111111111111", OrganizationID: "22222222-2222-4222-8222-222222222222", Name: "default"}
	start = time.Date(2026, 7, 3, 13, 0, 0, 0, time.UTC)
)

// world is a service over a real store, behind a real socket, with a clock that is
// moved by hand. The directory follows the store's changes as the server's does.
type world struct {
	*admin.Client

	service   *admin.Service
	db        *sqlite.Store
	directory *iam.Directory
	socket    string
	log       *testlog.Buffer

	mu       sync.Mutex
	clock    time.Time
	outcomes []admin.Outcome
}

func newWorld(t *testing.T) *world {
	t.Helper()
	dir := t.TempDir()
	w := &world{clock: start, directory: iam.NewDirectory(), log: &testlog.Buffer{}, socket: filepath.Join(dir, "s")}
	db, err := sqlite.Open(t.Context(), filepath.Join(dir, "jeton.db"), w.now)
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
	w.service = &admin.Service{
		Store: storetest.Twice(db), Now: w.now, NewID: uuid.NewString,
		Uses: &usage.Recorder{Sources: map[usage.Kind]usage.Source{usage.APIKeys: w.directory.Uses}, Store: db, Log: log},
	}
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

func (w *world) now() time.Time {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.clock
}

func (w *world) pass(d time.Duration) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.clock = w.clock.Add(d)
}

func (w *world) observe(_ *http.Request, o admin.Outcome) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.outcomes = append(w.outcomes, o)
}

// last is what became of the last request.
func (w *world) last() admin.Outcome {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.outcomes[len(w.outcomes)-1]
}

// opens reports what a secret key is worth now: nil if it opens the project.
func (w *world) opens(key admin.APIKey) error {
	_, err := w.directory.Authenticate(key.SecretKey, w.now())
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
		t.Errorf("%s: %v, want %s", what, err, code)
	}
}

// put puts objects into the store, as the API would.
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
