package reconcile

import (
	"context"
	"sync"

	"github.com/jeton-dev/jeton/internal/functions"
)

// A key names an object that may need work.
type key struct{ kind, id string }

// A queue holds the keys of the objects that need work, each at most once, and
// never hands out a key that is being worked on.
type queue struct {
	mu      sync.Mutex
	waiting []key
	queued  map[key]bool
	running map[key]*run
	wake    chan struct{}
}

// A run is the work on one object that is under way.
type run struct {
	generation int64
	cancel     context.CancelFunc
	again      bool
}

func newQueue() *queue {
	return &queue{queued: map[key]bool{}, running: map[key]*run{}, wake: make(chan struct{}, 1)}
}

// add puts a key into the queue, or notes that it must be looked at again.
func (q *queue) add(k key) {
	q.mu.Lock()
	defer q.mu.Unlock()
	if r := q.running[k]; r != nil {
		r.again = true
		return
	}
	if !q.queued[k] {
		q.queued[k] = true
		q.waiting = append(q.waiting, k)
		q.signal()
	}
}

func (q *queue) signal() {
	select {
	case q.wake <- struct{}{}:
	default:
	}
}

// take waits for a key and begins the work on it. It returns false when ctx
// has ended.
func (q *queue) take(ctx context.Context) (key, context.Context, bool) {
	for {
		if k, work, ok := q.next(ctx); ok {
			return k, work, true
		}
		select {
		case <-q.wake:
		case <-ctx.Done():
			return key{}, nil, false
		}
	}
}

func (q *queue) next(ctx context.Context) (key, context.Context, bool) {
	q.mu.Lock()
	defer q.mu.Unlock()
	if len(q.waiting) == 0 || ctx.Err() != nil {
		return key{}, nil, false
	}
	k := q.waiting[0]
	q.waiting = q.waiting[1:]
	delete(q.queued, k)
	if len(q.waiting) > 0 {
		q.signal()
	}
	work, cancel := context.WithCancel(ctx)
	q.running[k] = &run{cancel: cancel}
	return k, work, true
}

// done ends the work on a key, and queues it again if it changed meanwhile.
func (q *queue) done(k key) {
	q.mu.Lock()
	r := q.running[k]
	delete(q.running, k)
	q.mu.Unlock()
	r.cancel()
	if r.again {
		q.add(k)
	}
}

// working notes which generation of a function the work on it is for.
func (q *queue) working(k key, generation int64) {
	q.mu.Lock()
	defer q.mu.Unlock()
	if r := q.running[k]; r != nil {
		r.generation = generation
	}
}

// supersede cuts short the work on a function for which there is other work
// to do now.
func (q *queue) supersede(f functions.Function) {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.cancelOutdated(f)
}

// cancelOutdated cuts short the work on an older deployment of a function. The
// caller holds mu.
func (q *queue) cancelOutdated(f functions.Function) {
	r := q.running[key{functionKind, f.ID}]
	if r != nil && r.generation != 0 && (r.generation != f.Generation || f.Status == functions.Deleting) {
		r.cancel()
	}
}

// replace puts other keys in the place of those that wait. It cuts short the work
// on functions that are not among all, and on older deployments of those that are.
func (q *queue) replace(waiting []key, all map[string]functions.Function) {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.waiting, q.queued = nil, map[key]bool{}
	for k, r := range q.running {
		if _, exists := all[k.id]; k.kind == functionKind && !exists {
			r.cancel()
		}
	}
	for _, f := range all {
		q.cancelOutdated(f)
	}
	for _, k := range waiting {
		if r := q.running[k]; r != nil {
			r.again = true
			continue
		}
		q.queued[k] = true
		q.waiting = append(q.waiting, k)
	}
	q.signal()
}
