package scale_test

import (
	"slices"
	"testing"
	"testing/synctest"

	"github.com/jeton-dev/jeton/internal/engine"
	"github.com/jeton-dev/jeton/internal/scale"
)

// TestLeaving_BusyInstanceEndsItsCallAndGetsNoOther lets the engine end the only instance while it
// serves a call. Another instance, above Max, serves the next one.
func TestLeaving_BusyInstanceEndsItsCallAndGetsNoOther(t *testing.T) {
	e := &fakeEngine{}
	run(t, e, scale.Config{}, func(t *testing.T, s *scale.Scaler) {
		s.Set(revision, scale.Limits{Max: 1})
		first := mustAcquire(t, s)
		e.become(first.ID, engine.Leaving, "")
		synctest.Wait()
		wantNumbers(t, s, scale.Counts{RevisionID: revision, Leaving: 1})
		if gone := e.gone(); len(gone) != 0 {
			t.Errorf("the engine has stopped %v during a call", gone)
		}
		second := mustAcquire(t, s)
		if second == first {
			t.Error("a leaving instance gets a call")
		}
		wantCounts(t, e, 1, 2)
		s.Release(first)
		synctest.Wait()
		if gone := e.gone(); !slices.Equal(gone, []string{first.ID}) {
			t.Errorf("the engine has stopped %v after the call, want %s", gone, first.ID)
		}
		s.Release(second)
		if third := mustAcquire(t, s); third != second {
			t.Errorf("the next call gets %s, want %s", third.ID, second.ID)
		}
	})
}

func TestLeaving_IdleInstanceIsStopped(t *testing.T) {
	for name, limits := range map[string]scale.Limits{"replaced by the minimum": {Min: 1, Max: 1}, "not replaced": {Max: 1}} {
		t.Run(name, func(t *testing.T) {
			e := &fakeEngine{}
			run(t, e, scale.Config{}, func(t *testing.T, s *scale.Scaler) {
				s.Set(revision, limits)
				s.Release(mustAcquire(t, s))
				e.become("i1", engine.Leaving, "")
				wantCounts(t, e, limits.Min, 1+limits.Min)
				if gone := e.gone(); !slices.Equal(gone, []string{"i1"}) {
					t.Errorf("the engine has stopped %v, want i1", gone)
				}
			})
		})
	}
}

// TestLeaving_BrokenCallStopsTheInstance ends the call of a leaving instance with Discard, and another
// instance during its call.
func TestLeaving_BrokenCallStopsTheInstance(t *testing.T) {
	e := &fakeEngine{}
	run(t, e, scale.Config{}, func(t *testing.T, s *scale.Scaler) {
		s.Set(revision, scale.Limits{Max: 1})
		first := mustAcquire(t, s)
		e.become(first.ID, engine.Leaving, "")
		synctest.Wait()
		s.Discard(first)
		second := mustAcquire(t, s)
		e.become(second.ID, engine.Leaving, "")
		synctest.Wait()
		e.become(second.ID, engine.Gone, "the grace period is over")
		synctest.Wait()
		wantNumbers(t, s, scale.Counts{RevisionID: revision})
		s.Release(second)
		if gone := e.gone(); !slices.Equal(gone, []string{first.ID, second.ID}) {
			t.Errorf("the engine has stopped %v", gone)
		}
		s.Release(mustAcquire(t, s))
		wantCounts(t, e, 1, 3)
	})
}

// TestLeaving_ResumedWatchReportsIt interrupts the watch while an instance begins to leave.
func TestLeaving_ResumedWatchReportsIt(t *testing.T) {
	e := &fakeEngine{}
	run(t, e, scale.Config{}, func(t *testing.T, s *scale.Scaler) {
		s.Set(revision, scale.Limits{Max: 1})
		first := mustAcquire(t, s)
		e.endWatches()
		e.become(first.ID, engine.Leaving, "")
		if second := mustAcquire(t, s); second == first {
			t.Error("a leaving instance gets a call")
		}
	})
}
