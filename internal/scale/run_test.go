package scale_test

import (
	"errors"
	"slices"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/jeton-dev/jeton/internal/scale"
)

// TestRun_ScalesRevisionsInParallel holds back the engine's answer for one
// revision.
func TestRun_ScalesRevisionsInParallel(t *testing.T) {
	e := &fakeEngine{slow: map[string]chan struct{}{}}
	run(t, e, scale.Config{}, func(t *testing.T, s *scale.Scaler) {
		slow := make(chan struct{})
		e.change(func() { e.slow["slow"] = slow })
		s.Set("slow", scale.Limits{Min: 1, Max: 1})
		synctest.Wait()
		s.Set(revision, scale.Limits{Max: 2})
		begun := time.Now()
		mustAcquire(t, s)
		mustAcquire(t, s)
		if waited := time.Since(begun); waited != 0 {
			t.Errorf("calls of another revision waited %v, want no wait", waited)
		}
		if n := e.countOf("slow"); n != 0 {
			t.Errorf("the slow revision has %d instances, want 0 before the engine has answered", n)
		}
		close(slow)
		synctest.Wait()
		if n := e.countOf("slow"); n != 1 {
			t.Errorf("the slow revision has %d instances, want 1", n)
		}
	})
}

// TestRun_SendsOneRequestOfARevisionAtATime changes a revision while a request is
// being executed: the next request follows and has the latest number.
func TestRun_SendsOneRequestOfARevisionAtATime(t *testing.T) {
	e := &fakeEngine{slow: map[string]chan struct{}{}}
	run(t, e, scale.Config{}, func(t *testing.T, s *scale.Scaler) {
		slow := make(chan struct{})
		e.change(func() { e.slow[revision] = slow })
		for n := range 5 {
			s.Set(revision, scale.Limits{Min: n + 1, Max: 10})
			synctest.Wait()
		}
		wantRequests(t, e, "r1=1")
		e.change(func() { delete(e.slow, revision) })
		close(slow)
		synctest.Wait()
		wantRequests(t, e, "r1=1", "r1=5")
		wantCounts(t, e, 5, 5)
	})
}

// TestRun_EndsWhileARequestIsExecuted cancels Run during a request that waits.
func TestRun_EndsWhileARequestIsExecuted(t *testing.T) {
	e := &fakeEngine{slow: map[string]chan struct{}{}}
	var waiting *pending
	run(t, e, scale.Config{}, func(t *testing.T, s *scale.Scaler) {
		e.change(func() { e.slow[revision] = make(chan struct{}) })
		s.Set(revision, scale.Limits{Max: 1})
		waiting = acquireLater(t.Context(), s)
	})
	if !errors.Is(waiting.err, scale.ErrClosed) {
		t.Errorf("Acquire() = %v, want %v", waiting.err, scale.ErrClosed)
	}
}

// TestEngineFailure_StopsEvictedInstances makes the engine fail to stop an
// instance that was evicted for another revision.
func TestEngineFailure_StopsEvictedInstances(t *testing.T) {
	runBudget(t, 2, map[string]string{"a": "a", "b": "b"}, func(t *testing.T, s *scale.Scaler, e *fakeEngine) {
		in, err := s.Acquire(t.Context(), "a")
		if err != nil {
			t.Fatal(err)
		}
		s.Release(in)
		s.Set("b", scale.Limits{Max: 1, Memory: 2 << 20, Project: "b"})
		e.breakDown(errors.New("cannot be reached"))
		evicting := make(chan error, 1)
		go func() {
			_, err := s.Acquire(t.Context(), "b")
			evicting <- err
		}()
		synctest.Wait()
		e.breakDown(nil)
		pass(2 * time.Second)
		if got := e.gone(); !slices.Equal(got, []string{in.ID}) {
			t.Errorf("%v were stopped, want %s", got, in.ID)
		}
		if err := <-evicting; err != nil {
			t.Errorf("Acquire() = %v, want the memory of the evicted instance", err)
		}
		if n := e.countOf("b"); n != 1 {
			t.Errorf("b has %d instances, want 1", n)
		}
	})
}

// TestEngineFailure_IsRetriedAfterAPause makes the engine fail to stop an instance
// whose memory a call of the same revision waits for.
func TestEngineFailure_IsRetriedAfterAPause(t *testing.T) {
	runBudget(t, 1, map[string]string{"a": "a"}, func(t *testing.T, s *scale.Scaler, e *fakeEngine) {
		in, err := s.Acquire(t.Context(), "a")
		if err != nil {
			t.Fatal(err)
		}
		e.breakDown(errors.New("cannot be reached"))
		s.Discard(in)
		// The order to stop the instance fails. If a call waited already, the order would
		// start an instance for it, too, and end the call.
		synctest.Wait()
		acquired := make(chan error, 1)
		go func() {
			_, err := s.Acquire(t.Context(), "a")
			acquired <- err
		}()
		// This does not return while the scaler retries without a pause.
		synctest.Wait()
		e.breakDown(nil)
		pass(time.Second)
		if err := <-acquired; err != nil {
			t.Errorf("Acquire() = %v, want another instance", err)
		}
	})
}

func wantRequests(t *testing.T, e *fakeEngine, want ...string) {
	t.Helper()
	var got []string
	e.change(func() { got = slices.Clone(e.requests) })
	if !slices.Equal(got, want) {
		t.Errorf("requests are %q, want %q", got, want)
	}
}

// A node without a lease starts nothing, and restores the minimum when it has one again.
func TestRun_StartsNothingWhileItMayNot(t *testing.T) {
	e := &fakeEngine{}
	var may atomic.Bool
	run(t, e, scale.Config{MayStart: may.Load}, func(t *testing.T, s *scale.Scaler) {
		s.Set(revision, scale.Limits{Min: 1, Max: 2})
		waiting := acquireLater(t.Context(), s)
		time.Sleep(time.Hour)
		wantCounts(t, e, 0, 0)
		may.Store(true)
		time.Sleep(time.Second)
		synctest.Wait()
		if waiting.instance == nil {
			t.Error("the waiting call has no instance")
		}
		wantCounts(t, e, 1, 1)
	})
}
