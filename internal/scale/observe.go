package scale

import (
	"time"

	"github.com/jeton-dev/jeton/internal/engine"
)

// begin takes in an instance that the engine reports for the first time.
func (r *revision) begin(id string, now time.Time) *Instance {
	in := &Instance{ID: id, revision: r, phase: starting, begunAt: now}
	r.instances[id] = in
	r.starting++
	r.pending = max(r.pending-1, 0)
	return in
}

// becomeReady takes in that an instance serves, and tells whether it was
// starting until now, and whether a call has waited for it.
func (r *revision) becomeReady(in *Instance, address string, now time.Time) (started, cold bool) {
	if in.phase != starting {
		return false, false
	}
	r.starting--
	in.Address = address
	in.readyAt = now
	r.endWarming(nil)
	r.offer(in, now)
	return true, in.phase == busy
}

// end takes in that an instance is gone, and returns why if it did not go because
// it was asked to. One that crashed may have been asked by then, by the call
// that the crash has cut short.
func (r *revision) end(in *Instance, event engine.Event, now time.Time) string {
	before := in.phase
	r.leave(in)
	in.phase = gone
	delete(r.instances, in.ID)
	if before == leaving {
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
