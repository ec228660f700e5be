package scale_test

import (
	"context"
	"errors"
	"log/slog"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/jeton-dev/jeton/internal/engine"
	"github.com/jeton-dev/jeton/internal/scale"
)

// several is an engine with a memory for each revision.
type several map[string]*memory

func (e several) Home(dir string) string                       { return dir }
func (e several) Apply(context.Context, engine.Revision) error { return nil }

func (e several) SetScale(ctx context.Context, id string, n int, spare []string) error {
	return e[id].SetScale(ctx, id, n, spare)
}

func (e several) Stop(_ context.Context, instanceID string) error {
	for id, m := range e {
		m.mu.Lock()
		for _, live := range m.live {
			if live == instanceID {
				m.end(id, instanceID, "")
				break
			}
		}
		m.mu.Unlock()
	}
	return nil
}

func (e several) Delete(ctx context.Context, id string) error { return e[id].Delete(ctx, id) }

func (e several) Watch(ctx context.Context) (<-chan engine.Event, error) {
	for _, m := range e {
		return m.Watch(ctx)
	}
	return nil, errors.New("no revisions")
}

// runBudget runs a test with a scaler whose budget is so many instances of 1 MB.
func runBudget(t *testing.T, budget int64, projects map[string]string, test func(t *testing.T, s *scale.Scaler, e several)) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		e := several{}
		events := make(chan engine.Event, 1000)
		for id := range projects {
			e[id] = &memory{events: events, prefix: id}
		}
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

func (e several) count() int {
	n := 0
	for _, m := range e {
		live, _ := m.counts()
		n += live
	}
	return n
}

// acquireUntilBusy acquires instances of a revision until a call has to wait, and
// returns what it got.
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

func TestBudget_LeavesRoomForOtherProjects(t *testing.T) {
	runBudget(t, 20, map[string]string{"a1": "a", "a2": "a", "b": "b", "c": "c"}, func(t *testing.T, s *scale.Scaler, e several) {
		a := len(acquireUntilBusy(t, s, "a1")) + len(acquireUntilBusy(t, s, "a2"))
		b := len(acquireUntilBusy(t, s, "b"))
		c := len(acquireUntilBusy(t, s, "c"))
		if a != 16 || b < 1 || c < 1 {
			t.Errorf("projects got %d, %d and %d of 20 instances, want 16 and at least one each", a, b, c)
		}
		if n := e.count(); n > 20 {
			t.Errorf("there are %d instances, want 20 at most", n)
		}
	})
}

func TestBudget_AnswersCallsThatWaitedTooLong(t *testing.T) {
	runBudget(t, 1, map[string]string{"a": "a", "b": "b"}, func(t *testing.T, s *scale.Scaler, e several) {
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

func TestBudget_StopsIdleInstancesForCallsThatWait(t *testing.T) {
	runBudget(t, 2, map[string]string{"a": "a", "b": "a", "c": "c"}, func(t *testing.T, s *scale.Scaler, e several) {
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
		if live, _ := e["a"].counts(); live != 0 || e.count() > 2 {
			t.Errorf("%d instances of a are left of %d, want that the longest idle one was stopped", live, e.count())
		}
	})
}

func TestBudget_GivesMemoryThatBecomesFreeToWhoWaits(t *testing.T) {
	runBudget(t, 1, map[string]string{"a": "a", "b": "b"}, func(t *testing.T, s *scale.Scaler, e several) {
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

func TestBudget_RefusesWhatNeverFits(t *testing.T) {
	runBudget(t, 4, map[string]string{"a": "a"}, func(t *testing.T, s *scale.Scaler, e several) {
		s.Set("a", scale.Limits{Max: 1, Memory: 5 << 20, Project: "a"})
		_, err := s.Acquire(t.Context(), "a")
		if failed, ok := errors.AsType[*scale.StartError](err); !ok || !strings.Contains(failed.Reason, "above the 4 MB") {
			t.Errorf("Acquire() = %v, want that it never fits", err)
		}
	})
}
