package scale_test

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/jeton-dev/jeton/internal/engine"
	"github.com/jeton-dev/jeton/internal/scale"
)

const revision = "r1"

// run runs a test in a bubble of its own time, with a scaler over the engine.
func run(t *testing.T, e *memory, config scale.Config, test func(t *testing.T, s *scale.Scaler)) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		e.open()
		s := scale.New(e, config, slog.New(slog.DiscardHandler))
		ctx, cancel := context.WithCancel(t.Context())
		ended := make(chan error)
		go func() { ended <- s.Run(ctx) }()
		test(t, s)
		cancel()
		if err := <-ended; !errors.Is(err, context.Canceled) {
			t.Errorf("Run() = %v, want %v", err, context.Canceled)
		}
	})
}

func mustAcquire(t *testing.T, s *scale.Scaler) *scale.Instance {
	t.Helper()
	in, err := s.Acquire(t.Context(), revision)
	if err != nil {
		t.Fatalf("Acquire() = %v", err)
	}
	return in
}

// pending is a call that acquires in the background.
type pending struct {
	instance *scale.Instance
	err      error
	done     bool
}

// acquireLater returns a call that waits; look at it after synctest.Wait.
func acquireLater(ctx context.Context, s *scale.Scaler) *pending {
	p := &pending{}
	go func() {
		p.instance, p.err = s.Acquire(ctx, revision)
		p.done = true
	}()
	synctest.Wait()
	return p
}

func wantCounts(t *testing.T, e *memory, live, started int) {
	t.Helper()
	synctest.Wait()
	if gotLive, gotStarted := e.counts(); gotLive != live || gotStarted != started {
		t.Errorf("engine has %d instances of %d started, want %d of %d", gotLive, gotStarted, live, started)
	}
}

func TestAcquireStartsOnDemand(t *testing.T) {
	e := &memory{}
	run(t, e, scale.Config{}, func(t *testing.T, s *scale.Scaler) {
		s.Set(revision, scale.Limits{Max: 5})
		wantCounts(t, e, 0, 0)
		in := mustAcquire(t, s)
		if in.ID != "i1" || in.Address != "/run/i1" {
			t.Errorf("Acquire() = %q at %q, want i1 at /run/i1", in.ID, in.Address)
		}
		s.Release(in)
		if again := mustAcquire(t, s); again != in {
			t.Errorf("second Acquire() = %q, want the same instance", again.ID)
		}
		wantCounts(t, e, 1, 1)
	})
}

func TestAcquirePrefersTheLastUsed(t *testing.T) {
	e := &memory{}
	run(t, e, scale.Config{}, func(t *testing.T, s *scale.Scaler) {
		s.Set(revision, scale.Limits{Max: 5})
		first, second := mustAcquire(t, s), mustAcquire(t, s)
		if first == second {
			t.Fatal("two calls got one instance")
		}
		s.Release(second)
		s.Release(first)
		if got := mustAcquire(t, s); got != first {
			t.Errorf("Acquire() = %q, want %q, which was used last", got.ID, first.ID)
		}
	})
}

func TestAcquireQueues(t *testing.T) {
	e := &memory{}
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
			t.Errorf("after Release: first %+v, second %+v, want the first served alone", first, second)
		}
		s.Release(in)
		synctest.Wait()
		if second.instance != in {
			t.Errorf("after the second Release: %+v", second)
		}
		wantCounts(t, e, 1, 1)
	})
}

func TestAcquireStartsUpToMax(t *testing.T) {
	e := &memory{manual: true}
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
			t.Fatal("want the two oldest calls served, and no other")
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

func TestAcquireGivenUp(t *testing.T) {
	e := &memory{manual: true}
	run(t, e, scale.Config{Queue: 1}, func(t *testing.T, s *scale.Scaler) {
		s.Set(revision, scale.Limits{Max: 1})
		ctx, cancel := context.WithCancel(t.Context())
		call := acquireLater(ctx, s)
		cancel()
		synctest.Wait()
		if !errors.Is(call.err, context.Canceled) {
			t.Errorf("Acquire() given up = %v, want %v", call.err, context.Canceled)
		}
		next := acquireLater(t.Context(), s)
		e.become("i1", engine.Ready, "")
		synctest.Wait()
		if next.instance == nil {
			t.Errorf("the next call got %+v, want the instance that was started for the first", next)
		}
		wantCounts(t, e, 1, 1)
	})
}

func TestAcquireWhenStartsFail(t *testing.T) {
	e := &memory{crash: "exit status 3"}
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
		time.Sleep(time.Hour)
		wantCounts(t, e, 0, len(calls))
	})
}

