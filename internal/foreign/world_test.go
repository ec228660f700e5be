package foreign_test

import (
	"context"
	"crypto"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/x509"
	"encoding/base64"
	"encoding/pem"
	"fmt"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/jeton-dev/jeton/internal/foreign"
	"github.com/jeton-dev/jeton/internal/functions"
	"github.com/jeton-dev/jeton/internal/gateway"
	"github.com/jeton-dev/jeton/internal/iam"
	"github.com/jeton-dev/jeton/internal/scale"
	"github.com/jeton-dev/jeton/internal/store"
	"github.com/jeton-dev/jeton/internal/store/storetest"
	"github.com/jeton-dev/jeton/test/postgres"
	"github.com/jeton-dev/jeton/test/stores"
)

func TestMain(m *testing.M) { postgres.Main(m) }

const (
	namespaceID = "d049a22d-92fd-48a5-9b3f-8c5633c313d3"
	otherNSID   = "c049a22d-92fd-48a5-9b3f-8c5633c313d3"
	functionID  = "a570d8b5-572f-49c2-9821-f3e363d3f2dc"
	siblingID   = "b570d8b5-572f-49c2-9821-f3e363d3f2dc"
	projectID   = "11111111-1111-4111-8111-111111111111"
	host        = "ns-f.functions.fnc.fr-par.localhost"
	siblingHost = "ns-g.functions.fnc.fr-par.localhost"
	header      = `{"alg":"RS256","typ":"JWT"}`
)

var start = time.Date(2026, 7, 3, 13, 0, 0, 0, time.UTC)

// A signer is the source's key of a namespace.
type signer struct {
	key *rsa.PrivateKey
	pem string
}

func newSigner(bits int) (signer, error) {
	key, err := rsa.GenerateKey(rand.Reader, bits)
	if err != nil {
		return signer{}, err
	}
	block := &pem.Block{Type: "RSA PUBLIC KEY", Bytes: x509.MarshalPKCS1PublicKey(&key.PublicKey)}
	return signer{key, string(pem.EncodeToMemory(block))}, nil
}

// keys returns the keys of two namespaces, the first of the size of Scaleway's.
var keys = sync.OnceValues(func() ([2]signer, error) {
	first, err := newSigner(4096)
	if err != nil {
		return [2]signer{}, err
	}
	second, err := newSigner(2048)
	return [2]signer{first, second}, err
})

func encode(text string) string { return base64.RawURLEncoding.EncodeToString([]byte(text)) }

// sign returns the text of a token with a header and claims.
func (s signer) sign(header, claims string) string {
	signed := encode(header) + "." + encode(claims)
	digest := sha256.Sum256([]byte(signed))
	signature, err := rsa.SignPKCS1v15(nil, s.key, crypto.SHA256, digest[:])
	if err != nil {
		panic(err)
	}
	return signed + "." + encode(string(signature))
}

// claims returns the claims of a token in the form of Scaleway's. exp 0 means no expiry.
func claims(id, namespace, function string, exp int64) string {
	expiry := ""
	if exp != 0 {
		expiry = fmt.Sprintf(`"exp":%d,`, exp)
	}
	return fmt.Sprintf(`{"application_claim":[{"namespace_id":%q,"application_id":%q}],"version":2,"aud":"functions",%s"jti":%q,"iat":%d,"iss":"SCALEWAY","nbf":%d,"sub":"token"}`,
		namespace, function, expiry, id, start.Unix()-60, start.Unix()-60)
}

func tokenID(n int) string { return fmt.Sprintf("70000000-0000-4000-8000-%012d", n) }

// world is a gateway over a real store, with two functions of one imported namespace.
type world struct {
	t        testing.TB
	db       store.Store
	store    store.Store
	table    *gateway.Table
	adopter  *foreign.Adopter
	handler  http.Handler
	own, two signer

	mu      sync.Mutex
	clock   time.Time
	outcome gateway.Outcome
}

