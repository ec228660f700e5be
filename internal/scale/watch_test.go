package scale_test

import (
	"errors"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"github.com/jeton-dev/jeton/internal/engine"
	"github.com/jeton-dev/jeton/internal/scale"
)

// lose removes an instance without an event.
func (e *fakeEngine) lose(id string) {
	e.change(func() {
		e.instances = slices.DeleteFunc(e.instances, func(in *fakeInstance) bool { return in.id == id })
	})
}

func TestWatch_ServesWhileItIsInterrupted(t *testing.T) {
	e := &fakeEngine{}
	run(t, e, scale.Config{}, func(t *testing.T, s *scale.Scaler) {
		s.Set(revision, scale.Limits{Max: 1})
		s.Release(mustAcquire(t, s))
		e.change(func() { e.watchError = errors.New("cannot be reached") })
		e.endWatches()
		pass(time.Minute)
		// Max is 1: only the instance from before the interruption can serve the call.
		if got := mustAcquire(t, s); got.ID != "i1" {
			t.Errorf("Acquire() during the interruption = %q, want i1", got.ID)
		}
	})
}

func TestWatch_IsResumedWithBackoff(t *testing.T) {
	for name, broken := range map[string]func(*fakeEngine){
		"error of Watch":     func(e *fakeEngine) { e.watchError = errors.New("cannot be reached") },
		"end before synced":  func(e *fakeEngine) { e.unsynced = true },
		"end of the channel": nil,
	} {
		t.Run(name, func(t *testing.T) {
			e := &fakeEngine{}
			run(t, e, scale.Config{}, func(t *testing.T, s *scale.Scaler) {
				s.Set(revision, scale.Limits{Max: 1})
				synctest.Wait()
				if broken != nil {
					e.change(func() { broken(e) })
				}
				watched := func() (n int) { e.change(func() { n = e.watched }); return n }
				// The second watch begins after 100 ms, further ones after 200 ms, 400 ms and
				// so on; the last pauses are 30 s.
				for failures, milliseconds := range []int{100, 200, 400, 800, 1600, 3200, 6400, 12800, 25600, 30000, 30000} {
					want := time.Duration(milliseconds) * time.Millisecond
					e.endWatches()
					pass(want - 1)
					if got := watched(); got != failures+1 {
						t.Fatalf("%d watches before the pause of %v is over, want %d", got, want, failures+1)
					}
					pass(1)
					synctest.Wait()
					if got := watched(); got != failures+2 {
						t.Fatalf("%d watches after the pause of %v, want %d", got, want, failures+2)
					}
				}
				e.change(func() { e.watchError, e.unsynced = nil, false })
				pass(30 * time.Second)
				s.Release(mustAcquire(t, s))
				// A watch that lasted resets the pause.
				pass(time.Minute)
				before := watched()
				e.endWatches()
				pass(100 * time.Millisecond)
				synctest.Wait()
				if got := watched(); got != before+1 {
					t.Errorf("%d watches 100 ms after a long one, want %d", got, before+1)
				}
			})
		})
	}
}

func TestWatch_TreatsUnreportedInstancesAsGone(t *testing.T) {
	e := &fakeEngine{}
	observer := &starts{}
	run(t, e, scale.Config{Observer: observer}, func(t *testing.T, s *scale.Scaler) {
		s.Set(revision, scale.Limits{Min: 3, Max: 3})
		lost, kept := mustAcquire(t, s), mustAcquire(t, s)
		wantCounts(t, e, 3, 3)
		e.endWatches()
		for _, in := range e.instancesExcept(kept.ID) {
			e.lose(in)
		}
		pass(100 * time.Millisecond)
		synctest.Wait()
		wantNumbers(t, s, scale.Counts{RevisionID: revision, Busy: 1})
		s.Release(lost)
		wantNumbers(t, s, scale.Counts{RevisionID: revision, Busy: 1})
		s.Release(kept)
		wantNumbers(t, s, scale.Counts{RevisionID: revision, Idle: 1})
		// The minimum is restored as after crashes.
		pass(2 * time.Second)
		wantCounts(t, e, 3, 5)
	})
}

