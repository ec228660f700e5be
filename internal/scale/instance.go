package scale

import (
	"sync/atomic"
	"time"
)

// An Instance serves one call at a time: that of the caller it was handed to by
// Acquire, until Release or Discard.
type Instance struct {
	// ID is the engine's.
	ID string
	// Address is the path of the unix socket at which the instance serves.
	Address string

	// serving is the ID of the call that it serves, or has served last.
	serving atomic.Pointer[string]

	// What follows is guarded by the Scaler's mutex.
	revision *revision
	phase    phase
	// begunAt is when the engine began to start the instance, readyAt when it
	// became ready, idleSince when it last became idle.
	begunAt, readyAt, idleSince time.Time
}

// Serve notes the ID of the call that the instance serves from now on, for what it
// prints meanwhile.
func (in *Instance) Serve(requestID string) { in.serving.Store(&requestID) }

// Serving returns the ID of the call that an instance serves or has served last;
// empty if there was none, or the instance is not known.
func (s *Scaler) Serving(revisionID, instanceID string) string {
	s.mu.Lock()
	defer s.mu.Unlock()
	r := s.revisions[revisionID]
	if r == nil || r.instances[instanceID] == nil {
		return ""
	}
	if requestID := r.instances[instanceID].serving.Load(); requestID != nil {
		return *requestID
	}
	return ""
}

type phase int

const (
	starting phase = iota + 1
	idle
	busy
	// leaving: the engine is asked to stop the instance, and it counts no more.
	leaving
	gone
)
