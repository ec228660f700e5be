// Package await waits for conditions and values that other goroutines, processes or
// servers bring about. All tests wait with it: a test that passes waits no longer
// than necessary, and a test that fails does so after Patience.
package await

import (
	"context"
	"fmt"
	"time"
)

// T is the part of testing.TB that the package uses. Rapid's own test type
// implements it, too.
type T interface {
	Helper()
	Fatalf(format string, arguments ...any)
}

// Patience is the longest that a wait takes. It is long because a busy machine must
// not fail a test.
const Patience = 3 * time.Minute

// pause is the time between two evaluations of a condition.
const pause = 5 * time.Millisecond

// Until waits until condition returns true, and returns an error if the context ends
// or Patience passes first. What describes the condition in the error, as a clause.
func Until(ctx context.Context, what string, condition func() bool) error {
	ctx, cancel := context.WithTimeout(ctx, Patience)
	defer cancel()
	tick := time.NewTicker(pause)
	defer tick.Stop()
	for !condition() {
		select {
		case <-tick.C:
		case <-ctx.Done():
			return fmt.Errorf("wait until %s: %w", what, context.Cause(ctx))
		}
	}
	return nil
}

// True waits until condition returns true, and fails the test if Patience passes
// first. What describes the condition, as a clause.
func True(t T, what string, condition func() bool) {
	t.Helper()
	if err := Until(context.Background(), what, condition); err != nil {
		t.Fatalf("%v", err)
	}
}

// Receive waits for a value from a channel, and fails the test if Patience passes
// first. What describes the value, as a noun.
func Receive[V any](t T, what string, from <-chan V) V {
	t.Helper()
	ended := time.NewTimer(Patience)
	defer ended.Stop()
	select {
	case value := <-from:
		return value
	case <-ended.C:
		t.Fatalf("wait for %s: no value after %v", what, Patience)
		panic("not reached")
	}
}
