package scale_test

import (
	"fmt"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"github.com/jeton-dev/jeton/internal/engine"
	"github.com/jeton-dev/jeton/internal/scale"
)

func TestIdle_StopsInstancesAfterTheirTime(t *testing.T) {
	e := &fakeEngine{}
	config := scale.Config{IdleToOne: 30 * time.Second, IdleToZero: 15 * time.Minute}
	run(t, e, config, func(t *testing.T, s *scale.Scaler) {
		s.Set(revision, scale.Limits{Max: 5})
		a, b, c := mustAcquire(t, s), mustAcquire(t, s), mustAcquire(t, s)
		s.Release(a)
		pass(10 * time.Second)
		s.Release(b)
		pass(10 * time.Second)
		s.Release(c)

		pass(10*time.Second - 1)
		wantCounts(t, e, 3, 3)
		pass(1)
		wantCounts(t, e, 2, 3)
		pass(10 * time.Second)
		wantCounts(t, e, 1, 3)
		if got, want := e.gone(), []string{a.ID, b.ID}; !slices.Equal(got, want) {
			t.Errorf("stopped %v, want %v", got, want)
		}
		pass(15*time.Minute - 20*time.Second - 1)
		wantCounts(t, e, 1, 3)
		pass(1)
		wantCounts(t, e, 0, 3)
	})
}

func TestIdle_FollowsTheEarliestDeadline(t *testing.T) {
	e := &fakeEngine{}
	run(t, e, scale.Config{}, func(t *testing.T, s *scale.Scaler) {
		s.Set(revision, scale.Limits{Max: 5})
		// The only instance sets the timer to 15 minutes.
		a := mustAcquire(t, s)
		s.Release(a)
		synctest.Wait()
		a, b := mustAcquire(t, s), mustAcquire(t, s)
		synctest.Wait()
		s.Release(a)
		s.Release(b)
		pass(scale.DefaultIdleToOne)
		wantCounts(t, e, 1, 2)
	})
}

func TestMinimum_IsKept(t *testing.T) {
	e := &fakeEngine{}
	run(t, e, scale.Config{}, func(t *testing.T, s *scale.Scaler) {
		s.Set(revision, scale.Limits{Min: 2, Max: 5})
		wantCounts(t, e, 2, 2)
		pass(time.Hour)
		wantCounts(t, e, 2, 2)
		e.become("i1", engine.Gone, "exit status 1")
		wantCounts(t, e, 1, 2)
		pass(time.Second)
		wantCounts(t, e, 2, 3)
		s.Set(revision, scale.Limits{Max: 5})
		wantCounts(t, e, 1, 3)
		pass(time.Hour)
		wantCounts(t, e, 0, 3)
	})
}

func TestMinimum_PausesInACrashLoop(t *testing.T) {
	e := &fakeEngine{crash: "exit status 1"}
	run(t, e, scale.Config{}, func(t *testing.T, s *scale.Scaler) {
		s.Set(revision, scale.Limits{Min: 1, Max: 5})
		// At 0, 1, 3, 7, 15, 31 and 63 seconds.
		pass(63 * time.Second)
		wantCounts(t, e, 0, 7)
		pass(10 * time.Minute)
		wantCounts(t, e, 0, 17)
	})
}

func TestMinimum_ResetsThePauseAfterSteadyInstances(t *testing.T) {
	e := &fakeEngine{}
	run(t, e, scale.Config{}, func(t *testing.T, s *scale.Scaler) {
		s.Set(revision, scale.Limits{Min: 1, Max: 5})
		for i := range 10 {
			pass(2 * time.Minute)
			e.become(fmt.Sprintf("i%d", i+1), engine.Gone, "exit status 1")
			pass(time.Second)
			wantCounts(t, e, 1, i+2)
		}
	})
}
