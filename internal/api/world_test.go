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
	"github.com/jeton-dev/jeton/internal/token"
	"github.com/jeton-dev/jeton/test/testlog"
)

const base = "/functions/v1beta1/regions/fr-par"

var (
	ours   = iam.Project{ID: "11111111-1111-4111-8111-111111111111", OrganizationID: "22222222-2222-4222-8222-222222222222", Name: "ours"}
	theirs = iam.Project{ID: "33333333-3333-4333-8333-333333333333", OrganizationID: ours.OrganizationID, Name: "theirs"}
	start  = time.Date(2026, 7, 3, 13, 3, 53, 123456789, time.UTC)
	// keyPair is that of all namespaces: to make one takes long.
	keyPair = sync.OnceValues(func() (token.KeyPair, error) { return token.GenerateKeyPair(2048) })
)

// catalogue has the runtimes that there are, whatever is installed.
type catalogue struct{}

func (catalogue) Runtime(name string) (functions.RuntimeInfo, bool) {
	r, ok := runtime.Lookup(name)
	return functions.RuntimeInfo{Name: r.Name, Language: r.Language, DefaultHandler: r.DefaultHandler}, ok
}

func (catalogue) CheckHandler(language, handler string) error {
	_, err := runtime.ParseHandler(language, handler)
	return err
}

// hasher makes hashes of the real kind that take no time.
type hasher struct{}

func (hasher) Hash(_ context.Context, value secret.String) (string, error) {
	return argon2id.CreateHash(value.Reveal(), &argon2id.Params{Memory: 64, Iterations: 1, Parallelism: 1, SaltLength: 16, KeyLength: 32})
}

// world is the API over a real store, behind a real HTTP server, with two projects
// and a clock that is moved by hand. Nothing reconciles: objects stay as the API
// has left them, but for namespaces, which are made ready.
type world struct {
	*api.API

	t      *testing.T
	store  functions.Store
	url    string
	log    *testlog.Buffer
	sealer *secret.Sealer
	key    string
	theirs string

	mu     sync.Mutex
	clock  time.Time
	tokens map[functions.Digest]bool
}

func newWorld(t *testing.T, options ...func(*api.API)) *world {
	t.Helper()
	dir := t.TempDir()
	w := &world{t: t, clock: start, log: &testlog.Buffer{}, tokens: map[functions.Digest]bool{}}
	db, err := sqlite.Open(t.Context(), filepath.Join(dir, "jeton.db"), w.now)
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
	w.store = store.Functions(db)
	w.API = &api.API{
		Service: &functions.Service{
			Store: w.store, Runtimes: catalogue{}, Minter: token.NewMinter(w.sealer), Hasher: hasher{}, Sealer: w.sealer, Limits: functions.DefaultLimits(),
			Domain: "functions.fnc.{region}.localhost", Now: w.now, NewID: uuid.NewString, NewSuffix: func() string { return strings.ToLower(uuid.NewString()[:8]) },
		},
		Keys: directory, Attempts: iam.NewAttempts(0), Archives: archives, Runtimes: runtime.All(), URLKey: []byte("key"),
		PublicKeys: func() []byte { return []byte(`{"keys":[]}`) },
		Now:        w.now, NewID: uuid.NewString, Log: slog.New(slog.NewTextHandler(w.log, nil)),
	}
	for _, option := range options {
		option(w.API)
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
	w.update(func(tx functions.Tx) error { return errors.Join(tx.Put(ours), tx.Put(theirs)) })
	w.key, w.theirs = w.newKey(ours, time.Time{}, iam.FullAccess), w.newKey(theirs, time.Time{}, iam.FullAccess)
	server := httptest.NewServer(w.Handler())
	t.Cleanup(server.Close)
	w.url = server.URL
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

// admitted reports whether whoever follows the changes would admit a token.
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

// newKey makes an API key, and returns its secret key.
func (w *world) newKey(p iam.Project, expiresAt time.Time, permissions ...string) string {
	w.t.Helper()
	key, secretKey := iam.NewAPIKey(p, w.now(), permissions...)
	key.ExpiresAt = expiresAt
	w.update(func(tx functions.Tx) error { return tx.Put(key) })
	return secretKey.Reveal()
}

// An answer is what a request was answered.
type answer struct {
	status int
	header http.Header
	body   string
	fields map[string]any
}

// text is a field of the answer as text; empty if it is not there or is none.
func (a answer) text(field string) string {
	text, _ := a.fields[field].(string)
	return text
}

// send sends a request with a secret key, none if it is empty.
func (w *world) send(key, method, url, body string) answer {
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
	a := answer{status: response.StatusCode, header: response.Header, body: string(content)}
	_ = json.Unmarshal(content, &a.fields)
	return a
}

// ask sends a request to the Functions API with our key.
func (w *world) ask(method, path, body string) answer {
	w.t.Helper()
	return w.send(w.key, method, w.url+base+path, body)
}

// must is ask, and fails the test unless the answer is 200.
func (w *world) must(method, path, body string) answer {
	w.t.Helper()
	a := w.ask(method, path, body)
	if a.status != http.StatusOK {
		w.t.Fatalf("%s %s %.200s: %d %s", method, path, body, a.status, a.body)
	}
	return a
}

// namespace makes a namespace that is ready, and returns its ID.
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

// function makes a private function, and returns its ID.
func (w *world) function(namespaceID, name string) string {
	w.t.Helper()
	return w.must(http.MethodPost, "/functions", `{"namespace_id":"`+namespaceID+`","name":"`+name+`","runtime":"go126","privacy":"private"}`).text("id")
}
