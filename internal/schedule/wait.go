package schedule

import (
	"context"
	"time"
)

// maxWait is the longest time for which Run waits without looking at the clock again,
// because the system's clock may be set.
const maxWait = time.Minute

// wake ends a wait that receives from changed.
func wake(changed chan<- struct{}) {
	select {
	case changed <- struct{}{}:
	default:
	}
}

// wait returns after d, after wake, or when ctx ends.
func wait(ctx context.Context, d time.Duration, changed <-chan struct{}) {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
	case <-changed:
	case <-ctx.Done():
	}
}
