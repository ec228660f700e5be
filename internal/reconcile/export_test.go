package reconcile

import (
	"context"
	"time"

	"github.com/jeton-dev/jeton/internal/scale"
)

// Slots exports slots for tests.
type Slots struct{ s *slots }

// NewSlots returns count slots. One project may have share of them.
func NewSlots(count, share int) Slots { return Slots{newSlots(count, share)} }

// Acquire waits for a slot.
func (s Slots) Acquire(ctx context.Context, project string, first bool) (release func(), err error) {
	return s.s.acquire(ctx, project, first)
}

// Waiting returns the number of waiters of a project.
func (s Slots) Waiting(project string) int {
	s.s.mu.Lock()
	defer s.s.mu.Unlock()
	return len(s.s.waiting[project])
}

// ErrTime ends a build that takes too long.
var ErrTime = errTime

// NewTimeBudget returns a context that ends when the time is used up, and the methods
// of its budget.
func NewTimeBudget(ctx context.Context, limit time.Duration) (limited context.Context, pause, resume, end func()) {
	ctx, b := newTimeBudget(ctx, limit)
	return ctx, b.pause, b.resume, b.end
}

// Queued returns the IDs of the objects that wait for work, in order.
func Queued(r *Reconciler) []string {
	r.queue.mu.Lock()
	defer r.queue.mu.Unlock()
	var ids []string
	for _, k := range r.queue.waiting {
		ids = append(ids, k.id)
	}
	return ids
}

// Work starts work on the next object, as of a generation, and returns its context.
func Work(r *Reconciler, generation int64) context.Context {
	k, work, _, _ := r.queue.take(context.Background())
	r.queue.setGeneration(k, generation)
	return work
}

// BeginWork starts work on the next object. The generation is known when loaded is
// called.
func BeginWork(r *Reconciler) (work context.Context, loaded func(generation int64)) {
	k, work, _, _ := r.queue.take(context.Background())
	return work, func(generation int64) { r.queue.setGeneration(k, generation) }
}

// NewForQueue returns a Reconciler that can only be used for its queue.
func NewForQueue() *Reconciler {
	owns := func(string) bool { return true }
	return &Reconciler{queue: newQueue(owns), homes: newHomes(owns, func(string, scale.Limits) {})}
}

// Parked returns the number of keys that wait until this node owns them.
func Parked(r *Reconciler) int {
	r.queue.mu.Lock()
	defer r.queue.mu.Unlock()
	return len(r.queue.parked)
}

// Idle reports whether no work is in progress.
func Idle(r *Reconciler) bool {
	r.queue.mu.Lock()
	defer r.queue.mu.Unlock()
	return len(r.queue.running) == 0
}
