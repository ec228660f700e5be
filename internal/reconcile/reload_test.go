package reconcile_test

import (
	"slices"
	"testing"

	"github.com/jeton-dev/jeton/internal/functions"
	"github.com/jeton-dev/jeton/internal/reconcile"
	"github.com/jeton-dev/jeton/internal/store"
)

func TestReload_DropsWorkOnWhatWasDeletedBetweenSnapshots(t *testing.T) {
	t.Parallel()
	r := reconcile.NewForQueue()
	load := func(objects ...store.Object) {
		loader := r.Reload(store.Position{})
		for _, o := range objects {
			loader.Add(o)
		}
		loader.Swap()
	}
	pending := functions.Function{ID: "deployed", Status: functions.Pending, Generation: 1}
	other := functions.Function{ID: "deleted", Status: functions.Pending, Generation: 1}
	ready := functions.Function{ID: "ready", Status: functions.Ready}
	load(pending, other, ready, functions.Token{ID: "token", Status: functions.Creating})
	if got := reconcile.Queued(r); !slices.Equal(got, []string{"deployed", "deleted", "token"}) {
		t.Fatalf("got queue %v, want the transient objects", got)
	}
	deployed, deleted := reconcile.Work(r, 1), reconcile.Work(r, 1)

	load(pending, ready)
	if got := reconcile.Queued(r); len(got) != 0 {
		t.Errorf("got queue %v, want none: the token was deleted, and the function is being worked on", got)
	}
	if deployed.Err() != nil || deleted.Err() == nil {
		t.Errorf("got work of the existing function ended with %v, of the deleted one with %v, want only the latter canceled", deployed.Err(), deleted.Err())
	}
	pending.Generation++
	load(pending)
	if deployed.Err() == nil {
		t.Error("work on an older deployment was not canceled")
	}
}
