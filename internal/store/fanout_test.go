package store_test

import (
	"fmt"
	"reflect"
	"testing"

	"github.com/jeton-dev/jeton/internal/functions"
	"github.com/jeton-dev/jeton/internal/iam"
	"github.com/jeton-dev/jeton/internal/store"
)

// A tracer is a follower that writes each call to a list that it shares.
type tracer struct {
	name  string
	calls *[]string
}

func (f tracer) note(what string, arguments ...any) {
	*f.calls = append(*f.calls, f.name+" "+fmt.Sprintf(what, arguments...))
}

func (f tracer) Apply(c store.Change) { f.note("apply %d %s", c.Number, c.Object.ObjectID()) }

func (f tracer) Reload(at store.Position) store.Loader {
	f.note("reload %d", at.Number)
	return store.Loader{
		Add:  func(o store.Object) { f.note("add %s", o.ObjectID()) },
		Swap: func() { f.note("swap") },
	}
}

func TestFanout_KeepsOrderOfFollowers(t *testing.T) {
	t.Parallel()
	var calls []string
	fanout := store.NewFanout(tracer{"gateway", &calls}, tracer{"queue", &calls})
	loader := fanout.Reload(store.Position{Number: 7})
	loader.Add(functions.Token{ID: "t"})
	if fanout.Applied() != 0 {
		t.Errorf("Applied() = %d before the swap, want 0", fanout.Applied())
	}
	loader.Swap()
	if fanout.Applied() != 7 {
		t.Errorf("Applied() = %d after the swap, want 7", fanout.Applied())
	}
	fanout.Apply(store.Change{Number: 8, Object: functions.Token{ID: "u"}})
	if fanout.Applied() != 8 {
		t.Errorf("Applied() = %d after change 8", fanout.Applied())
	}
	want := []string{
		"gateway reload 7", "queue reload 7", "gateway add t", "queue add t", "gateway swap", "queue swap",
		"gateway apply 8 u", "queue apply 8 u",
	}
	if !reflect.DeepEqual(calls, want) {
		t.Errorf("calls are\n%q, want\n%q", calls, want)
	}
}

func TestFanout_CountsChangeAfterLastFollower(t *testing.T) {
	t.Parallel()
	var fanout *store.Fanout
	var during int64 = -1
	fanout = store.NewFanout(store.Hook{OnChange: func(store.Change) { during = fanout.Applied() }})
	fanout.Apply(store.Change{Number: 1, Object: functions.Token{ID: "t"}})
	if during != 0 || fanout.Applied() != 1 {
		t.Errorf("Applied() = %d during the change and %d after it, want 0 and 1", during, fanout.Applied())
	}
}

func TestHook_CallsFunctionsThatAreSet(t *testing.T) {
	t.Parallel()
	changes, reloads := 0, 0
	for _, hook := range []store.Hook{{}, {OnChange: func(store.Change) { changes++ }, OnReload: func() { reloads++ }}} {
		hook.Apply(store.Change{Number: 1})
		loader := hook.Reload(store.Position{Number: 1})
		loader.Add(functions.Token{})
		loader.Swap()
	}
	if changes != 1 || reloads != 1 {
		t.Errorf("%d changes and %d reloads, want 1 and 1", changes, reloads)
	}
}

func TestDirectory_DropsWhatWasDeletedBetweenSnapshots(t *testing.T) {
	t.Parallel()
	d := iam.NewDirectory()
	follower := store.Directory(d)
	load := func(objects ...store.Object) {
		loader := follower.Reload(store.Position{})
		for _, o := range objects {
			loader.Add(o)
		}
		loader.Swap()
	}
	kept, deleted := iam.Project{ID: "kept", OrganizationID: "o"}, iam.Project{ID: "deleted", OrganizationID: "o"}
	load(kept, deleted)
	load(kept)
	if d.Project("kept") != kept || d.Project("deleted") != (iam.Project{}) {
		t.Errorf("the projects are %+v and %+v", d.Project("kept"), d.Project("deleted"))
	}
}