func TestStartFailureSparesCallsThatOthersServe(t *testing.T) {
	e := &memory{manual: true}
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
			t.Fatalf("the call ended with %v, though another instance is coming", second.err)
		}
		e.become("i2", engine.Ready, "")
		synctest.Wait()
		if second.instance == nil || second.instance.ID != "i2" {
			t.Errorf("the call got %+v, want i2", second)
		}
	})
}

func TestCrashOfABusyInstance(t *testing.T) {
	e := &memory{}
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

func TestCrashOfAnIdleInstance(t *testing.T) {
	e := &memory{}
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

func TestIdleInstancesStop(t *testing.T) {
	e := &memory{}
	config := scale.Config{IdleToOne: 30 * time.Second, IdleToZero: 15 * time.Minute}
	run(t, e, config, func(t *testing.T, s *scale.Scaler) {
		s.Set(revision, scale.Limits{Max: 5})
		a, b, c := mustAcquire(t, s), mustAcquire(t, s), mustAcquire(t, s)
		s.Release(a)
		time.Sleep(10 * time.Second)
		s.Release(b)
		time.Sleep(10 * time.Second)
		s.Release(c)

		time.Sleep(10*time.Second - 1)
		wantCounts(t, e, 3, 3)
		time.Sleep(1)
		wantCounts(t, e, 2, 3)
		time.Sleep(10 * time.Second)
		wantCounts(t, e, 1, 3)
		if got, want := e.gone(), []string{a.ID, b.ID}; !slices.Equal(got, want) {
			t.Errorf("stopped %v, want %v", got, want)
		}
		time.Sleep(15*time.Minute - 20*time.Second - 1)
		wantCounts(t, e, 1, 3)
		time.Sleep(1)
		wantCounts(t, e, 0, 3)
	})
}

func TestIdleTimerFollowsTheEarliestDeadline(t *testing.T) {
	e := &memory{}
	run(t, e, scale.Config{}, func(t *testing.T, s *scale.Scaler) {
		s.Set(revision, scale.Limits{Max: 5})
		// The first one alone sets the timer to 15 minutes.
		a := mustAcquire(t, s)
		s.Release(a)
		synctest.Wait()
		a, b := mustAcquire(t, s), mustAcquire(t, s)
		synctest.Wait()
		s.Release(a)
		s.Release(b)
		time.Sleep(scale.DefaultIdleToOne)
		wantCounts(t, e, 1, 2)
	})
}

func TestMinimumIsKept(t *testing.T) {
	e := &memory{}
	run(t, e, scale.Config{}, func(t *testing.T, s *scale.Scaler) {
		s.Set(revision, scale.Limits{Min: 2, Max: 5})
		wantCounts(t, e, 2, 2)
		time.Sleep(time.Hour)
		wantCounts(t, e, 2, 2)
		e.become("i1", engine.Gone, "exit status 1")
		wantCounts(t, e, 1, 2)
		time.Sleep(time.Second)
		wantCounts(t, e, 2, 3)
		s.Set(revision, scale.Limits{Max: 5})
		wantCounts(t, e, 1, 3)
		time.Sleep(time.Hour)
		wantCounts(t, e, 0, 3)
	})
}

func TestMinimumPausesInACrashLoop(t *testing.T) {
	e := &memory{crash: "exit status 1"}
	run(t, e, scale.Config{}, func(t *testing.T, s *scale.Scaler) {
		s.Set(revision, scale.Limits{Min: 1, Max: 5})
		// At 0, 1, 3, 7, 15, 31 and 63 seconds.
		time.Sleep(63 * time.Second)
		wantCounts(t, e, 0, 7)
		time.Sleep(10 * time.Minute)
		wantCounts(t, e, 0, 17)
	})
}

func TestPauseIsForgottenAfterAGoodWhile(t *testing.T) {
	e := &memory{}
	run(t, e, scale.Config{}, func(t *testing.T, s *scale.Scaler) {
		s.Set(revision, scale.Limits{Min: 1, Max: 5})
		for i := range 10 {
			time.Sleep(2 * time.Minute)
			e.become(fmt.Sprintf("i%d", i+1), engine.Gone, "exit status 1")
			time.Sleep(time.Second)
			wantCounts(t, e, 1, i+2)
		}
	})
}

func TestDiscardStopsTheInstance(t *testing.T) {
	e := &memory{}
	run(t, e, scale.Config{}, func(t *testing.T, s *scale.Scaler) {
		s.Set(revision, scale.Limits{Max: 1})
		s.Discard(mustAcquire(t, s))
		wantCounts(t, e, 0, 1)
		if got := mustAcquire(t, s); got.ID != "i2" {
			t.Errorf("Acquire() after Discard = %q, want another instance", got.ID)
		}
	})
}

func TestWarm(t *testing.T) {
	e := &memory{manual: true}
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

func TestWarmFails(t *testing.T) {
	e := &memory{crash: "Cannot find module 'x'"}
	run(t, e, scale.Config{}, func(t *testing.T, s *scale.Scaler) {
		s.Set(revision, scale.Limits{Max: 5})
		err := s.Warm(t.Context(), revision)
		var failed *scale.StartError
		if !errors.As(err, &failed) || failed.Reason != e.crash {
			t.Errorf("Warm() = %v, want a StartError with the reason", err)
		}
		time.Sleep(time.Hour)
		wantCounts(t, e, 0, 1)
	})
}

func TestRetire(t *testing.T) {
	e := &memory{}
	run(t, e, scale.Config{}, func(t *testing.T, s *scale.Scaler) {
		s.Set(revision, scale.Limits{Min: 1, Max: 2})
		busy, idle := mustAcquire(t, s), mustAcquire(t, s)
		waiting := acquireLater(t.Context(), s)
		forgotten := s.Retire(revision)
		if _, err := s.Acquire(t.Context(), revision); !errors.Is(err, scale.ErrUnknownRevision) {
			t.Errorf("Acquire() of a retired revision = %v, want %v", err, scale.ErrUnknownRevision)
		}
		s.Release(idle)
		synctest.Wait()
		if waiting.instance != idle {
			t.Fatalf("the call that waited got %+v", waiting)
		}
		s.Release(waiting.instance)
		wantCounts(t, e, 1, 2)
		select {
		case <-forgotten:
			t.Fatal("the revision is forgotten while a call is served")
		default:
		}
		s.Release(busy)
		<-forgotten
		wantCounts(t, e, 0, 2)
		if got := e.forgotten(); !slices.Equal(got, []string{revision}) {
			t.Errorf("engine deleted %v, want %v", got, revision)
		}
	})
}

// TestRetireWaitsForTheLastInstance asks that an instance that was asked to go
// may take its time before the engine deletes the revision under it.
func TestRetireWaitsForTheLastInstance(t *testing.T) {
	e := &memory{lingering: true}
	run(t, e, scale.Config{}, func(t *testing.T, s *scale.Scaler) {
		s.Set(revision, scale.Limits{Max: 2})
		s.Release(mustAcquire(t, s))
		forgotten := s.Retire(revision)
		wantCounts(t, e, 0, 1)
		if got := e.forgotten(); len(got) > 0 {
			t.Errorf("engine deleted %v before the instance was gone", got)
		}
		e.become("i1", engine.Gone, "")
		<-forgotten
	})
}

func TestRetireOfAnUnknownRevision(t *testing.T) {
	e := &memory{}
	run(t, e, scale.Config{}, func(_ *testing.T, s *scale.Scaler) { <-s.Retire(revision) })
}

func TestRemove(t *testing.T) {
	e := &memory{}
	run(t, e, scale.Config{}, func(t *testing.T, s *scale.Scaler) {
		s.Set(revision, scale.Limits{Max: 1})
		in := mustAcquire(t, s)
		waiting := acquireLater(t.Context(), s)
		if err := s.Remove(t.Context(), revision); err != nil {
			t.Fatalf("Remove() = %v", err)
		}
		synctest.Wait()
		if !errors.Is(waiting.err, scale.ErrUnknownRevision) {
			t.Errorf("the call that waited got %v, want %v", waiting.err, scale.ErrUnknownRevision)
		}
		s.Release(in)
		wantCounts(t, e, 0, 1)
		if _, err := s.Acquire(t.Context(), revision); !errors.Is(err, scale.ErrUnknownRevision) {
			t.Errorf("Acquire() after Remove = %v, want %v", err, scale.ErrUnknownRevision)
		}
	})
}

func TestEngineFailure(t *testing.T) {
	e := &memory{}
	run(t, e, scale.Config{}, func(t *testing.T, s *scale.Scaler) {
		e.breakDown(errors.New("no more processes"))
		s.Set(revision, scale.Limits{Max: 1})
		var failed *scale.StartError
		if _, err := s.Acquire(t.Context(), revision); !errors.As(err, &failed) {
			t.Fatalf("Acquire() = %v, want a StartError", err)
		}
		e.breakDown(nil)
		if got := mustAcquire(t, s); got.ID != "i1" {
			t.Errorf("Acquire() = %q, want i1", got.ID)
		}
	})
}

func TestEngineFailureIsMadeUpFor(t *testing.T) {
	e := &memory{}
	run(t, e, scale.Config{}, func(t *testing.T, s *scale.Scaler) {
		s.Set(revision, scale.Limits{Max: 1})
		s.Release(mustAcquire(t, s))
		synctest.Wait()
		e.breakDown(errors.New("cannot be reached"))
		time.Sleep(scale.DefaultIdleToZero)
		wantCounts(t, e, 1, 1)
		e.breakDown(nil)
		time.Sleep(time.Second)
		wantCounts(t, e, 0, 1)
	})
}

func TestRunEndsWithTheEngine(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		e := &memory{manual: true}
		e.open()
		s := scale.New(e, scale.Config{}, slog.New(slog.DiscardHandler))
		s.Set(revision, scale.Limits{Max: 1})
		ended := make(chan error)
		go func() { ended <- s.Run(t.Context()) }()
		waiting := acquireLater(t.Context(), s)
		close(e.events)
		if err := <-ended; err == nil {
			t.Error("Run() = nil, want an error")
		}
		synctest.Wait()
		if !errors.Is(waiting.err, scale.ErrClosed) {
			t.Errorf("the call that waited got %v, want %v", waiting.err, scale.ErrClosed)
		}
		if _, err := s.Acquire(t.Context(), revision); !errors.Is(err, scale.ErrClosed) {
			t.Errorf("Acquire() = %v, want %v", err, scale.ErrClosed)
		}
	})
}

// TestManyCallers has more callers than instances, which give up, crash and
// time out, and asks that no instance is ever handed to two of them.
func TestManyCallers(t *testing.T) {
	e := &memory{}
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
						t.Errorf("%d callers hold %s", n, in.ID)
					}
					time.Sleep(time.Duration((i+j)%5) * time.Millisecond)
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
		time.Sleep(time.Hour)
		if live, _ := e.counts(); live != 0 {
			t.Errorf("engine has %d instances after an hour of silence, want none", live)
		}
	})
}

func BenchmarkAcquireIdle(b *testing.B) {
	e := &memory{}
	e.open()
	s := scale.New(e, scale.Config{}, slog.New(slog.DiscardHandler))
	s.Set(revision, scale.Limits{Max: 1})
	go func() { _ = s.Run(b.Context()) }()
	b.ReportAllocs()
	for b.Loop() {
		in, err := s.Acquire(b.Context(), revision)
		if err != nil {
			b.Fatal(err)
		}
		s.Release(in)
	}
}
