package reconcile_test

import (
	"context"
	"errors"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/jeton-dev/jeton/internal/reconcile"
)

func take(t *testing.T, turns reconcile.Turns, project string) func() {
	t.Helper()
	give, err := turns.Take(t.Context(), project, false)
	if err != nil {
		t.Fatal(err)
	}
	return give
}

// TestTurns_NoProjectWaitsForAllOfAnother has one project with many builds that never
// end: those of others are worked on all the same.
func TestTurns_NoProjectWaitsForAllOfAnother(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		turns := reconcile.NewTurns(4, 2)
		ctx, cancel := context.WithCancel(t.Context())
		defer cancel()
		for range 10 {
			go func() { _, _ = turns.Take(ctx, "greedy", false) }()
		}
		synctest.Wait()
		if waiting := turns.Waiting("greedy"); waiting != 8 {
			t.Errorf("%d builds of the greedy project wait, want 8 of 10", waiting)
		}
		take(t, turns, "modest")()
		take(t, turns, "other")()
	})
}

func TestTurns_GoRoundTheProjects(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		turns := reconcile.NewTurns(1, 1)
		first := take(t, turns, "a")
		var mu sync.Mutex
		var order []string
		wait := func(project string, before bool) {
			go func() {
				give, err := turns.Take(t.Context(), project, before)
				if err != nil {
					t.Error(err)
				}
				mu.Lock()
				order = append(order, project)
				mu.Unlock()
				give()
			}()
			synctest.Wait()
		}
		for _, project := range []string{"a", "a", "a", "b", "b", "c"} {
			wait(project, false)
		}
		first()
		synctest.Wait()
		if want := []string{"a", "b", "c", "a", "b", "a"}; !slices.Equal(order, want) {
			t.Errorf("the order is %v, want %v", order, want)
		}
	})
}

func TestTurns_ReturnBeforeOthersOfTheProject(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		turns := reconcile.NewTurns(1, 1)
		give := take(t, turns, "a")
		var order []string
		for i, first := range []bool{false, true} {
			go func() {
				give, err := turns.Take(t.Context(), "a", first)
				if err != nil {
					t.Error(err)
				}
				order = append(order, []string{"new", "returning"}[i])
				give()
			}()
			synctest.Wait()
		}
		give()
		synctest.Wait()
		if want := []string{"returning", "new"}; !slices.Equal(order, want) {
			t.Errorf("the order is %v, want %v", order, want)
		}
	})
}

func TestTurns_ForgetWhoNoLongerWaits(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		turns := reconcile.NewTurns(1, 1)
		give := take(t, turns, "a")
		gone := errors.New("superseded")
		ctx, cancel := context.WithCancelCause(t.Context())
		ended := make(chan error, 1)
		go func() {
			_, err := turns.Take(ctx, "b", false)
			ended <- err
		}()
		synctest.Wait()
		cancel(gone)
		if err := <-ended; !errors.Is(err, gone) {
			t.Errorf("Take() = %v, want %v", err, gone)
		}
		give()
		take(t, turns, "b")()
	})
}

func TestBudget_DoesNotCountWaiting(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		ctx, pause, resume, end := reconcile.NewBudget(t.Context(), time.Minute)
		defer end()
		after := func(d time.Duration) error {
			<-time.After(d)
			synctest.Wait()
			return context.Cause(ctx)
		}
		if err := after(50 * time.Second); err != nil {
			t.Fatal(err)
		}
		pause()
		if err := after(time.Hour); err != nil {
			t.Errorf("waiting was counted: %v", err)
		}
		resume()
		if err := after(9 * time.Second); err != nil {
			t.Errorf("the time is up early: %v", err)
		}
		if err := after(2 * time.Second); !errors.Is(err, reconcile.ErrTime) {
			t.Errorf("after its time the build ended with %v, want %v", err, reconcile.ErrTime)
		}
	})
}
