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

func TestDiscard_StopsTheInstance(t *testing.T) {
	e := &fakeEngine{}
	run(t, e, scale.Config{}, func(t *testing.T, s *scale.Scaler) {
		s.Set(revision, scale.Limits{Max: 1})
		s.Discard(mustAcquire(t, s))
		wantCounts(t, e, 0, 1)
		if got := mustAcquire(t, s); got.ID != "i2" {
			t.Errorf("Acquire() after Discard = %q, want another instance", got.ID)
		}
	})
}

func TestRetire_EndsAfterTheLastCall(t *testing.T) {
	e := &fakeEngine{}
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
			t.Fatalf("the waiting call got %+v, want the idle instance", waiting)
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

// TestRetire_WaitsForTheLastInstance leaves a victim running: the engine deletes the
// revision only after its end.
func TestRetire_WaitsForTheLastInstance(t *testing.T) {
	e := &fakeEngine{lingering: true}
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

func TestRetire_ReturnsAClosedChannelForAnUnknownRevision(t *testing.T) {
	e := &fakeEngine{}
	run(t, e, scale.Config{}, func(_ *testing.T, s *scale.Scaler) { <-s.Retire(revision) })
}

func TestRemove_EndsInstancesAndCalls(t *testing.T) {
	e := &fakeEngine{}
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

func TestEngineFailure_EndsWaitingCalls(t *testing.T) {
	e := &fakeEngine{}
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

func TestEngineFailure_IsRetried(t *testing.T) {
	e := &fakeEngine{}
	run(t, e, scale.Config{}, func(t *testing.T, s *scale.Scaler) {
		s.Set(revision, scale.Limits{Max: 1})
		s.Release(mustAcquire(t, s))
		synctest.Wait()
		e.breakDown(errors.New("cannot be reached"))
		pass(scale.DefaultIdleToZero)
		wantCounts(t, e, 1, 1)
		e.breakDown(nil)
		pass(time.Second)
		wantCounts(t, e, 0, 1)
	})
}

// TestEngineFailure_KillsVictimsBeforeNewRequests makes the engine fail to stop an
// instance, by SetScale or by Stop; then a call comes. The engine must not count that
// instance instead of the new one.
func TestEngineFailure_KillsVictimsBeforeNewRequests(t *testing.T) {
	tests := map[string]func(*scale.Scaler, *scale.Instance){
		"SetScale": func(s *scale.Scaler, in *scale.Instance) {
			s.Release(in)
			pass(scale.DefaultIdleToZero)
		},
		"Stop": func(s *scale.Scaler, in *scale.Instance) {
			s.Discard(in)
			synctest.Wait()
		},
	}
	for name, leave := range tests {
		t.Run(name, func(t *testing.T) {
			e := &fakeEngine{}
			run(t, e, scale.Config{}, func(t *testing.T, s *scale.Scaler) {
				s.Set(revision, scale.Limits{Max: 1})
				in := mustAcquire(t, s)
				e.breakDown(errors.New("cannot be reached"))
				leave(s, in)
				wantCounts(t, e, 1, 1)
				e.breakDown(nil)
				waiting := acquireLater(t.Context(), s)
				pass(time.Second)
				if waiting.instance == nil || waiting.instance.ID != "i2" {
					t.Errorf("the call got %+v, want the instance i2", waiting)
				}
				wantCounts(t, e, 1, 2)
			})
		})
	}
}

// TestRemove_IsRetried makes the engine fail to delete a revision. It is deleted
// later, and the channel of Retire is closed only then.
func TestRemove_IsRetried(t *testing.T) {
	tests := map[string]func(*testing.T, *scale.Scaler){
		"by Run": func(*testing.T, *scale.Scaler) { pass(2 * time.Second) },
		"by a second Remove": func(t *testing.T, s *scale.Scaler) {
			if err := s.Remove(t.Context(), revision); err != nil {
				t.Errorf("second Remove() = %v", err)
			}
		},
	}
	for name, again := range tests {
		t.Run(name, func(t *testing.T) {
			e := &fakeEngine{}
			run(t, e, scale.Config{}, func(t *testing.T, s *scale.Scaler) {
				s.Set(revision, scale.Limits{Max: 1})
				mustAcquire(t, s)
				forgotten := s.Retire(revision)
				e.breakDown(errors.New("cannot be reached"))
				if err := s.Remove(t.Context(), revision); err == nil {
					t.Error("Remove() = nil, want the engine's error")
				}
				synctest.Wait()
				select {
				case <-forgotten:
					t.Fatal("the revision is forgotten before the engine has deleted it")
				default:
				}
				e.breakDown(nil)
				again(t, s)
				synctest.Wait()
				select {
				case <-forgotten:
				default:
					t.Fatal("the revision is not forgotten")
				}
				wantCounts(t, e, 0, 1)
			})
		})
	}
}

// A function may come back to its home while its calls from before end.
func TestResume_AcceptsCallsAgain(t *testing.T) {
	e := &fakeEngine{}
	run(t, e, scale.Config{}, func(t *testing.T, s *scale.Scaler) {
		s.Set(revision, scale.Limits{Min: 1, Max: 2})
		busy := mustAcquire(t, s)
		forgotten := s.Retire(revision)
		synctest.Wait()
		if !s.Resume(revision) {
			t.Fatal("Resume() = false while a call is served")
		}
		s.Release(mustAcquire(t, s))
		s.Release(busy)
		synctest.Wait()
		if got := e.forgotten(); len(got) > 0 {
			t.Errorf("engine deleted %v after the revision was resumed", got)
		}
		if again := s.Retire(revision); again != forgotten {
			t.Error("the second Retire returned another channel")
		}
		<-forgotten
		if s.Resume(revision) {
			t.Error("Resume() = true for a revision that has ended")
		}
		wantCounts(t, e, 0, 2)
	})
}

// The engine is deleting the revision: it must be applied again.
func TestResume_RefusesRevisionThatIsBeingDeleted(t *testing.T) {
	e := &fakeEngine{}
	run(t, e, scale.Config{}, func(t *testing.T, s *scale.Scaler) {
		s.Set(revision, scale.Limits{Max: 1})
		s.Release(mustAcquire(t, s))
		time.Sleep(scale.DefaultIdleToZero + time.Second) // No instance is left.
		e.breakDown(errors.New("the engine is not available"))
		forgotten := s.Retire(revision)
		synctest.Wait()
		if s.Resume(revision) {
			t.Error("Resume() = true while the revision is being deleted")
		}
		e.breakDown(nil)
		<-forgotten
		if s.Resume(revision) {
			t.Error("Resume() = true for a revision that was deleted")
		}
	})
}
