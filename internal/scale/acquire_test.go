package scale_test

import (
	"context"
	"errors"
	"log/slog"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/jeton-dev/jeton/internal/engine"
	"github.com/jeton-dev/jeton/internal/scale"
)

func TestAcquire_StartsAnInstanceOnDemand(t *testing.T) {
	e := &fakeEngine{}
	run(t, e, scale.Config{}, func(t *testing.T, s *scale.Scaler) {
		s.Set(revision, scale.Limits{Max: 5})
		wantCounts(t, e, 0, 0)
		in := mustAcquire(t, s)
		if in.ID != "i1" || in.Address.String() != "unix:/run/i1" {
			t.Errorf("Acquire() = %q at %q, want i1 at /run/i1", in.ID, in.Address)
		}
		s.Release(in)
		if again := mustAcquire(t, s); again != in {
			t.Errorf("second Acquire() = %q, want the same instance", again.ID)
		}
		wantCounts(t, e, 1, 1)
	})
}

func TestAcquire_PrefersTheInstanceUsedLast(t *testing.T) {
	e := &fakeEngine{}
	run(t, e, scale.Config{}, func(t *testing.T, s *scale.Scaler) {
		s.Set(revision, scale.Limits{Max: 5})
		first, second := mustAcquire(t, s), mustAcquire(t, s)
		if first == second {
			t.Fatal("two calls got the same instance")
		}
		s.Release(second)
		s.Release(first)
		if got := mustAcquire(t, s); got != first {
			t.Errorf("Acquire() = %q, want %q, which was used last", got.ID, first.ID)
		}
	})
}

func TestAcquire_QueuesCallsInOrder(t *testing.T) {
	e := &fakeEngine{}
	run(t, e, scale.Config{Queue: 2}, func(t *testing.T, s *scale.Scaler) {
		s.Set(revision, scale.Limits{Max: 1})
		in := mustAcquire(t, s)
		first, second := acquireLater(t.Context(), s), acquireLater(t.Context(), s)
		if _, err := s.Acquire(t.Context(), revision); !errors.Is(err, scale.ErrQueueFull) {
			t.Errorf("Acquire() with a full queue = %v, want %v", err, scale.ErrQueueFull)
		}
		s.Release(in)
		synctest.Wait()
		if !first.done || first.instance != in || second.done {
			t.Errorf("after Release: first call %+v, second call %+v, want only the first served", first, second)
		}
		s.Release(in)
		synctest.Wait()
		if second.instance != in {
			t.Errorf("after the second Release: second call %+v, want it served", second)
		}
		wantCounts(t, e, 1, 1)
	})
}

func TestAcquire_StartsAtMostMaxInstances(t *testing.T) {
	e := &fakeEngine{manual: true}
	run(t, e, scale.Config{}, func(t *testing.T, s *scale.Scaler) {
		s.Set(revision, scale.Limits{Max: 2})
		calls := []*pending{
			acquireLater(t.Context(), s), acquireLater(t.Context(), s), acquireLater(t.Context(), s),
		}
		wantCounts(t, e, 2, 2)
		e.become("i2", engine.Ready, "")
		e.become("i1", engine.Ready, "")
		synctest.Wait()
		if !calls[0].done || !calls[1].done || calls[2].done {
			t.Fatal("want only the two oldest calls served")
		}
		s.Discard(calls[0].instance)
		wantCounts(t, e, 2, 3)
		e.become("i3", engine.Ready, "")
		synctest.Wait()
		if calls[2].instance == nil || calls[2].instance.ID != "i3" {
			t.Errorf("the third call got %+v, want i3", calls[2])
		}
	})
}

func TestAcquire_EndsWithItsContext(t *testing.T) {
	e := &fakeEngine{manual: true}
	run(t, e, scale.Config{Queue: 1}, func(t *testing.T, s *scale.Scaler) {
		s.Set(revision, scale.Limits{Max: 1})
		ctx, cancel := context.WithCancel(t.Context())
		call := acquireLater(ctx, s)
		cancel()
		synctest.Wait()
		if !errors.Is(call.err, context.Canceled) {
			t.Errorf("Acquire() after cancel = %v, want %v", call.err, context.Canceled)
		}
		next := acquireLater(t.Context(), s)
		e.become("i1", engine.Ready, "")
		synctest.Wait()
		if next.instance == nil {
			t.Errorf("the next call got %+v, want the instance that was started for the first call", next)
		}
		wantCounts(t, e, 1, 1)
	})
}

func TestAcquire_ReturnsStartErrors(t *testing.T) {
	e := &fakeEngine{crash: "exit status 3"}
	run(t, e, scale.Config{}, func(t *testing.T, s *scale.Scaler) {
		s.Set(revision, scale.Limits{Max: 2})
		var calls [5]*pending
		for i := range calls {
			calls[i] = acquireLater(t.Context(), s)
		}
		for i, call := range calls {
			var failed *scale.StartError
			if !errors.As(call.err, &failed) || failed.Reason != "exit status 3" {
				t.Errorf("call %d: %v, want a StartError with the reason", i, call.err)
			}
		}
		pass(time.Hour)
		wantCounts(t, e, 0, len(calls))
	})
}

func TestAcquire_WaitsForAnotherInstanceAfterAFailedStart(t *testing.T) {
	e := &fakeEngine{manual: true}
	run(t, e, scale.Config{}, func(t *testing.T, s *scale.Scaler) {
		s.Set(revision, scale.Limits{Max: 2})
		ctx, cancel := context.WithCancel(t.Context())
		acquireLater(ctx, s)
		second := acquireLater(t.Context(), s)
		cancel()
		wantCounts(t, e, 2, 2)
		e.become("i1", engine.Gone, "exit status 1")
		synctest.Wait()
		if second.done {
			t.Fatalf("the call ended with %v while another instance is starting, want that it waits", second.err)
		}
		e.become("i2", engine.Ready, "")
		synctest.Wait()
		if second.instance == nil || second.instance.ID != "i2" {
			t.Errorf("the call got %+v, want i2", second)
		}
	})
}

