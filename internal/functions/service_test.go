package functions_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/jeton-dev/jeton/internal/functions"
	"github.com/jeton-dev/jeton/internal/iam"
	"github.com/jeton-dev/jeton/internal/secret"
	"github.com/jeton-dev/jeton/internal/store"
	"github.com/jeton-dev/jeton/internal/store/storetest"
	"github.com/jeton-dev/jeton/test/postgres"
	"github.com/jeton-dev/jeton/test/stores"
)

func TestMain(m *testing.M) { postgres.Main(m) }

var (
	project = iam.Project{ID: "11111111-1111-4111-8111-111111111111", OrganizationID: "22222222-2222-4222-8222-222222222222"}
	paris   = functions.Scope{Region: "fr-par", ProjectID: project.ID, OrganizationID: project.OrganizationID}
	start   = time.Date(2026, 7, 3, 13, 3, 53, 0, time.UTC)
)

// A world is a service with a real store that runs each transaction twice, and a clock
// that the test sets.
type world struct {
	*functions.Service
	t      *testing.T
	config functions.Config
	db     store.Store
	store  functions.Store
	clock  time.Time
	ids    int
}

// The implementations below replace cryptography, which has its own tests.
type catalogue map[string]functions.RuntimeInfo

func (c catalogue) Runtime(name string) (functions.RuntimeInfo, bool) {
	info, ok := c[name]
	return info, ok
}

func (catalogue) CheckHandler(_, handler string) error {
	if strings.Contains(handler, "..") {
		return errors.New(`".." is not allowed`)
	}
	return nil
}

type plainMinter struct{}

func (plainMinter) Mint(n functions.Namespace, t functions.Token) (secret.String, error) {
	return secret.New("text of " + t.ID + " by " + n.ID), nil
}

type plainHasher struct{}

func (plainHasher) Hash(_ context.Context, value secret.String) (string, error) {
	return "hash of " + value.Reveal(), nil
}

type plainSealer struct{}

func (plainSealer) Seal(plain []byte, purpose string) []byte {
	return []byte(purpose + "=" + string(plain))
}

func newWorld(t *testing.T) *world {
	t.Helper()
	w := &world{t: t, clock: start}
	now := func() time.Time { return w.clock }
	w.db = stores.Open(t, now)
	w.store = store.Functions(storetest.Twice(w.db))
	w.config = functions.Config{
		Store: w.store, Minter: plainMinter{}, Hasher: plainHasher{}, Sealer: plainSealer{},
		Runtimes: catalogue{
			"go126":  {Name: "go126", Language: "Go", DefaultHandler: "Handle"},
			"go125":  {Name: "go125", Language: "Go", DefaultHandler: "Handle"},
			"node24": {Name: "node24", Language: "Node", DefaultHandler: "handler.handle"},
		},
		Limits: functions.DefaultLimits(), Domain: "functions.{region}.test", Now: now,
		NewID:     func() string { w.ids++; return fmt.Sprintf("00000000-0000-4000-8000-%012d", w.ids) },
		NewSuffix: func() string { return "abcd1234" },
	}
	w.configure(func(*functions.Config) {})
	w.put(project)
	return w
}

// configure changes the configuration and replaces the service with a new one.
func (w *world) configure(change func(*functions.Config)) {
	w.t.Helper()
	change(&w.config)
	s, err := functions.NewService(w.config)
	if err != nil {
		w.t.Fatal(err)
	}
	w.Service = s
}

func TestNewService_RefusesMissingDependency(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	for name, remove := range map[string]func(*functions.Config){
		"Store":     func(c *functions.Config) { c.Store = nil },
		"Runtimes":  func(c *functions.Config) { c.Runtimes = nil },
		"Minter":    func(c *functions.Config) { c.Minter = nil },
		"Hasher":    func(c *functions.Config) { c.Hasher = nil },
		"Sealer":    func(c *functions.Config) { c.Sealer = nil },
		"Domain":    func(c *functions.Config) { c.Domain = "" },
		"Now":       func(c *functions.Config) { c.Now = nil },
		"NewID":     func(c *functions.Config) { c.NewID = nil },
		"NewSuffix": func(c *functions.Config) { c.NewSuffix = nil },
		"max-scale": func(c *functions.Config) { c.Limits = functions.Limits{} },
	} {
		c := w.config
		remove(&c)
		if s, err := functions.NewService(c); s != nil || err == nil || name != "max-scale" && !strings.Contains(err.Error(), name+" is required") {
			t.Errorf("without %s: got %v, %v, want an error that names it", name, s, err)
		}
	}
}

func (w *world) put(o functions.Object) {
	w.t.Helper()
	if err := w.store.Update(w.t.Context(), func(tx functions.Tx) error { return tx.Put(o) }); err != nil {
		w.t.Fatal(err)
	}
}

// readyNamespace creates a namespace and gives it a key.
func (w *world) readyNamespace(name string) functions.Namespace {
	w.t.Helper()
	n, err := w.CreateNamespace(w.t.Context(), paris, functions.CreateNamespace{Name: name})
	if err != nil {
		w.t.Fatal(err)
	}
	n.Status, n.PublicKey, n.PrivateKey = functions.Ready, "PEM", []byte{1}
	w.put(n)
	return n
}

func (w *world) newFunction(n functions.Namespace, name string) functions.Function {
	w.t.Helper()
	f, err := w.CreateFunction(w.t.Context(), paris, functions.CreateFunction{NamespaceID: n.ID, Name: name, Runtime: "go126"})
	if err != nil {
		w.t.Fatal(err)
	}
	return f
}

func (w *world) newToken(c functions.CreateToken) functions.IssuedToken {
	w.t.Helper()
	issued, err := w.CreateToken(w.t.Context(), paris, c)
	if err != nil {
		w.t.Fatal(err)
	}
	return issued
}

func wantCode(t *testing.T, err error, want functions.Code) {
	t.Helper()
	if err == nil || functions.CodeOf(err) != want {
		t.Errorf("got the error %v, want the code %s", err, want)
	}
}
