//go:build !linux

package cluster

import "time"

var start = time.Now()

// SystemClock reads the monotonic clock and the wall clock.
func SystemClock() Instant {
	now := time.Now()
	return Instant{Boot: now.Sub(start), Wall: now}
}
