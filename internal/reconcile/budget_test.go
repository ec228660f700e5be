package reconcile_test

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"
	"time"

	"github.com/jeton-dev/jeton/internal/reconcile"
)

func TestTimeBudget_ExcludesPauses(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		ctx, pause, resume, end := reconcile.NewTimeBudget(t.Context(), time.Minute)
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
			t.Errorf("got %v during a pause, want nil", err)
		}
		resume()
		if err := after(9 * time.Second); err != nil {
			t.Errorf("got %v after 59 seconds, want nil", err)
		}
		if err := after(2 * time.Second); !errors.Is(err, reconcile.ErrTime) {
			t.Errorf("got %v after 61 seconds, want %v", err, reconcile.ErrTime)
		}
	})
}
