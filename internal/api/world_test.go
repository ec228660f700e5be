package api_test

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/alexedwards/argon2id"
	"github.com/google/uuid"

	"github.com/jeton-dev/jeton/internal/api"
	"github.com/jeton-dev/jeton/internal/blob/files"
	"github.com/jeton-dev/jeton/internal/functions"
	"github.com/jeton-dev/jeton/internal/iam"
	"github.com/jeton-dev/jeton/internal/runtime"
	"github.com/jeton-dev/jeton/internal/secret"
	"github.com/jeton-dev/jeton/internal/store"
	"github.com/jeton-dev/jeton/internal/store/sqlite"
	"github.com/jeton-dev/jeton/internal/store/storetest"
	"github.com/jeton-dev/jeton/internal/token"
	"github.com/jeton-dev/jeton/test/testclock"
	"github.com/jeton-dev/jeton/test/testlog"
)

const base = "/functions/v1beta1/regions/fr-par"

var (
	ours   = iam.Project{ID: "11111111-1111-4111-8111-111111111111", OrganizationID: "22222222-2222-4222-8222-222222222222", Name: "ours"}
	theirs = iam.Project{ID: "33333333-3333-4333-8333-333333333333", OrganizationID: ours.OrganizationID, Name: "theirs"}
	start  = time.Date(2026, 7, 3, 13, 3, 53, 123456789, time.UTC)
	// keyPair is the key pair of all namespaces, since generating one takes long.
	keyPair = sync.OnceValues(func() (token.KeyPair, error) { return token.GenerateKeyPair(2048) })
)

// catalogue has all runtimes, regardless of the installed toolchains.
type catalogue struct{}

func (catalogue) Runtime(name string) (functions.RuntimeInfo, bool) {
	r, ok := runtime.Lookup(name)
	return functions.RuntimeInfo{Name: r.Name, Language: r.Language, DefaultHandler: r.DefaultHandler}, ok
}

func (catalogue) CheckHandler(language, handler string) error {
	_, err := runtime.ParseHandler(language, handler)
	return err
}

// hasher creates argon2id hashes with minimal cost.
type hasher struct{}

func (hasher) Hash(_ context.Context, value secret.String) (string, error) {
	return argon2id.CreateHash(value.Reveal(), &argon2id.Params{Memory: 64, Iterations: 1, Parallelism: 1, SaltLength: 16, KeyLength: 32})
}

// world is the API with a real store behind a real HTTP server, with two projects and a
// manual clock. There is no reconciler: objects keep the state that the API gives them,
// except namespaces, which the method namespace makes ready.
type world struct {
	*api.API

	config  api.Config
	service functions.Config

	t      *testing.T
	store  functions.Store
	follow func(store.Follower)
	url    string
	log    *testlog.Buffer
	sealer *secret.Sealer
	key    string
	theirs string
	clock  *testclock.Clock

	mu     sync.Mutex
	tokens map[functions.Digest]bool
}

func newWorld(t *testing.T, options ...func(*api.Config)) *world {
	t.Helper()
	dir := t.TempDir()
	w := &world{t: t, clock: testclock.New(start), log: &testlog.Buffer{}, tokens: map[functions.Digest]bool{}}
	db, err := sqlite.Open(t.Context(), filepath.Join(dir, "jeton.db"), w.clock.Now)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = db.Close() })
	archives, err := files.OpenArchives(filepath.Join(dir, "archives"))
	if err != nil {
		t.Fatal(err)
	}
	if w.sealer, err = secret.NewSealer(make([]byte, secret.KeySize)); err != nil {
		t.Fatal(err)
	}
	directory := iam.NewDirectory()
	w.store = store.Functions(storetest.Twice(db))
	w.service = functions.Config{
		Store: w.store, Runtimes: catalogue{}, Minter: token.NewMinter(w.sealer), Hasher: hasher{}, Sealer: w.sealer, Limits: functions.DefaultLimits(),
		Domain: "functions.fnc.{region}.localhost", Now: w.clock.Now, NewID: uuid.NewString, NewSuffix: func() string { return strings.ToLower(uuid.NewString()[:8]) },
	}
	w.config = api.Config{
		Service: newService(t, w.service), Projects: noProjects{}, Toolchain: func(string) string { return "" }, Logs: noLogs{},
		Keys: directory, Attempts: iam.NewAttempts(0), Archives: archives, Runtimes: runtime.All(), URLKey: []byte("key"),
		PublicKeys: func() []byte { return []byte(`{"keys":[]}`) },
		Now:        w.clock.Now, NewID: uuid.NewString, Log: slog.New(slog.NewTextHandler(w.log, nil)),
	}
	for _, option := range options {
		option(&w.config)
	}
	if w.API, err = api.New(w.config); err != nil {
		t.Fatal(err)
	}
	err = db.Follow(t.Context(), store.Position{}, store.NewFanout(store.Directory(directory), store.Hook{OnChange: func(c store.Change) {
		if o, ok := c.Object.(functions.Token); ok {
			w.mu.Lock()
			defer w.mu.Unlock()
			w.tokens[o.Digest] = !c.Deleted
		}
	}}))
	if err != nil {
		t.Fatal(err)
	}
	w.follow = func(f store.Follower) {
		if err := db.Follow(t.Context(), store.Position{}, f); err != nil {
			t.Fatal(err)
		}
	}
	w.update(func(tx functions.Tx) error { return errors.Join(tx.Put(ours), tx.Put(theirs)) })
	w.key, w.theirs = w.newKey(ours, time.Time{}, iam.FullAccess), w.newKey(theirs, time.Time{}, iam.FullAccess)
	w.serve(w.API)
	return w
}

