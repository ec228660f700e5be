package cluster

import "time"

// An Instant is one reading of the clocks that a lease is measured with.
type Instant struct {
	// Boot is the time since the machine was started, suspended or not.
	Boot time.Duration
	// Time is the time of day.
	Time time.Time
}

// A Clock reads the clocks of this machine.
type Clock func() Instant

// Since returns the time from an earlier instant: the larger of the differences of both
// clocks. A pause that one of the clocks does not show is visible in the other.
func (i Instant) Since(earlier Instant) time.Duration {
	// Round removes the monotonic reading, which may stand still while the machine is
	// suspended.
	return max(i.Boot-earlier.Boot, i.Time.Round(0).Sub(earlier.Time.Round(0)))
}

// stood returns the time for which something has certainly not changed from an earlier
// instant on: that since the start of the machine, so that a time of day that was set
// forward fences no member.
func (i Instant) stood(earlier Instant) time.Duration { return i.Boot - earlier.Boot }
