package scale_test

import (
	"context"
	"errors"
	"log/slog"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/jeton-dev/jeton/internal/scale"
)

// runBudget runs a test with a Scaler whose memory budget is a number of MB. Each of
// the revisions, which are mapped to their projects, reserves 1 MB per instance.
func runBudget(t *testing.T, budget int64, projects map[string]string, test func(t *testing.T, s *scale.Scaler, e *fakeEngine)) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		e := &fakeEngine{}
		s := scale.New(e, scale.Config{Memory: budget << 20}, slog.New(slog.DiscardHandler))
		for id, project := range projects {
			s.Set(id, scale.Limits{Max: 50, Memory: 1 << 20, Project: project})
		}
		ctx, cancel := context.WithCancel(t.Context())
		ended := make(chan error)
		go func() { ended <- s.Run(ctx) }()
		test(t, s, e)
		cancel()
		if err := <-ended; !errors.Is(err, context.Canceled) {
			t.Errorf("Run() = %v, want %v", err, context.Canceled)
		}
	})
}

// acquireUntilBusy acquires instances of a revision until a call waits for a second,
// and returns the instances.
func acquireUntilBusy(t *testing.T, s *scale.Scaler, id string) []*scale.Instance {
	t.Helper()
	var got []*scale.Instance
	for {
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		in, err := s.Acquire(ctx, id)
		cancel()
		if err != nil {
			return got
		}
		got = append(got, in)
	}
}

func TestBudget_LeavesMemoryForOtherProjects(t *testing.T) {
	runBudget(t, 20, map[string]string{"a1": "a", "a2": "a", "b": "b", "c": "c"}, func(t *testing.T, s *scale.Scaler, e *fakeEngine) {
		a := len(acquireUntilBusy(t, s, "a1")) + len(acquireUntilBusy(t, s, "a2"))
		b := len(acquireUntilBusy(t, s, "b"))
		c := len(acquireUntilBusy(t, s, "c"))
		if a != 16 || b < 1 || c < 1 {
			t.Errorf("projects got %d, %d and %d of 20 instances, want 16 and at least one each", a, b, c)
		}
		if n, _ := e.counts(); n > 20 {
			t.Errorf("there are %d instances, want 20 at most", n)
		}
	})
}

func TestBudget_EndsWaitingAfterMemoryWait(t *testing.T) {
	runBudget(t, 1, map[string]string{"a": "a", "b": "b"}, func(t *testing.T, s *scale.Scaler, e *fakeEngine) {
		if _, err := s.Acquire(t.Context(), "a"); err != nil {
			t.Fatal(err)
		}
		begun := time.Now()
		_, err := s.Acquire(t.Context(), "b")
		if waited := time.Since(begun); !errors.Is(err, scale.ErrNoMemory) || waited != scale.DefaultMemoryWait {
			t.Errorf("Acquire() = %v after %v, want %v after %v", err, waited, scale.ErrNoMemory, scale.DefaultMemoryWait)
		}
		if err := s.Warm(t.Context(), "b"); !errors.Is(err, scale.ErrNoMemory) {
			t.Errorf("Warm() = %v, want %v", err, scale.ErrNoMemory)
		}
	})
}

func TestBudget_StopsIdleInstancesForWaitingCalls(t *testing.T) {
	runBudget(t, 2, map[string]string{"a": "a", "b": "a", "c": "c"}, func(t *testing.T, s *scale.Scaler, e *fakeEngine) {
		for _, id := range []string{"a", "b"} {
			in, err := s.Acquire(t.Context(), id)
			if err != nil {
				t.Fatal(err)
			}
			s.Release(in)
			pass(time.Second)
		}
		if _, err := s.Acquire(t.Context(), "c"); err != nil {
			t.Fatal(err)
		}
		if a, b := e.countOf("a"), e.countOf("b"); a != 0 || b != 1 {
			t.Errorf("a has %d instances and b has %d, want that only that of a, idle longest, was stopped", a, b)
		}
	})
}

func TestBudget_GivesFreedMemoryToWaitingCalls(t *testing.T) {
	runBudget(t, 1, map[string]string{"a": "a", "b": "b"}, func(t *testing.T, s *scale.Scaler, e *fakeEngine) {
		in, err := s.Acquire(t.Context(), "a")
		if err != nil {
			t.Fatal(err)
		}
		got := make(chan error)
		go func() {
			_, err := s.Acquire(t.Context(), "b")
			got <- err
		}()
		pass(time.Second)
		s.Release(in)
		synctest.Wait()
		if err := <-got; err != nil {
			t.Errorf("Acquire() = %v, want the memory of the idle instance", err)
		}
	})
}

func TestBudget_RefusesInstancesAboveTheBudget(t *testing.T) {
	runBudget(t, 4, map[string]string{"a": "a"}, func(t *testing.T, s *scale.Scaler, e *fakeEngine) {
		s.Set("a", scale.Limits{Max: 1, Memory: 5 << 20, Project: "a"})
		_, err := s.Acquire(t.Context(), "a")
		if failed, ok := errors.AsType[*scale.StartError](err); !ok || !strings.Contains(failed.Reason, "above the 4 MB") {
			t.Errorf("Acquire() = %v, want a StartError that names the budget", err)
		}
	})
}
