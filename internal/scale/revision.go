package scale

import (
	"slices"
	"time"
)

// After an instance ended by itself, the minimum is restored after a pause. The
// pause doubles from shortestPause up to longestPause. An instance that was ready
// for longer than steady resets the pause.
const (
	shortestPause = time.Second
	longestPause  = time.Minute
	steady        = time.Minute
)

// A revision is the state of one revision. The Scaler's mutex guards it.
type revision struct {
	id      string
	limits  Limits
	retired bool
	// deleting means that the engine is deleting the revision.
	deleting bool
	// forgotten is closed when the engine has deleted the revision.
	forgotten chan struct{}

	// instances are the instances that the engine reported and that are not gone.
	instances map[string]*Instance
	// idle is a stack: the instance that became idle last serves next, so that the
	// others stay idle until they are stopped.
	idle []*Instance
	// leaving are the instances that are to be stopped.
	leaving []*Instance
	// starting, busy and departing count instances by phase.
	starting, busy, departing int
	// pending counts instances that were requested and are not reported yet.
	pending int
	// asked is the number that was requested last; -1 if that is unknown.
	asked int
	// discarded holds the IDs of instances to stop immediately.
	discarded []string
	// executing reports whether an order is being executed.
	executing bool

	// queue holds the calls that wait for an instance, the oldest first. While
	// there are any, idle is empty.
	queue []*waiter
	// warming are the callers of Warm that wait for the first ready instance.
	warming []*waiter

	// blockedSince is when the revision began to wait for memory; zero if it does
	// not wait.
	blockedSince time.Time

	// failures counts the instances that ended by themselves in a row.
	failures int
	// notBefore is when the minimum may be restored.
	notBefore time.Time
	// wakeAt is when timer fires; zero if it does not.
	wakeAt time.Time
	timer  *time.Timer
}

// A waiter receives one outcome.
type waiter struct{ outcome chan outcome }

type outcome struct {
	instance *Instance
	err      error
}

func newWaiter() *waiter { return &waiter{outcome: make(chan outcome, 1)} }

func newRevision(id string) *revision {
	return &revision{id: id, forgotten: make(chan struct{}), instances: map[string]*Instance{}}
}

// live counts the instances that serve or will serve.
func (r *revision) live() int { return r.notReady() + r.busy + len(r.idle) }

// notReady counts the instances that were requested or are starting.
func (r *revision) notReady() int { return r.pending + r.starting }

func (r *revision) ready() bool { return r.busy+len(r.idle) > 0 }

func (r *revision) state(now time.Time) state {
	s := state{
		now:       now,
		limits:    r.limits,
		waiting:   len(r.queue),
		warming:   len(r.warming) > 0,
		starting:  r.notReady(),
		busy:      r.busy,
		retired:   r.retired,
		notBefore: r.notBefore,
	}
	for _, in := range r.idle {
		s.idle = append(s.idle, in.idleSince)
	}
	return s
}

// take returns the instance that became idle last, as busy, or nil if none is
// idle.
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

// offer gives an instance to the oldest waiting call, or makes it idle.
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

// remove removes an instance from the counts of its phase.
func (r *revision) remove(in *Instance) {
	switch in.phase {
	case starting:
		r.starting--
	case idle:
		r.idle = slices.DeleteFunc(r.idle, func(other *Instance) bool { return other == in })
	case busy:
		r.busy--
	case departing:
		r.departing--
	case leaving:
		r.leaving = slices.DeleteFunc(r.leaving, func(other *Instance) bool { return other == in })
	}
}

// startFailed passes the error of a failed start to the callers of Warm and, if
// more calls wait than instances are starting, to the oldest call. So each failed
// start ends one call's waiting, and a revision that always crashes is started at
// most once per call.
func (r *revision) startFailed(err error) {
	r.endWarming(err)
	if len(r.queue) > r.notReady() {
		r.serveOldest(outcome{err: err})
	}
}

func (r *revision) endWarming(err error) {
	for _, w := range r.warming {
		w.outcome <- outcome{err: err}
	}
	r.warming = nil
}

// endWaiting passes an error to all that wait.
func (r *revision) endWaiting(err error) {
	r.endWarming(err)
	for len(r.queue) > 0 {
		r.serveOldest(outcome{err: err})
	}
}

// pause delays the restoring of the minimum.
func (r *revision) pause(now time.Time) {
	r.notBefore = now.Add(backoff(r.failures, shortestPause, longestPause))
	r.failures++
}
