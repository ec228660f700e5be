package cluster_test

import (
	"context"
	"errors"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/jeton-dev/jeton/internal/cluster"
	"github.com/jeton-dev/jeton/internal/functions"
	"github.com/jeton-dev/jeton/internal/iam"
	"github.com/jeton-dev/jeton/internal/store"
	"github.com/jeton-dev/jeton/test/await"
	server "github.com/jeton-dev/jeton/test/postgres"
)

// The invariants of docs/cluster.md that this package keeps. Those of the store (I1, I5,
// I12) and of the gateway (I9) are tested there.

func TestI2_NodeServesOnlyAfterItHasAppliedItsJoin(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.join("a").put(project, namespace, token("t"))
	n := w.open("b")
	if n.Held() || n.admits("t") {
		t.Error("a node that has not joined serves")
	}
	n.view.stuck.Lock()
	joined := make(chan error, 1)
	go func() { joined <- n.Join(t.Context()) }()
	await.True(t, "the join is committed", func() bool { return w.nodeNamed("a").members() == "[a b]" })
	if n.Held() {
		t.Error("the node serves before it has applied its join")
	}
	n.view.stuck.Unlock()
	if err := <-joined; err != nil || !n.admits("t") {
		t.Errorf("Join: %v; the node serves: %v, want that it does", err, n.admits("t"))
	}
}

func TestI3_MemberThatRenewsIsNeverFenced(t *testing.T) {
	t.Parallel()
	_, nodes := three(t)
	paused := nodes[1]
	first := paused.Incarnation()
	// Each delay is shorter than the lease.
	delay := func() { <-time.After(lease * 2 / 3) }
	paused.registry.beforeRenew.Store(&delay)
	begun := paused.registry.renewals.Load()
	await.True(t, "slow renewals", func() bool { return paused.registry.renewals.Load() >= begun+5 })
	if paused.Incarnation() != first || nodes[0].members() != "[a b c]" {
		t.Errorf("got members %s, want that a slow node stays", nodes[0].members())
	}
}

