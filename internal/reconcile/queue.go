package reconcile

import (
	"context"
	"maps"
	"math"
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
// return a key while the object is being worked on, or while another node owns the
// object. All methods are safe for concurrent use.
type queue struct {
	// owns reports whether this node does the work with an owner's key.
	owns func(owner string) bool

	mu      sync.Mutex
	waiting []key
	queued  map[key]bool
	running map[key]*run
	// pending has the owner's key of each object whose status asks for work, whichever
	// node does it.
	pending map[key]string
	// parked are keys that this node does not own.
	parked map[key]bool
	// delayed are keys that are added after a while.
	delayed map[key]*time.Timer
	// retries are the failures of objects whose last work failed.
	retries map[key]*failures
	wake    chan struct{}
	closed  bool
}

// A run is work on one object that is in progress.
type run struct {
	// generation is that of the deployment, or 0 until it is known.
	generation int64
	// newest is the newest generation of a change before generation was known. It is
	// math.MaxInt64 if the function is being deleted.
	newest int64
	cancel context.CancelFunc
	again  bool
	// owner is the owner's key when the work began.
	owner string
}

// failures are the consecutive failures of the work on one object.
type failures struct {
	backoff.ExponentialBackOff

	count int
	// generation is that of the deployment which failed last, or 0.
	generation int64
}

func newQueue(owns func(owner string) bool) *queue {
	return &queue{
		owns: owns, pending: map[key]string{}, parked: map[key]bool{},
		queued: map[key]bool{}, running: map[key]*run{}, delayed: map[key]*time.Timer{},
		retries: map[key]*failures{}, wake: make(chan struct{}, 1),
	}
}

// put queues the key of an object that needs work, whichever node does it.
func (q *queue) put(k key, owner string) {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.pending[k] = owner
	q.addLocked(k)
}

// drop forgets the key of an object that needs no work any more. Work on it that is in
// progress continues.
func (q *queue) drop(k key) {
	q.mu.Lock()
	defer q.mu.Unlock()
	delete(q.pending, k)
	delete(q.parked, k)
}

// add queues a key. If the object is being worked on, it is queued when that has ended.
func (q *queue) add(k key) {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.addLocked(k)
}

// addLocked is called with mu held.
func (q *queue) addLocked(k key) {
	q.undelay(k)
	delete(q.parked, k)
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
// forget is called. It returns the delay. The generation is that of the deployment that
// failed, or 0.
func (q *queue) retry(k key, generation int64) time.Duration {
	q.mu.Lock()
	b := q.retries[k]
	if b == nil {
		b = &failures{ExponentialBackOff: backoff.ExponentialBackOff{
			InitialInterval: firstRetry, MaxInterval: lastRetry, Multiplier: 2, RandomizationFactor: retryJitter,
		}}
		q.retries[k] = b
	}
	b.count++
	b.generation = generation
	delay := b.NextBackOff()
	q.mu.Unlock()
	q.addAfter(k, delay)
	return delay
}

// failures returns how often retry was called for a key since forget.
func (q *queue) failures(k key) int {
	q.mu.Lock()
	defer q.mu.Unlock()
	if b := q.retries[k]; b != nil {
		return b.count
	}
	return 0
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

// take waits for a key that this node owns and starts work on it, with a context that
// supersede and release cancel. It returns false when ctx has ended. The caller calls done.
func (q *queue) take(ctx context.Context) (k key, work context.Context, owner string, ok bool) {
	for {
		if k, work, owner, ok = q.next(ctx); ok {
			return k, work, owner, true
		}
		select {
		case <-q.wake:
		case <-ctx.Done():
			return key{}, nil, "", false
		}
	}
}

func (q *queue) next(ctx context.Context) (k key, work context.Context, owner string, ok bool) {
	q.mu.Lock()
	defer q.mu.Unlock()
	for len(q.waiting) > 0 && ctx.Err() == nil {
		k := q.waiting[0]
		q.waiting = q.waiting[1:]
		delete(q.queued, k)
		owner, pending := q.owner(k)
		if !q.owns(owner) {
			if pending {
				q.parked[k] = true
			}
			continue
		}
		if len(q.waiting) > 0 {
			q.signal()
		}
		work, cancel := context.WithCancel(ctx)
		q.running[k] = &run{cancel: cancel, owner: owner}
		return k, work, owner, true
	}
	return key{}, nil, "", false
}

// done ends the work on a key, and queues it again if it was added meanwhile. It
// returns the generation of the deployment that was worked on, or 0.
func (q *queue) done(k key) int64 {
	q.mu.Lock()
	r := q.running[k]
	delete(q.running, k)
	q.mu.Unlock()
	r.cancel()
	if r.again {
		q.add(k)
	}
	return r.generation
}

// setGeneration records the generation of the function that is being worked on. It
// cancels the work if a change has already superseded that generation.
func (q *queue) setGeneration(k key, generation int64) {
	q.mu.Lock()
	defer q.mu.Unlock()
	if r := q.running[k]; r != nil {
		r.generation = generation
		if r.newest > generation {
			r.cancel()
		}
	}
}

// supersede cancels the work on a function if that is for another generation, or if
// the function is being deleted. It reports whether the change needs no further work:
// the changes that a deployment makes to its function must not repeat it, and must not
// shorten the delay before it is retried.
func (q *queue) supersede(f functions.Function) (handled bool) {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.cancelOutdated(f)
	if f.Status != functions.Pending {
		return false
	}
	k := key{functionKind, f.ID}
	if r := q.running[k]; r != nil {
		return r.generation == f.Generation
	}
	failed := q.retries[k]
	return q.delayed[k] != nil && failed != nil && failed.generation == f.Generation
}

// cancelOutdated cancels the work on an older deployment of a function, or on a
// function that is being deleted. The caller holds mu.
func (q *queue) cancelOutdated(f functions.Function) {
	r := q.running[key{functionKind, f.ID}]
	switch {
	case r == nil:
	case r.generation == 0 && f.Status == functions.Deleting:
		r.newest = math.MaxInt64
	case r.generation == 0:
		r.newest = max(r.newest, f.Generation)
	case r.generation != f.Generation || f.Status == functions.Deleting:
		r.cancel()
	}
}

// An item is the key of an object that needs work, and that of its owner.
type item struct {
	key
	owner string
}

// replace queues other keys in place of those that wait or are delayed. It cancels
// the work on functions that are not in all, and on older deployments.
func (q *queue) replace(waiting []item, all map[string]functions.Function) {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.waiting, q.queued = nil, map[key]bool{}
	q.pending, q.parked = make(map[key]string, len(waiting)), map[key]bool{}
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
	for _, i := range waiting {
		k := i.key
		q.pending[k] = i.owner
		if r := q.running[k]; r != nil {
			r.again = true
			continue
		}
		q.queued[k] = true
		q.waiting = append(q.waiting, k)
	}
	maps.DeleteFunc(q.retries, func(k key, _ *failures) bool { return !q.queued[k] && q.running[k] == nil })
	q.signal()
}
