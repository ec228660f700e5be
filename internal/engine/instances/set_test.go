package instances_test

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"sync"
	"testing"
	"testing/synctest"

	"github.com/jeton-dev/jeton/internal/engine"
	"github.com/jeton-dev/jeton/internal/engine/instances"
)

// A revision records its release.
type revision struct {
	id       string
	released *[]string
}

func (r revision) Source() engine.Revision { return engine.Revision{ID: r.id, FunctionID: "function"} }
func (r revision) Release()                { *r.released = append(*r.released, r.id) }

// An instance ends when it is stopped, and when the test sends a reason.
type instance struct {
	*instances.Instance
	end chan string
}

// A world is a set whose instances become ready at once.
type world struct {
	*instances.Set[revision, *instance]
	released []string
	lines    []string
}

func newWorld() *world {
	w := &world{}
	ids := 0
	var mu sync.Mutex
	w.Set = instances.New(instances.Config[revision, *instance]{
		Name:  "test engine",
		NewID: func() string { ids++; return fmt.Sprintf("i%d", ids) },
		New: func(base *instances.Instance, _ revision) *instance {
			return &instance{base, make(chan string, 1)}
		},
		Run: func(in *instance) string {
			in.BecomeReady(engine.MustParseAddress(engine.InstanceNetwork + ":" + in.ID))
			select {
			case <-in.Terminated():
				return "exit status 0"
			case <-in.Killed():
				return "killed by signal 9"
			case reason := <-in.end:
				return reason
			}
		},
		Log: slog.New(slog.DiscardHandler),
	})
	w.SetOutput(func(line engine.Line) {
		mu.Lock()
		defer mu.Unlock()
		w.lines = append(w.lines, line.InstanceID+" "+line.Text)
	})
	return w
}

func (w *world) add(t *testing.T, id string) {
	t.Helper()
	if err := w.Add(revision{id, &w.released}); err != nil {
		t.Fatal(err)
	}
}

func (w *world) scale(t *testing.T, id string, n int, victims ...string) {
	t.Helper()
	if err := w.SetScale(t.Context(), id, n, victims); err != nil {
		t.Fatal(err)
	}
	synctest.Wait()
}

var states = map[engine.State]string{
	engine.Starting: "starting", engine.Ready: "ready", engine.Gone: "gone", engine.Synced: "synced",
}

// follow returns a function that returns the events since its last call.
func follow(t *testing.T, w *world) func() []string {
	t.Helper()
	events, err := w.Watch(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	return func() (seen []string) {
		synctest.Wait()
		for {
			select {
			case e, ok := <-events:
				if !ok {
					return append(seen, "closed")
				}
				seen = append(seen, fmt.Sprintf("%s %s %s", e.InstanceID, states[e.State], e.Reason))
				synctest.Wait()
			default:
				return seen
			}
		}
	}
}

func equal(t *testing.T, what string, got []string, want ...string) {
	t.Helper()
	if !slices.Equal(got, want) {
		t.Errorf("%s: got %q, want %q", what, got, want)
	}
}

func TestSet_ReportsInstancesFromStartToEnd(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		w := newWorld()
		w.add(t, "r")
		events := follow(t, w)
		w.scale(t, "r", 1)
		equal(t, "a start", events(), " synced ", "i1 starting ", "i1 ready ")
		equal(t, "a later watch", follow(t, w)(), "i1 starting ", "i1 ready ", " synced ")
		in, _ := w.Get("i1")
		in.end <- "out of memory"
		equal(t, "a crash", events(), "i1 gone out of memory")
		equal(t, "the log", w.lines, "i1 the instance ended: out of memory")
		w.scale(t, "r", 1)
		w.scale(t, "r", 0, "i2")
		equal(t, "a stop", events(), "i2 starting ", "i2 ready ", "i2 gone ")
		w.Close()
		equal(t, "the end", events(), "closed")
	})
}

func TestSet_StopsOnlyVictimsAboveTheScale(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		w := newWorld()
		w.add(t, "r")
		w.add(t, "other")
		w.scale(t, "r", 3)
		w.scale(t, "other", 1)
		w.scale(t, "r", 2, "unknown", "i4", "i2", "i3")
		var left []string
		for _, in := range w.All() {
			left = append(left, in.ID)
		}
		slices.Sort(left)
		equal(t, "instances", left, "i1", "i3", "i4")
		if err := w.SetScale(t.Context(), "none", 1, nil); !errors.Is(err, engine.ErrUnknownRevision) {
			t.Errorf("an unknown revision: got %v", err)
		}
		w.Close()
	})
}

func TestSet_ReleasesRevisionsAfterTheirLastInstance(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		w := newWorld()
		w.add(t, "a")
		w.add(t, "b")
		w.scale(t, "a", 2)
		w.add(t, "a") // The instances use the revision that was replaced.
		equal(t, "after the replacement", w.released)
		if err := w.Delete(t.Context(), "a"); err != nil {
			t.Fatal(err)
		}
		equal(t, "after the deletion", w.released, "a", "a")
		if !w.Close() || w.Close() {
			t.Error("the first Close has to return true, and the second false")
		}
		equal(t, "after the end", w.released, "a", "a", "b")
		if err := w.Add(revision{"c", &w.released}); err == nil || err.Error() != "test engine is closed" {
			t.Errorf("a closed set accepts a revision: %v", err)
		}
		equal(t, "a refused revision", w.released, "a", "a", "b", "c")
	})
}

func TestSet_DeleteGivesUpWithItsContext(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		release := make(chan struct{})
		s := instances.New(instances.Config[revision, *instance]{
			Name: "test engine", NewID: func() string { return "i" }, Log: slog.New(slog.DiscardHandler),
			New: func(base *instances.Instance, _ revision) *instance { return &instance{base, nil} },
			Run: func(*instance) string { <-release; return instances.Stopped },
		})
		var released []string
		if err := s.Add(revision{"r", &released}); err != nil {
			t.Fatal(err)
		}
		if err := s.SetScale(t.Context(), "r", 1, nil); err != nil {
			t.Fatal(err)
		}
		ctx, cancel := context.WithCancel(t.Context())
		cancel()
		if err := s.Delete(ctx, "r"); !errors.Is(err, context.Canceled) {
			t.Errorf("got %v", err)
		}
		close(release)
		s.Close()
	})
}