// instancesExcept returns the IDs of all instances but one.
func (e *fakeEngine) instancesExcept(id string) []string {
	var others []string
	e.change(func() {
		for _, in := range e.instances {
			if in.id != id {
				others = append(others, in.id)
			}
		}
	})
	return others
}

func TestWatch_AppliesWhatHappenedWhileItWasInterrupted(t *testing.T) {
	for name, test := range map[string]struct {
		happens func(*fakeEngine)
		want    string
		started int
	}{
		"the instance became ready":      {func(e *fakeEngine) { e.become("i1", engine.Ready, "") }, "i1", 1},
		"the instance crashed":           {func(e *fakeEngine) { e.become("i1", engine.Gone, "exit status 1") }, "", 1},
		"another instance became ready":  {func(e *fakeEngine) { e.change(func() { e.makeReady(e.start(revision)) }) }, "i2", 2},
		"an unknown revision's instance": {func(e *fakeEngine) { e.change(func() { e.start("unknown") }); e.become("i1", engine.Ready, "") }, "i1", 2},
	} {
		t.Run(name, func(t *testing.T) {
			e := &fakeEngine{manual: true}
			run(t, e, scale.Config{}, func(t *testing.T, s *scale.Scaler) {
				s.Set(revision, scale.Limits{Max: 2})
				call := acquireLater(t.Context(), s)
				wantCounts(t, e, 1, 1)
				e.endWatches()
				synctest.Wait()
				test.happens(e)
				pass(100 * time.Millisecond)
				synctest.Wait()
				var failed *scale.StartError
				switch {
				case test.want == "" && !errors.As(call.err, &failed):
					t.Errorf("Acquire() = %+v, want a StartError", call)
				case test.want != "" && (call.instance == nil || call.instance.ID != test.want):
					t.Errorf("Acquire() = %+v, want %s", call, test.want)
				}
				if _, started := e.counts(); started != test.started {
					t.Errorf("%d instances were started, want %d", started, test.started)
				}
			})
		})
	}
}

// TestWatch_RequestsAgainWhatWasNeverReported loses an instance that was requested
// before its Starting event is delivered.
func TestWatch_RequestsAgainWhatWasNeverReported(t *testing.T) {
	e := &fakeEngine{}
	run(t, e, scale.Config{}, func(t *testing.T, s *scale.Scaler) {
		s.Set(revision, scale.Limits{Max: 1})
		synctest.Wait()
		e.change(func() { e.manual = true })
		e.endWatches()
		synctest.Wait()
		call := acquireLater(t.Context(), s)
		wantCounts(t, e, 1, 1)
		e.lose("i1")
		e.change(func() { e.manual = false })
		pass(100 * time.Millisecond)
		synctest.Wait()
		if call.instance == nil || call.instance.ID != "i2" {
			t.Errorf("Acquire() = %+v, want i2", call)
		}
	})
}

// TestWatch_CountsRequestsInFlight interrupts the watch while a request is being
// executed: its instance must not be requested twice.
func TestWatch_CountsRequestsInFlight(t *testing.T) {
	slow := make(chan struct{})
	e := &fakeEngine{slow: map[string]chan struct{}{}}
	run(t, e, scale.Config{}, func(t *testing.T, s *scale.Scaler) {
		slow = make(chan struct{})
		e.change(func() { e.slow[revision] = slow })
		s.Set(revision, scale.Limits{Max: 5})
		call := acquireLater(t.Context(), s)
		e.endWatches()
		pass(time.Second)
		close(slow)
		synctest.Wait()
		if call.instance == nil || call.instance.ID != "i1" {
			t.Errorf("Acquire() = %+v, want i1", call)
		}
		wantCounts(t, e, 1, 1)
		wantNumbers(t, s, scale.Counts{RevisionID: revision, Busy: 1})
	})
}
