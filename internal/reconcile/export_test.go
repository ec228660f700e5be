package reconcile

import (
	"context"
	"time"
)

// Turns are the places that builds wait for.
type Turns struct{ t *turns }

// NewTurns returns so many places, of which a project may have at most so many.
func NewTurns(places, most int) Turns { return Turns{newTurns(places, most)} }

// Take waits for a place.
func (t Turns) Take(ctx context.Context, project string, first bool) (give func(), err error) {
	return t.t.take(ctx, project, first)
}

// Waiting returns how many wait for a place of a project.
func (t Turns) Waiting(project string) int {
	t.t.mu.Lock()
	defer t.t.mu.Unlock()
	return len(t.t.waiting[project])
}

// ErrTime ends a build that takes longer than it may.
var ErrTime = errTime

// NewBudget returns a context that ends when the time is up, and how to stop and
// resume the counting.
func NewBudget(ctx context.Context, limit time.Duration) (limited context.Context, pause, resume, end func()) {
	ctx, b := newBudget(ctx, limit)
	return ctx, b.pause, b.resume, b.end
}
