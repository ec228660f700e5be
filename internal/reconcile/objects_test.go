package reconcile_test

import (
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"

	"github.com/jeton-dev/jeton/internal/functions"
	"github.com/jeton-dev/jeton/internal/store"
	"github.com/jeton-dev/jeton/internal/token"
	"github.com/jeton-dev/jeton/test/await"
)

func TestNamespace_GetsKeyPair(t *testing.T) {
	t.Parallel()
	w := newPythonFixture(t)
	n := w.namespace(nil)
	pair, err := keyPair()
	if err != nil {
		t.Fatal(err)
	}
	if n.PublicKey != pair.Public || strings.Contains(string(n.PrivateKey), "PRIVATE") || n.RegistryID == "" || n.RegistryEndpoint != "rg.fr-par.scw.cloud/funcscwslug" {
		t.Errorf("got namespace %+v, want its public key, a sealed private key and a registry", n)
	}
	text, err := token.NewMinter(w.sealer).Mint(n, functions.Token{ID: uuid.NewString(), NamespaceID: n.ID, CreatedAt: time.Now()})
	if err != nil || strings.Count(text.Reveal(), ".") != 2 {
		t.Errorf("got token with the sealed key %q, %v, want a signed one", text.Reveal(), err)
	}
}

// Functions that were never deployed are not deployed because of their namespace.
func TestNamespace_RedeploysFunctionsWithChangedVariables(t *testing.T) {
	t.Parallel()
	w := newPythonFixture(t)
	n := w.namespace(nil)
	deployed, created := w.deploy(w.function(n, nil).ID, hello), w.function(n, nil)
	w.update(func(tx functions.Tx) error {
		n.Status, n.Variables = functions.Pending, map[string]string{"A": "changed"}
		return tx.Put(n)
	})
	await.True(t, "the namespace is ready", func() bool {
		n, _ := view(w, n.ID, functions.Tx.Namespace)
		return n.Status == functions.Ready
	})
	got := w.settled(deployed.ID)
	if got.Status != functions.Ready || got.Revision.ID == deployed.Revision.ID || w.call(got) != "changed" {
		t.Errorf("got %s, revision %+v, want a new revision with the variable", got.Status, got.Revision)
	}
	if got := w.settled(created.ID); got.Status != functions.Created || got.Generation != 0 {
		t.Errorf("got function without code %s, generation %d, want created, 0", got.Status, got.Generation)
	}
}

func TestNamespace_IsDeletedAfterItsFunctions(t *testing.T) {
	t.Parallel()
	w := newPythonFixture(t)
	n := w.namespace(nil)
	f := w.deploy(w.function(n, nil).ID, hello)
	var order []string
	if err := w.db.Follow(t.Context(), store.Position{}, store.Hook{OnChange: func(c store.Change) {
		if c.Deleted {
			order = append(order, c.Object.ObjectID())
		}
	}}); err != nil {
		t.Fatal(err)
	}
	w.update(func(tx functions.Tx) error {
		n.Status = functions.Deleting
		f.MarkDeleting(time.Now())
		return errors.Join(tx.Put(n), tx.Put(f))
	})
	await.True(t, "the namespace is gone", func() bool {
		_, there := view(w, n.ID, functions.Tx.Namespace)
		return !there
	})
	w.stop()
	if len(order) != 2 || order[0] != f.ID || order[1] != n.ID {
		t.Errorf("got deletions %v, want the function and then the namespace", order)
	}
}

func TestTokensCronsDomains_BecomeReady(t *testing.T) {
	t.Parallel()
	w := newPythonFixture(t)
	f := w.function(w.namespace(nil), nil)
	ofF := functions.Token{ID: uuid.NewString(), Region: f.Region, ProjectID: f.ProjectID, FunctionID: f.ID, Status: functions.Creating}
	cron := functions.Cron{ID: uuid.NewString(), Region: f.Region, ProjectID: f.ProjectID, FunctionID: f.ID, Status: functions.Pending}
	domain := functions.Domain{ID: uuid.NewString(), Region: f.Region, ProjectID: f.ProjectID, FunctionID: f.ID, Hostname: "www.example.com", Status: functions.Pending, CreatedAt: time.Now()}
	w.update(func(tx functions.Tx) error { return errors.Join(tx.Put(ofF), tx.Put(cron), tx.Put(domain)) })
	await.True(t, "all are ready", func() bool {
		token, _ := view(w, ofF.ID, functions.Tx.Token)
		cron, _ := view(w, cron.ID, functions.Tx.Cron)
		domain, _ := view(w, domain.ID, functions.Tx.Domain)
		return token.Status == functions.Ready && cron.Status == functions.Ready && domain.Status == functions.Ready
	})
}

func TestTrigger_IsReadyIfItsSourceIs(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		err    error
		status functions.Status
	}{
		"source available": {nil, functions.Ready},
		"no source":        {errors.New("no broker is configured"), functions.Failed},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newPythonFixture(t)
			w.sources.err = test.err
			f := w.function(w.namespace(nil), nil)
			trigger := functions.Trigger{
				ID: uuid.NewString(), Region: f.Region, ProjectID: f.ProjectID, NamespaceID: f.NamespaceID, FunctionID: f.ID,
				Status: functions.Creating, NATS: &functions.NATSSubject{Subject: "a"},
			}
			w.update(func(tx functions.Tx) error { return tx.Put(trigger) })
			var got functions.Trigger
			await.True(t, "the trigger is settled", func() bool {
				got, _ = view(w, trigger.ID, functions.Tx.Trigger)
				return !got.Status.Transient()
			})
			if got.Status != test.status || (got.ErrorMessage == "") != (test.err == nil) || (got.NATS.CredentialID != "") != (test.err == nil) {
				t.Errorf("got %+v, want status %s", got, test.status)
			}
		})
	}
}
