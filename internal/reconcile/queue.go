package reconcile

import (
	"context"
	"maps"
	"sync"
	"time"

	"github.com/cenkalti/backoff/v5"

	"github.com/jeton-dev/jeton/internal/functions"
)

// The delays before retries of failed work: the first one, the longest one, and by
// which fraction each is randomized, so that objects that failed together are not
// retried together.
const (
	firstRetry  = time.Second
	lastRetry   = time.Minute
	retryJitter = 0.2
)

// A key identifies an object.
type key struct{ kind, id string }

// A queue holds the keys of objects that need work, each at most once. It does not
// return a key while the object is being worked on. All methods are safe for
// concurrent use.
type queue struct {
	mu      sync.Mutex
	waiting []key
	queued  map[key]bool
	running map[key]*run
	// delayed are keys that are added after a while.
	delayed map[key]*time.Timer
	// retries are the delays of objects whose last work failed.
	retries map[key]*backoff.ExponentialBackOff
	wake    chan struct{}
	closed  bool
}

// A run is work on one object that is in progress.
type run struct {
	generation int64
	cancel     context.CancelFunc
	again      bool
}

func newQueue() *queue {
	return &queue{
		queued: map[key]bool{}, running: map[key]*run{}, delayed: map[key]*time.Timer{},
		retries: map[key]*backoff.ExponentialBackOff{}, wake: make(chan struct{}, 1),
	}
}

// add queues a key. If the object is being worked on, it is queued when that has
// ended.
func (q *queue) add(k key) {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.undelay(k)
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

// addAfter queues a key after a while, unless it is added before.
func (q *queue) addAfter(k key, after time.Duration) {
	q.mu.Lock()
	defer q.mu.Unlock()
	if q.closed {
		return
	}
	q.undelay(k)
	q.delayed[k] = time.AfterFunc(after, func() { q.add(k) })
}

func (q *queue) undelay(k key) {
	if timer := q.delayed[k]; timer != nil {
		timer.Stop()
		delete(q.delayed, k)
	}
}

// retry queues a key after a delay, which grows with each retry up to a limit until
// forget is called. It returns the delay.
func (q *queue) retry(k key) time.Duration {
	q.mu.Lock()
	b := q.retries[k]
	if b == nil {
		b = &backoff.ExponentialBackOff{InitialInterval: firstRetry, MaxInterval: lastRetry, Multiplier: 2, RandomizationFactor: retryJitter}
		q.retries[k] = b
	}
	delay := b.NextBackOff()
	q.mu.Unlock()
	q.addAfter(k, delay)
	return delay
}

// forget makes the next retry of a key start with the first delay again.
func (q *queue) forget(k key) {
	q.mu.Lock()
	defer q.mu.Unlock()
	delete(q.retries, k)
}

// close drops the keys that are delayed. Later ones are dropped too.
func (q *queue) close() {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.closed = true
	for k := range q.delayed {
		q.undelay(k)
	}
}

func (q *queue) signal() {
	select {
	case q.wake <- struct{}{}:
	default:
	}
}

// take waits for a key and starts work on it, with a context that supersede cancels.
// It returns false when ctx has ended. The caller calls done.
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

// done ends the work on a key, and queues it again if it was added meanwhile.
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

// setGeneration records the generation of the function that is being worked on.
func (q *queue) setGeneration(k key, generation int64) {
	q.mu.Lock()
	defer q.mu.Unlock()
	if r := q.running[k]; r != nil {
		r.generation = generation
	}
}

// supersede cancels the work on a function if that is for another generation, or if
// the function is being deleted.
func (q *queue) supersede(f functions.Function) {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.cancelOutdated(f)
}

// cancelOutdated cancels the work on an older deployment of a function, or on a
// function that is being deleted. The caller holds mu.
func (q *queue) cancelOutdated(f functions.Function) {
	r := q.running[key{functionKind, f.ID}]
	if r != nil && r.generation != 0 && (r.generation != f.Generation || f.Status == functions.Deleting) {
		r.cancel()
	}
}

// replace queues other keys in place of those that wait or are delayed. It cancels
// the work on functions that are not in all, and on older deployments.
func (q *queue) replace(waiting []key, all map[string]functions.Function) {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.waiting, q.queued = nil, map[key]bool{}
	for k := range q.delayed {
		q.undelay(k)
	}
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
	maps.DeleteFunc(q.retries, func(k key, _ *backoff.ExponentialBackOff) bool { return !q.queued[k] && q.running[k] == nil })
	q.signal()
}