// A renewal that reaches the database first makes a fence fail, and a fence that does
// makes the renewal fail.
func TestI3_FenceAndRenewalExcludeEachOther(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	a := w.join("a")
	b := w.open("b")
	if err := b.Join(t.Context()); err != nil {
		t.Fatal(err)
	}
	leases, err := a.store.Leases(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	var before store.Lease
	for _, l := range leases {
		if l.Incarnation == b.Incarnation() {
			before = l
		}
	}
	if _, err := b.store.Renew(t.Context(), b.Incarnation(), b.Position(), 0); err != nil {
		t.Fatal(err)
	}
	if err := a.store.Fence(t.Context(), b.Incarnation(), before.Renewals); !errors.Is(err, store.ErrRenewed) {
		t.Errorf("Fence after a renewal: got %v, want ErrRenewed", err)
	}
	if err := a.store.Fence(t.Context(), b.Incarnation(), before.Renewals+1); err != nil {
		t.Fatal(err)
	}
	if _, err := b.store.Renew(t.Context(), b.Incarnation(), b.Position(), 0); !errors.Is(err, store.ErrFenced) {
		t.Errorf("Renew after a fence: got %v, want ErrFenced", err)
	}
}

// The answer to a renewal is delayed for longer than the lease: the lease counts from
// before it was sent.
func TestI4_LeaseCountsFromBeforeItsRenewal(t *testing.T) {
	t.Parallel()
	_, nodes := three(t)
	nodes[0].put(token("t"))
	slow := nodes[1]
	var stalled atomic.Bool
	released := make(chan struct{})
	stall := func() {
		if stalled.CompareAndSwap(false, true) {
			<-released
		}
	}
	slow.registry.afterRenew.Store(&stall)
	await.True(t, "a renewal is stalled after it has reached the database", stalled.Load)
	await.True(t, "the lease ends", func() bool { return !slow.Held() })
	slow.registry.cut.Store(true)
	slow.deaf.Store(true)
	slow.view.stuck.Lock()
	if err := nodes[0].delete(token("t")); err != nil {
		t.Error(err)
	}
	before := slow.registry.renewals.Load()
	close(released)
	await.True(t, "the next renewal", func() bool { return slow.registry.renewals.Load() > before })
	if slow.admits("t") {
		t.Error("a renewal that was answered late extends the lease")
	}
	slow.view.stuck.Unlock()
}

// A node whose followers are stuck does not renew, although it reaches the database.
func TestI4_NodeThatAppliesNothingLosesItsLease(t *testing.T) {
	t.Parallel()
	_, nodes := three(t)
	nodes[0].put(token("t"))
	stuck := nodes[2]
	stuck.view.stuck.Lock()
	if err := nodes[0].delete(token("t")); err != nil {
		t.Error(err)
	}
	if stuck.Held() || stuck.admits("t") {
		t.Error("the deletion was answered while the stuck node has its lease")
	}
	stuck.view.stuck.Unlock()
	await.True(t, "the node joins again", func() bool { return stuck.Held() && !stuck.admits("t") })
}

// Peers cannot be asked, and the answer waits for the renewals instead.
func TestI6_AnswerIsConfirmedWithoutPeers(t *testing.T) {
	t.Parallel()
	_, nodes := three(t)
	for _, n := range nodes {
		n.deaf.Store(true)
	}
	nodes[0].put(token("t"))
	if err := nodes[1].delete(token("t")); err != nil {
		t.Fatal(err)
	}
	for _, n := range nodes {
		if n.admits("t") {
			t.Errorf("node %s admits a token that was deleted", n.name)
		}
	}
	if got := nodes[0].members(); got != "[a b c]" {
		t.Errorf("got members %s, want all members", got)
	}
}

// The 404 of a repeated deletion at another node is a promise, too.
func TestI6_MissingObjectIsMissingEverywhere(t *testing.T) {
	t.Parallel()
	_, nodes := three(t)
	nodes[0].put(token("t"))
	behind := nodes[2]
	behind.view.stuck.Lock()
	// The first deletion is committed, but its answer waits.
	ctx, cancel := context.WithCancel(t.Context())
	first := make(chan error, 1)
	go func() {
		began, err := nodes[0].Begin(ctx)
		if err == nil {
			err = nodes[0].store.Update(began, func(tx store.Tx) error { return tx.Delete(token("t")) })
		}
		if err == nil {
			err = nodes[0].Await(began)
		}
		first <- err
	}()
	await.True(t, "the deletion is applied at another node", func() bool { return !nodes[1].admits("t") })
	// The client gives up and asks another node.
	cancel()
	if err := <-first; !errors.Is(err, cluster.ErrNotConfirmed) {
		t.Errorf("the answer that was not confirmed: got %v, want ErrNotConfirmed", err)
	}
	began, err := nodes[1].Begin(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	err = nodes[1].store.View(began, func(tx store.Tx) error {
		_, err := tx.Token("t")
		return err
	})
	if !functions.IsNotFound(err) {
		t.Fatalf("the token at another node: got %v, want not found", err)
	}
	answered := make(chan error, 1)
	go func() { answered <- nodes[1].Await(began) }()
	select {
	case err := <-answered:
		if err != nil {
			t.Errorf("the answer was not confirmed: %v", err)
		}
		if behind.admits("t") {
			t.Error("404 was answered while a node admits the token")
		}
	case <-time.After(30 * time.Second):
		t.Error("404 was not answered")
	}
	behind.view.stuck.Unlock()
}

func TestI7_ForkVoidsLeasesAndRevocationsStay(t *testing.T) {
	t.Parallel()
	w, nodes := three(t)
	key := iam.APIKey{AccessKey: "SCWAAAAAAAAAAAAAAAAA", ProjectID: "p"}
	nodes[0].put(token("revoked"), token("kept"), key)
	restore := w.save()
	if err := nodes[1].delete(token("revoked")); err != nil {
		t.Fatal(err)
	}
	if err := nodes[1].delete(key); err != nil {
		t.Fatal(err)
	}
	nodes[2].put(token("lost"))
	restore()
	for _, n := range nodes {
		await.True(t, "node "+n.name+" notices that the database went back", func() bool { return n.Forks() > 0 })
	}
	for _, n := range nodes {
		await.True(t, "node "+n.name+" serves again", func() bool { return n.admits("kept") })
	}
	for _, n := range nodes {
		if n.admits("revoked") || n.admits("lost") {
			t.Errorf("node %s admits a token that was revoked or that the database lost", n.name)
		}
	}
	err := nodes[0].store.View(t.Context(), func(tx store.Tx) error {
		_, tokenError := tx.Token("revoked")
		_, keyError := tx.APIKey(key.AccessKey)
		if !functions.IsNotFound(tokenError) || !functions.IsNotFound(keyError) {
			t.Errorf("the revoked token: %v, the deleted key: %v; want that both are deleted again", tokenError, keyError)
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
}

// A call between the fork and its detection is
// refused: a node that has noticed it admits nothing until it has joined again.
func TestI7_AcknowledgementOfAnotherHistoryDoesNotCount(t *testing.T) {
	t.Parallel()
	_, nodes := three(t)
	nodes[0].put(token("t"))
	at := nodes[0].Position()
	other := store.Position{Number: at.Number, UID: "of another history"}
	first := nodes[1].Incarnation()
	if answer := nodes[1].Acknowledge(t.Context(), other); answer.Applied {
		t.Error("a change of another history is acknowledged")
	}
	if nodes[1].Held() {
		t.Error("a node that may have another history has its lease")
	}
	await.True(t, "the node joins again", func() bool { return nodes[1].Held() && nodes[1].Incarnation() != first })
	if _, err := nodes[1].store.Renew(t.Context(), nodes[1].Incarnation(), other, 0); !errors.Is(err, store.ErrDiverged) {
		t.Errorf("Renew with another history: got %v, want ErrDiverged", err)
	}
}

func TestI8_OnlyTheOwnerWrites(t *testing.T) {
	t.Parallel()
	_, nodes := three(t)
	for _, key := range []string{"f1", "f2", "f3", "f4", "f5"} {
		owners := 0
		for _, n := range nodes {
			err := n.Owned(key).Update(t.Context(), func(tx functions.Tx) error { return tx.Put(token("of-" + key)) })
			switch {
			case err == nil && n.Owns(key):
				owners++
			case errors.Is(err, cluster.ErrNotOwner) && !n.Owns(key):
			default:
				t.Errorf("node %s writes for %s: got %v, owns it: %v", n.name, key, err, n.Owns(key))
			}
		}
		if owners != 1 {
			t.Errorf("%s has %d owners, want 1", key, owners)
		}
	}
}

// A node that was fenced but does not know it writes nothing in the background.
func TestI8_FencedOwnerDoesNotWrite(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	a, b := w.join("a"), w.open("b")
	if err := b.Join(t.Context()); err != nil {
		t.Fatal(err)
	}
	a.put(project, namespace)
	key := "k"
	for i := 0; !b.Owns(key); i++ {
		key += "k"
	}
	await.True(t, "b is fenced", func() bool { return a.members() == "[a]" })
	err := b.Owned(key).Update(t.Context(), func(tx functions.Tx) error { return tx.Put(token("late")) })
	if !errors.Is(err, cluster.ErrNotOwner) {
		t.Errorf("a fenced owner writes: got %v, want ErrNotOwner", err)
	}
}

func TestI10_NothingIsAnsweredWithoutALease(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	a := w.join("a")
	a.put(project, namespace, token("t"))
	handled := 0
	handler := a.Gate(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		handled++
		w.Header().Set("X-Secret", "shown")
		_, _ = w.Write([]byte("answer"))
	}))
	get := func() *httptest.ResponseRecorder {
		r := httptest.NewRecorder()
		handler.ServeHTTP(r, httptest.NewRequest(http.MethodGet, "/", nil))
		return r
	}
	if got := get(); got.Code != http.StatusOK || got.Body.String() != "answer" {
		t.Errorf("with a lease: got %d %s", got.Code, got.Body)
	}
	a.stop()
	await.True(t, "the lease ends", func() bool { return !a.Held() })
	got := get()
	if got.Code != http.StatusServiceUnavailable || got.Header().Get("Retry-After") == "" || strings.Contains(got.Body.String(), "answer") || handled != 1 {
		t.Errorf("without a lease: got %d %s, handled %d times", got.Code, got.Body, handled)
	}
	if a.Owns("k") || a.admits("t") {
		t.Error("a node without a lease owns work or admits tokens")
	}
}

// The lease ends while a request is handled: its response is replaced.
func TestI10_ResponseIsReplacedIfTheLeaseEnds(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	a := w.join("a")
	handler := a.Gate(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		a.stop()
		await.True(t, "the lease ends", func() bool { return !a.Held() })
		w.Header().Set("X-Secret", "shown")
		w.WriteHeader(http.StatusCreated)
		_, _ = w.Write([]byte("answer"))
	}))
	r := httptest.NewRecorder()
	handler.ServeHTTP(r, httptest.NewRequest(http.MethodGet, "/", nil))
	if r.Code != http.StatusServiceUnavailable || r.Header().Get("X-Secret") != "" || strings.Contains(r.Body.String(), "answer") {
		t.Errorf("got %d %v %s", r.Code, r.Header(), r.Body)
	}
}

// A change of a kind that this version does not know cannot be applied.
func TestI11_UnknownKindOfChangeVoidsTheLease(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	a := w.join("a")
	a.put(project, namespace, token("t"))
	server.Execute(t, w.address, `WITH h AS (UPDATE head SET number = number + 1, uid = 'u' RETURNING number)
		INSERT INTO changes (number, at, kind, id, deleted, uid, body) SELECT number, 0, 'unheard_of', 'x', false, 'u', '{}' FROM h`)
	await.True(t, "the lease ends", func() bool { return !a.Held() })
	if err := a.Join(t.Context()); !errors.Is(err, store.ErrUnknownKind) {
		t.Errorf("Join() = %v, want ErrUnknownKind", err)
	}
	if a.Held() || a.admits("t") {
		t.Error("a node serves that cannot apply a change")
	}
}
