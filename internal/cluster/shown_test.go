package cluster_test

import (
	"context"
	"errors"
	"testing"

	"github.com/jeton-dev/jeton/internal/cluster"
	"github.com/jeton-dev/jeton/internal/store"
	"github.com/jeton-dev/jeton/test/await"
)

// The first views of a node show a deletion that the last ones have not applied. An answer
// that relies on it waits for the other nodes.
func TestI6_AnswerWaitsForAChangeThatIsBeingApplied(t *testing.T) {
	t.Parallel()
	_, nodes := three(t)
	nodes[0].put(token("t"))
	shown, behind := nodes[1], nodes[2]
	behind.deaf.Store(true)
	behind.view.stuck.Lock()
	shown.late.Lock()
	// Without a request, no answer has waited for the other nodes.
	if err := nodes[0].store.Update(t.Context(), func(tx store.Tx) error { return tx.Delete(token("t")) }); err != nil {
		t.Fatal(err)
	}
	await.True(t, "the first view shows the deletion", func() bool { return !shown.admits("t") })
	short, cancel := context.WithTimeout(t.Context(), lease/5)
	defer cancel()
	began, err := shown.Begin(short)
	if err != nil {
		t.Fatal(err)
	}
	if err := shown.Await(began); !errors.Is(err, cluster.ErrNotConfirmed) {
		t.Errorf("Await() = %v while a node admits the token, want ErrNotConfirmed", err)
	}
	shown.late.Unlock()
	behind.view.stuck.Unlock()
}

// A node that has loaded a snapshot does not remember the changes before it. It cannot
// acknowledge one, and the other node compares the snapshot with its own history.
func TestI7_ForgottenChangeIsNotAcknowledged(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	a := w.join("a")
	a.put(project, namespace, token("t"))
	at := a.Position()
	a.put(token("u"))
	b := w.join("b")
	for _, uid := range []string{at.UID, "of another history"} {
		if answer := b.Acknowledge(t.Context(), store.Position{Number: at.Number, UID: uid}); answer.Applied || answer.At.Number <= at.Number {
			t.Errorf("got %+v for a change before the snapshot, want that it is not acknowledged, and a later one", answer)
		}
	}
	if !b.Held() {
		t.Error("the question has voided the lease")
	}
}