func TestAcquire_ReplacesACrashedBusyInstance(t *testing.T) {
	e := &fakeEngine{}
	run(t, e, scale.Config{}, func(t *testing.T, s *scale.Scaler) {
		s.Set(revision, scale.Limits{Max: 1})
		in := mustAcquire(t, s)
		waiting := acquireLater(t.Context(), s)
		e.become("i1", engine.Gone, "killed by signal 9")
		synctest.Wait()
		if waiting.instance == nil || waiting.instance.ID != "i2" {
			t.Fatalf("the call that waited got %+v, want a new instance", waiting)
		}
		s.Discard(in)
		s.Release(in)
		wantCounts(t, e, 1, 2)
		s.Release(waiting.instance)
		if got := mustAcquire(t, s); got.ID != "i2" {
			t.Errorf("Acquire() = %q, want i2", got.ID)
		}
	})
}

func TestAcquire_ReplacesACrashedIdleInstance(t *testing.T) {
	e := &fakeEngine{}
	run(t, e, scale.Config{}, func(t *testing.T, s *scale.Scaler) {
		s.Set(revision, scale.Limits{Max: 1})
		s.Release(mustAcquire(t, s))
		e.become("i1", engine.Gone, "exit status 1")
		wantCounts(t, e, 0, 1)
		if got := mustAcquire(t, s); got.ID != "i2" {
			t.Errorf("Acquire() = %q, want a new instance", got.ID)
		}
	})
}

func TestWarm_ReturnsWhenAnInstanceIsReady(t *testing.T) {
	e := &fakeEngine{manual: true}
	run(t, e, scale.Config{}, func(t *testing.T, s *scale.Scaler) {
		s.Set(revision, scale.Limits{Max: 5})
		outcome := make(chan error, 1)
		go func() { outcome <- s.Warm(t.Context(), revision) }()
		wantCounts(t, e, 1, 1)
		select {
		case err := <-outcome:
			t.Fatalf("Warm() = %v before an instance was ready", err)
		default:
		}
		e.become("i1", engine.Ready, "")
		if err := <-outcome; err != nil {
			t.Fatalf("Warm() = %v", err)
		}
		in := mustAcquire(t, s)
		if err := s.Warm(t.Context(), revision); err != nil {
			t.Errorf("Warm() while the only instance is busy = %v", err)
		}
		s.Release(in)
		wantCounts(t, e, 1, 1)
	})
}

func TestWarm_ReturnsStartErrors(t *testing.T) {
	e := &fakeEngine{crash: "Cannot find module 'x'"}
	run(t, e, scale.Config{}, func(t *testing.T, s *scale.Scaler) {
		s.Set(revision, scale.Limits{Max: 5})
		err := s.Warm(t.Context(), revision)
		var failed *scale.StartError
		if !errors.As(err, &failed) || failed.Reason != e.crash {
			t.Errorf("Warm() = %v, want a StartError with the reason", err)
		}
		pass(time.Hour)
		wantCounts(t, e, 0, 1)
	})
}

// TestAcquire_SharesNoInstance runs more callers than instances. Callers time out,
// and release or discard instances; no instance may have two callers.
func TestAcquire_SharesNoInstance(t *testing.T) {
	e := &fakeEngine{}
	run(t, e, scale.Config{Queue: 1000}, func(t *testing.T, s *scale.Scaler) {
		s.Set(revision, scale.Limits{Max: 7})
		var mu sync.Mutex
		holders := map[*scale.Instance]int{}
		hold := func(in *scale.Instance, by int) int {
			mu.Lock()
			defer mu.Unlock()
			holders[in] += by
			return holders[in]
		}
		var callers sync.WaitGroup
		for i := range 50 {
			callers.Go(func() {
				for j := range 40 {
					ctx, cancel := context.WithTimeout(t.Context(), time.Duration(1+(i*j)%17)*time.Millisecond)
					in, err := s.Acquire(ctx, revision)
					cancel()
					if err != nil {
						continue
					}
					if n := hold(in, 1); n != 1 {
						t.Errorf("%d callers have %s, want 1", n, in.ID)
					}
					pass(time.Duration((i+j)%5) * time.Millisecond)
					hold(in, -1)
					if (i+j)%11 == 0 {
						s.Discard(in)
					} else {
						s.Release(in)
					}
				}
			})
		}
		callers.Wait()
		synctest.Wait()
		if live, _ := e.counts(); live > 7 {
			t.Errorf("engine has %d instances, want at most 7", live)
		}
		pass(time.Hour)
		if live, _ := e.counts(); live != 0 {
			t.Errorf("engine has %d instances after an hour without calls, want 0", live)
		}
	})
}

func BenchmarkAcquireIdle(b *testing.B) {
	for name, limits := range map[string]scale.Limits{"no minimum": {Max: 1}, "minimum": {Min: 1, Max: 1}} {
		b.Run(name, func(b *testing.B) {
			s := scale.New(&fakeEngine{}, scale.Config{}, slog.New(slog.DiscardHandler))
			s.Set(revision, limits)
			go func() { _ = s.Run(b.Context()) }()
			b.ReportAllocs()
			for b.Loop() {
				in, err := s.Acquire(b.Context(), revision)
				if err != nil {
					b.Fatal(err)
				}
				in.Serve("request")
				s.Release(in)
			}
		})
	}
}