// noProjects and noLogs are for tests that use neither.
type (
	noProjects struct{ api.Projects }
	noLogs     struct{ api.Logs }
)

func newService(t *testing.T, c functions.Config) *functions.Service {
	t.Helper()
	s, err := functions.NewService(c)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// serve makes the requests of the test go to an API.
func (w *world) serve(a *api.API) {
	server := httptest.NewServer(a.Handler())
	w.t.Cleanup(server.Close)
	w.url = server.URL
}

// admitted reports whether a follower of the change log would admit a token.
func (w *world) admitted(text string) bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.tokens[functions.DigestOf(text)]
}

func (w *world) update(write func(functions.Tx) error) {
	w.t.Helper()
	if err := w.store.Update(context.Background(), write); err != nil {
		w.t.Fatal(err)
	}
}

// newKey creates an API key and returns its secret key.
func (w *world) newKey(p iam.Project, expiresAt time.Time, permissions ...string) string {
	w.t.Helper()
	key, secretKey := iam.NewAPIKey(p, w.clock.Now(), permissions...)
	key.ExpiresAt = expiresAt
	w.update(func(tx functions.Tx) error { return tx.Put(key) })
	return secretKey.Reveal()
}

// A result is a response whose body was read.
type result struct {
	status int
	header http.Header
	body   string
	fields map[string]any
}

// text returns a field of the body; empty if it is absent or not a string.
func (a result) text(field string) string {
	text, _ := a.fields[field].(string)
	return text
}

// send sends a request with a secret key, or without one if it is empty.
func (w *world) send(key, method, url, body string) result {
	w.t.Helper()
	r, err := http.NewRequestWithContext(w.t.Context(), method, url, strings.NewReader(body))
	if err != nil {
		w.t.Fatal(err)
	}
	if key != "" {
		r.Header.Set("X-Auth-Token", key)
	}
	response, err := http.DefaultClient.Do(r)
	if err != nil {
		w.t.Fatal(err)
	}
	defer response.Body.Close()
	content, err := io.ReadAll(response.Body)
	if err != nil {
		w.t.Fatal(err)
	}
	a := result{status: response.StatusCode, header: response.Header, body: string(content)}
	_ = json.Unmarshal(content, &a.fields)
	return a
}

// ask sends a request to the Functions API with the key of the project ours.
func (w *world) ask(method, path, body string) result {
	w.t.Helper()
	return w.send(w.key, method, w.url+base+path, body)
}

// must calls ask, and fails the test unless the status is 200.
func (w *world) must(method, path, body string) result {
	w.t.Helper()
	a := w.ask(method, path, body)
	if a.status != http.StatusOK {
		w.t.Fatalf("%s %s %.200s: got %d %s, want 200", method, path, body, a.status, a.body)
	}
	return a
}

// namespace creates a namespace that is ready, and returns its ID.
func (w *world) namespace(name string) string {
	w.t.Helper()
	id := w.must(http.MethodPost, "/namespaces", `{"name":"`+name+`"}`).text("id")
	pair, err := keyPair()
	if err != nil {
		w.t.Fatal(err)
	}
	w.update(func(tx functions.Tx) error {
		n, err := tx.Namespace(id)
		if err != nil {
			return err
		}
		n.Status, n.PublicKey, n.PrivateKey = functions.Ready, pair.Public, token.SealPrivate(w.sealer, pair)
		return tx.Put(n)
	})
	return id
}

// function creates a private function, and returns its ID.
func (w *world) function(namespaceID, name string) string {
	w.t.Helper()
	return w.must(http.MethodPost, "/functions", `{"namespace_id":"`+namespaceID+`","name":"`+name+`","runtime":"go126","privacy":"private"}`).text("id")
}
