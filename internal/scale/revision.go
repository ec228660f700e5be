package scale

import (
	"slices"
	"time"
)

// The pause before a minimum is filled up again doubles from shortestPause with
// each instance that ends by itself, up to longestPause. An instance that lived
// longer than steady starts the doubling anew.
const (
	shortestPause = time.Second
	longestPause  = time.Minute
	steady        = time.Minute
)

// A revision is what the Scaler knows of one. It is guarded by the Scaler's mutex.
type revision struct {
	id      string
	limits  Limits
	retired bool
	// forgotten is closed when the engine has deleted the revision.
	forgotten chan struct{}

	// instances holds all that the engine reported and that are not gone.
	instances map[string]*Instance
	// idle is a stack: the last one to become idle serves next, so that the
	// others stay idle long enough to be stopped.
	idle           []*Instance
	leaving        []*Instance
	starting, busy int
	// pending counts instances asked for that the engine did not report yet.
	pending int
	// asked is the number that the engine was last asked for.
	asked int
	// discarded holds the IDs of instances to stop at once.
	discarded []string

	// queue holds the calls that wait for an instance, the oldest first.
	// Where it is not empty, idle is.
	queue []*waiter
	// warming are those who wait for the first instance to be ready.
	warming []*waiter

	// blockedSince is since when the revision waits for memory; zero if it does not.
	blockedSince time.Time

	// failures counts the instances that ended by themselves of late.
	failures  int
	notBefore time.Time
	// wakeAt is when timer fires; zero if it does not.
	wakeAt time.Time
	timer  *time.Timer
}

// A waiter is told once how its waiting ended.
type waiter struct{ outcome chan outcome }

type outcome struct {
	instance *Instance
	err      error
}

func newWaiter() *waiter { return &waiter{outcome: make(chan outcome, 1)} }

func newRevision(id string) *revision {
	return &revision{id: id, forgotten: make(chan struct{}), instances: map[string]*Instance{}}
}

// live counts the instances that serve or will.
func (r *revision) live() int { return r.coming() + r.busy + len(r.idle) }

func (r *revision) coming() int { return r.pending + r.starting }

func (r *revision) ready() bool { return r.busy+len(r.idle) > 0 }

func (r *revision) state(now time.Time) state {
	s := state{
		now:       now,
		limits:    r.limits,
		waiting:   len(r.queue),
		warming:   len(r.warming) > 0,
		coming:    r.coming(),
		busy:      r.busy,
		retired:   r.retired,
		notBefore: r.notBefore,
	}
	for _, in := range r.idle {
		s.idle = append(s.idle, in.idleSince)
	}
	return s
}

// take returns the instance that was idle for the shortest time, as busy, or nil.
func (r *revision) take() *Instance {
	last := len(r.idle) - 1
	if last < 0 {
		return nil
	}
	in := r.idle[last]
	r.idle[last] = nil
	r.idle = r.idle[:last]
	r.busy++
	in.phase = busy
	return in
}

// offer gives an instance to the oldest call that waits, or makes it idle.
func (r *revision) offer(in *Instance, now time.Time) {
	if len(r.queue) > 0 {
		r.busy++
		in.phase = busy
		r.serveOldest(outcome{instance: in})
		return
	}
	in.phase = idle
	in.idleSince = now
	r.idle = append(r.idle, in)
}

func (r *revision) serveOldest(o outcome) {
	w := r.queue[0]
	r.queue[0] = nil
	r.queue = r.queue[1:]
	w.outcome <- o
}

// leave takes an instance out of what counts.
func (r *revision) leave(in *Instance) {
	switch in.phase {
	case starting:
		r.starting--
	case idle:
		r.idle = slices.DeleteFunc(r.idle, func(other *Instance) bool { return other == in })
	case busy:
		r.busy--
	case leaving:
		r.leaving = slices.DeleteFunc(r.leaving, func(other *Instance) bool { return other == in })
	}
}

// startFailed tells those who counted on a start that it failed: whoever warms
// the revision, and the oldest call if fewer instances are coming than calls
// wait. So each start that fails ends one call's waiting, and a revision that
// always crashes is started once for each call and no more.
func (r *revision) startFailed(err error) {
	r.endWarming(err)
	if len(r.queue) > r.coming() {
		r.serveOldest(outcome{err: err})
	}
}

func (r *revision) endWarming(err error) {
	for _, w := range r.warming {
		w.outcome <- outcome{err: err}
	}
	r.warming = nil
}

// endWaiting ends all waiting for the revision.
func (r *revision) endWaiting(err error) {
	r.endWarming(err)
	for len(r.queue) > 0 {
		r.serveOldest(outcome{err: err})
	}
}

// pause holds back the instances that nobody waits for.
func (r *revision) pause(now time.Time) {
	pause := longestPause
	if r.failures < 6 {
		pause = min(shortestPause<<r.failures, longestPause)
	}
	r.failures++
	r.notBefore = now.Add(pause)
}
