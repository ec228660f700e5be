package scale

import (
	"sync"
	"time"

	"github.com/jeton-dev/jeton/internal/engine"
)

// An Instance serves one call at a time: that of the caller to whom Acquire
// returned it, until Release or Discard.
type Instance struct {
	// ID is the engine's ID of the instance.
	ID string
	// Address is where the instance serves.
	Address engine.Address

	// callMu guards callID, the ID of the current or last call.
	callMu sync.Mutex
	callID string

	// The Scaler's mutex guards the following fields.
	revision *revision
	phase    phase
	// cold reports whether the current call waited for the start of the instance. It
	// does not change while the call has the instance.
	cold bool
	// stopping reports whether the engine was requested to stop the instance.
	stopping bool
	// startedAt is when the engine reported the instance first, readyAt when it
	// became ready, idleSince when it last became idle.
	startedAt, readyAt, idleSince time.Time
}

// Serve records the ID of the call that the instance serves from now on, to which
// its output is attributed.
func (in *Instance) Serve(requestID string) {
	in.callMu.Lock()
	in.callID = requestID
	in.callMu.Unlock()
}

// Cold reports whether the call that has the instance waited for its start.
func (in *Instance) Cold() bool { return in.cold }

// Serving returns the ID of the current or last call of an instance, or "" if
// there was none or the instance is unknown.
func (s *Scaler) Serving(revisionID, instanceID string) string {
	s.mu.Lock()
	var in *Instance
	if r := s.revisions[revisionID]; r != nil {
		in = r.instances[instanceID]
	}
	s.mu.Unlock()
	if in == nil {
		return ""
	}
	in.callMu.Lock()
	defer in.callMu.Unlock()
	return in.callID
}

// phase is the state of an instance within the Scaler.
type phase int

const (
	starting phase = iota + 1
	idle
	busy
	// departing instances serve their last call, and do not count.
	departing
	// leaving instances are to be stopped, and do not count.
	leaving
	gone
)

// begin adds an instance that the engine reports for the first time.
func (r *revision) begin(id string, now time.Time) *Instance {
	in := &Instance{ID: id, revision: r, phase: starting, startedAt: now}
	r.instances[id] = in
	r.starting++
	r.pending = max(r.pending-1, 0)
	return in
}

// becomeReady makes a starting instance available, and reports whether it was
// starting and whether a call waited for it.
func (r *revision) becomeReady(in *Instance, address engine.Address, now time.Time) (started, cold bool) {
	if in.phase != starting {
		return false, false
	}
	r.starting--
	in.Address = address
	in.readyAt = now
	r.endWarming(nil)
	// The waiting call reads it as soon as it has the instance.
	in.cold = len(r.queue) > 0
	r.offer(in, now)
	return true, in.cold
}

// depart makes an instance that the engine ends soon serve no more than its present call.
func (r *revision) depart(in *Instance) {
	switch in.phase {
	case busy:
		r.remove(in)
		in.phase = departing
		r.departing++
	case starting, idle:
		r.remove(in)
		r.leave(in)
	}
}

// leave makes an instance that serves no call one to be stopped.
func (r *revision) leave(in *Instance) {
	in.phase = leaving
	r.leaving = append(r.leaving, in)
}

// end removes an instance that is gone, and returns the reason unless the
// instance ended because it was stopped. An instance that crashed has a reason
// even if it was stopped meanwhile because the crash broke its call.
func (r *revision) end(in *Instance, event engine.Event, now time.Time) string {
	before := in.phase
	r.remove(in)
	in.phase = gone
	delete(r.instances, in.ID)
	if before == leaving || before == departing {
		return event.Reason
	}
	reason := event.Reason
	if reason == "" {
		reason = "it was stopped"
	}
	if !in.readyAt.IsZero() && now.Sub(in.readyAt) > steady {
		r.failures = 0
	}
	r.pause(now)
	if before == starting {
		r.startFailed(&StartError{Reason: reason})
	}
	return reason
}
