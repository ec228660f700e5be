package scale

import "time"

// An Instance serves one call at a time: that of the caller it was handed to by
// Acquire, until Release or Discard.
type Instance struct {
	// ID is the engine's.
	ID string
	// Address is the path of the unix socket at which the instance serves.
	Address string

	// What follows is guarded by the Scaler's mutex.
	revision *revision
	phase    phase
	// begunAt is when the engine began to start the instance, readyAt when it
	// became ready, idleSince when it last became idle.
	begunAt, readyAt, idleSince time.Time
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
