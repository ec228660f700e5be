package gateway_test

import (
	"net/http"
	"slices"
	"testing"
	"time"

	"github.com/jeton-dev/jeton/internal/functions"
	"github.com/jeton-dev/jeton/internal/store"
)

// load makes the table load a snapshot.
func (w *world) load(objects ...store.Object) {
	loader := w.config.Table.Reload(store.Position{})
	for _, o := range objects {
		loader.Add(o)
	}
	loader.Swap()
}

func TestReload_DropsWhatWasDeletedBetweenSnapshots(t *testing.T) {
	t.Parallel()
	w := newWorld(t, echo)
	f := functions.Function{
		ID: functionID, NamespaceID: namespaceID, ProjectID: projectID, DomainName: host, Privacy: functions.Private, Timeout: time.Minute,
		Status: functions.Ready, Revision: &functions.Revision{ID: "r"},
	}
	kept := functions.Token{ID: tokenID(1), FunctionID: functionID, Digest: functions.DigestOf("kept")}
	deleted := functions.Token{ID: tokenID(2), FunctionID: functionID, Digest: functions.DigestOf("deleted")}
	domain := functions.Domain{ID: "d", FunctionID: functionID, Hostname: "custom.example.com", Status: functions.Ready}
	w.load(f, kept, deleted, domain)
	for _, text := range []string{"kept", "deleted"} {
		if got := w.call("X-Auth-Token", text).Code; got != http.StatusOK {
			t.Fatalf("token %q: got status %d, want 200", text, got)
		}
	}

	w.load(f, kept)
	for text, want := range map[string]int{"kept": http.StatusOK, "deleted": http.StatusForbidden} {
		if got := w.call("X-Auth-Token", text).Code; got != want {
			t.Errorf("token %q: got status %d, want %d", text, got, want)
		}
	}
	if w.config.Table.Serves(domain.Hostname) || !w.config.Table.Serves(host) {
		t.Errorf("got served %v for the deleted domain and %v for the function's own, want false and true", w.config.Table.Serves(domain.Hostname), w.config.Table.Serves(host))
	}
	if got := used(w.config.Table); !slices.Equal(got, []string{tokenID(1)}) {
		t.Errorf("got uses %v, want the remaining token", got)
	}

	w.load()
	if got := w.call("X-Auth-Token", "kept").Code; got != http.StatusNotFound || w.config.Table.Serves(host) {
		t.Errorf("deleted function: got status %d, want 404", got)
	}
}

func TestReload_KeepsOldViewUntilSwap(t *testing.T) {
	t.Parallel()
	w := newWorld(t, echo)
	w.function(nil)
	w.token("text", functions.Token{ID: tokenID(1), FunctionID: functionID})
	loader := w.config.Table.Reload(store.Position{})
	if got := w.call("X-Auth-Token", "text").Code; got != http.StatusOK {
		t.Errorf("call before Swap: got status %d, want 200", got)
	}
	loader.Swap()
	if got := w.call("X-Auth-Token", "text").Code; got != http.StatusNotFound {
		t.Errorf("call after Swap: got status %d, want 404", got)
	}
}
