package reconcile

import (
	"context"
	"errors"
	"sync"
	"time"
)

// errTime ends a build that takes too long.
var errTime = errors.New("build takes too long")

// A timeBudget limits the time of a build, without the time in which it is paused.
type timeBudget struct {
	cancel context.CancelCauseFunc

	mu    sync.Mutex
	timer *time.Timer
	// left is the time that was left at resumed.
	left    time.Duration
	resumed time.Time
}

// newTimeBudget returns a context that ends with errTime when the time is used up.
// The caller calls end.
func newTimeBudget(ctx context.Context, limit time.Duration) (context.Context, *timeBudget) {
	ctx, cancel := context.WithCancelCause(ctx)
	b := &timeBudget{cancel: cancel, left: limit}
	b.resume()
	return ctx, b
}

// pause stops the clock until resume is called.
func (b *timeBudget) pause() {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.timer.Stop() {
		b.left -= time.Since(b.resumed)
	}
}

func (b *timeBudget) resume() {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.resumed = time.Now()
	b.timer = time.AfterFunc(b.left, func() { b.cancel(errTime) })
}

// end releases the resources of the budget and cancels its context.
func (b *timeBudget) end() {
	b.pause()
	b.cancel(nil)
}
