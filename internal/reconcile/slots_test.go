package reconcile_test

import (
	"context"
	"errors"
	"slices"
	"sync"
	"testing"
	"testing/synctest"

	"github.com/jeton-dev/jeton/internal/reconcile"
)

func acquire(t *testing.T, slots reconcile.Slots, project string) (release func()) {
	t.Helper()
	release, err := slots.Acquire(t.Context(), project, false)
	if err != nil {
		t.Fatal(err)
	}
	return release
}

func TestSlots_BusyProjectLeavesSlotsForOthers(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		slots := reconcile.NewSlots(4, 2)
		ctx, cancel := context.WithCancel(t.Context())
		defer cancel()
		for range 10 {
			go func() { _, _ = slots.Acquire(ctx, "busy", false) }()
		}
		synctest.Wait()
		if waiting := slots.Waiting("busy"); waiting != 8 {
			t.Errorf("got %d waiters of the busy project, want 8 of 10", waiting)
		}
		acquire(t, slots, "idle")()
		acquire(t, slots, "other")()
	})
}

func TestSlots_ServeProjectsInTurn(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		slots := reconcile.NewSlots(1, 1)
		release := acquire(t, slots, "a")
		var mu sync.Mutex
		var order []string
		for _, project := range []string{"a", "a", "a", "b", "b", "c"} {
			go func() {
				release, err := slots.Acquire(t.Context(), project, false)
				if err != nil {
					t.Error(err)
				}
				mu.Lock()
				order = append(order, project)
				mu.Unlock()
				release()
			}()
			synctest.Wait()
		}
		release()
		synctest.Wait()
		if want := []string{"a", "b", "c", "a", "b", "a"}; !slices.Equal(order, want) {
			t.Errorf("got order %v, want %v", order, want)
		}
	})
}

func TestSlots_ServeFirstBeforeOthersOfTheProject(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		slots := reconcile.NewSlots(1, 1)
		release := acquire(t, slots, "a")
		var order []string
		for i, first := range []bool{false, true} {
			go func() {
				release, err := slots.Acquire(t.Context(), "a", first)
				if err != nil {
					t.Error(err)
				}
				order = append(order, []string{"new", "returning"}[i])
				release()
			}()
			synctest.Wait()
		}
		release()
		synctest.Wait()
		if want := []string{"returning", "new"}; !slices.Equal(order, want) {
			t.Errorf("got order %v, want %v", order, want)
		}
	})
}

func TestSlots_SkipCanceledWaiters(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		slots := reconcile.NewSlots(1, 1)
		release := acquire(t, slots, "a")
		superseded := errors.New("superseded")
		ctx, cancel := context.WithCancelCause(t.Context())
		ended := make(chan error, 1)
		go func() {
			_, err := slots.Acquire(ctx, "b", false)
			ended <- err
		}()
		synctest.Wait()
		cancel(superseded)
		if err := <-ended; !errors.Is(err, superseded) {
			t.Errorf("got %v, want %v", err, superseded)
		}
		release()
		acquire(t, slots, "b")()
	})
}
