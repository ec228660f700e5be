package scale_test

import (
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/jeton-dev/jeton/internal/engine"
	"github.com/jeton-dev/jeton/internal/scale"
)

// starts is an Observer that records its calls.
type starts struct {
	mu     sync.Mutex
	warm   []time.Duration
	cold   []time.Duration
	failed int
}

func (s *starts) Started(_ string, took time.Duration, cold bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if cold {
		s.cold = append(s.cold, took)
	} else {
		s.warm = append(s.warm, took)
	}
}

func (s *starts) StartFailed(string) { s.mu.Lock(); defer s.mu.Unlock(); s.failed++ }

func TestCounts_FollowCallsAndInstances(t *testing.T) {
	e := &fakeEngine{manual: true}
	observer := &starts{}
	run(t, e, scale.Config{Observer: observer}, func(t *testing.T, s *scale.Scaler) {
		s.Set(revision, scale.Limits{Max: 1})
		first, second := acquireLater(t.Context(), s), acquireLater(t.Context(), s)
		wantNumbers(t, s, scale.Counts{RevisionID: revision, Waiting: 2, Starting: 1})
		pass(3 * time.Second)
		e.become("i1", engine.Ready, "")
		synctest.Wait()
		wantNumbers(t, s, scale.Counts{RevisionID: revision, Waiting: 1, Busy: 1})
		s.Release(first.instance)
		synctest.Wait()
		s.Release(second.instance)
		wantNumbers(t, s, scale.Counts{RevisionID: revision, Idle: 1})
		if !slices.Equal(observer.cold, []time.Duration{3 * time.Second}) || observer.warm != nil || observer.failed != 0 {
			t.Errorf("got cold starts %v, other starts %v and %d failures", observer.cold, observer.warm, observer.failed)
		}
	})
}

func TestObserver_DistinguishesColdStarts(t *testing.T) {
	e := &fakeEngine{manual: true}
	observer := &starts{}
	run(t, e, scale.Config{Observer: observer}, func(t *testing.T, s *scale.Scaler) {
		s.Set(revision, scale.Limits{Min: 2, Max: 2})
		wantCounts(t, e, 2, 2)
		e.become("i1", engine.Ready, "")
		e.become("i1", engine.Ready, "")
		e.become("i2", engine.Gone, "it crashed")
		synctest.Wait()
		if len(observer.warm) != 1 || observer.cold != nil || observer.failed != 1 {
			t.Errorf("got cold starts %v, other starts %v and %d failures", observer.cold, observer.warm, observer.failed)
		}
		// The end of an instance that was ready is no failed start.
		e.become("i1", engine.Gone, "it crashed later")
		synctest.Wait()
		if observer.failed != 1 {
			t.Errorf("got %d failures, want 1", observer.failed)
		}
	})
}

func wantNumbers(t *testing.T, s *scale.Scaler, want scale.Counts) {
	t.Helper()
	if got := s.Counts(); len(got) != 1 || got[0] != want {
		t.Errorf("Counts() = %+v, want %+v", got, want)
	}
}
