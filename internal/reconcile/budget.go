package reconcile

import (
	"context"
	"errors"
	"sync"
	"time"
)

// errTime ends a build that takes longer than it may.
var errTime = errors.New("build takes too long")

// A budget is the time that a build may take. Time in which it waits for others is
// not counted.
type budget struct {
	cancel context.CancelCauseFunc

	mu    sync.Mutex
	timer *time.Timer
	// left is what is left of the time at began, when it was last counted from.
	left  time.Duration
	began time.Time
}

// newBudget returns a context that ends with errTime when the time is up. Call
// b.pause when it is no longer needed.
func newBudget(ctx context.Context, limit time.Duration) (context.Context, *budget) {
	ctx, cancel := context.WithCancelCause(ctx)
	b := &budget{cancel: cancel, left: limit}
	b.resume()
	return ctx, b
}

// pause stops the counting, until resume.
func (b *budget) pause() {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.timer.Stop() {
		b.left -= time.Since(b.began)
	}
}

func (b *budget) resume() {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.began = time.Now()
	b.timer = time.AfterFunc(b.left, func() { b.cancel(errTime) })
}

// end releases what the budget holds.
func (b *budget) end() {
	b.pause()
	b.cancel(nil)
}