func newWorld(t testing.TB, limits foreign.Limits) *world {
	t.Helper()
	pairs, err := keys()
	if err != nil {
		t.Fatal(err)
	}
	w := &world{t: t, clock: start, own: pairs[0], two: pairs[1], table: gateway.NewTable()}
	w.db = stores.Open(t, w.now)
	w.store = storetest.Twice(w.db)
	if w.adopter, err = foreign.New(foreign.Config{Store: w.store, Limits: limits, Log: slog.New(slog.DiscardHandler)}); err != nil {
		t.Fatal(err)
	}
	if err := w.db.Follow(t.Context(), store.Position{}, store.NewFanout(w.table, w.adopter)); err != nil {
		t.Fatal(err)
	}
	g, err := gateway.New(gateway.Config{
		Table: w.table, Keys: iam.NewDirectory(), Instances: noInstances{}, Adopter: w.adopter, Now: w.now,
		NewID: func() string { return "id" }, Log: slog.New(slog.DiscardHandler), Observer: w,
	})
	if err != nil {
		t.Fatal(err)
	}
	w.handler = g.Handler()
	w.put(iam.Project{ID: projectID, OrganizationID: projectID, CreatedAt: start})
	w.put(w.namespace(namespaceID, w.own.pem))
	w.put(w.namespace(otherNSID, w.two.pem))
	for id, name := range map[string]string{functionID: host, siblingID: siblingHost} {
		w.put(functions.Function{
			ID: id, NamespaceID: namespaceID, ProjectID: projectID, OrganizationID: projectID, Region: "fr-par", Name: name, DomainName: name,
			Privacy: functions.Private, HTTPOption: functions.HTTPEnabled, Timeout: time.Minute, Status: functions.Ready, CreatedAt: start,
		})
	}
	return w
}

func (w *world) namespace(id string, keys ...string) functions.Namespace {
	return functions.Namespace{
		ID: id, ProjectID: projectID, OrganizationID: projectID, Region: "fr-par", Name: "ns" + id[:4], Status: functions.Ready, CreatedAt: start,
		Foreign: &functions.ForeignIssuer{Name: "api.scaleway.com", Keys: keys},
	}
}

// token imports a token without its text.
func (w *world) token(n int, change func(*functions.Token)) functions.Token {
	t := functions.Token{
		ID: tokenID(n), Region: "fr-par", ProjectID: projectID, FunctionID: functionID, Status: functions.Ready, CreatedAt: start,
		Issuer: "api.scaleway.com",
	}
	if change != nil {
		change(&t)
	}
	w.put(t)
	return t
}

func (w *world) put(o functions.Object) {
	w.t.Helper()
	if err := w.db.Update(w.t.Context(), func(tx store.Tx) error { return tx.Put(o) }); err != nil {
		w.t.Fatal(err)
	}
}

func (w *world) stored(n int) functions.Token {
	w.t.Helper()
	var found functions.Token
	if err := w.db.View(w.t.Context(), func(tx store.Tx) (err error) { found, err = tx.Token(tokenID(n)); return err }); err != nil {
		w.t.Fatal(err)
	}
	return found
}

func (w *world) now() time.Time { w.mu.Lock(); defer w.mu.Unlock(); return w.clock }

func (w *world) setTime(at time.Time) { w.mu.Lock(); defer w.mu.Unlock(); w.clock = at }

// Begin implements gateway.Observer.
func (w *world) Begin(r *http.Request) *http.Request { return r }

// End implements gateway.Observer.
func (w *world) End(_ *http.Request, o gateway.Outcome) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.outcome = o
}

// call presents a token and returns the reason for its denial; empty if the call was
// admitted.
func (w *world) call(text string) string { return w.callFrom("192.0.2.1:1", host, text) }

func (w *world) callFrom(address, host, text string) string {
	w.t.Helper()
	r := httptest.NewRequest(http.MethodGet, "http://"+host+"/", nil)
	r.RemoteAddr = address
	r.Header.Set("X-Auth-Token", text)
	recorder := httptest.NewRecorder()
	w.handler.ServeHTTP(recorder, r)
	w.mu.Lock()
	defer w.mu.Unlock()
	// The function has no code: an admitted call gets 503.
	if want := w.outcome.Reason != "" && !strings.Contains(w.outcome.Reason, "too many"); want != (recorder.Code == http.StatusForbidden) {
		w.t.Errorf("got status %d with the reason %q", recorder.Code, w.outcome.Reason)
	}
	return w.outcome.Reason
}

// noInstances is a gateway.Instances without instances.
type noInstances struct{}

func (noInstances) TryAcquire(string) *scale.Instance { return nil }
func (noInstances) Acquire(context.Context, string) (*scale.Instance, error) {
	return nil, scale.ErrUnknownRevision
}
func (noInstances) Release(*scale.Instance) {}
func (noInstances) Discard(*scale.Instance) {}
