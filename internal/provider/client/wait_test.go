package client_test

import (
	"context"
	"errors"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"github.com/jeton-dev/jeton/internal/provider/client"
)

func TestPoll_PausesGrowFromMillisecondsTo5s(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		var pauses []time.Duration
		last := time.Now()
		_, err := client.Poll(t.Context(), func() (int, bool, error) {
			pauses = append(pauses, time.Since(last))
			last = time.Now()
			return 0, len(pauses) == 14, nil
		})
		if err != nil {
			t.Fatal(err)
		}
		if pauses[0] > 100*time.Millisecond {
			t.Errorf("first pause %s, want at most 100ms", pauses[0])
		}
		if !slices.IsSorted(pauses) {
			t.Errorf("the pauses do not grow: %v", pauses)
		}
		if longest := pauses[len(pauses)-1]; longest != 5*time.Second {
			t.Errorf("longest pause %s, want 5s", longest)
		}
	})
}

func TestPoll_EndsWithContext(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
		defer cancel()
		begin := time.Now()
		_, err := client.Poll(ctx, func() (int, bool, error) { return 0, false, nil })
		if !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("got error %v, want context.DeadlineExceeded", err)
		}
		if took := time.Since(begin); took != time.Minute {
			t.Errorf("took %s, want 1m", took)
		}
	})
}

func TestPoll_EndsWithFirstError(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		broken := errors.New("broken")
		calls := 0
		_, err := client.Poll(t.Context(), func() (int, bool, error) {
			calls++
			return 0, false, broken
		})
		if !errors.Is(err, broken) || calls != 1 {
			t.Errorf("got error %v after %d calls, want %v after 1", err, calls, broken)
		}
	})
}
