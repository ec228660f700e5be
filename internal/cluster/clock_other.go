//go:build !linux

package cluster

import "time"

var start = time.Now()

// SystemClock reads the monotonic clock and the time of day.
func SystemClock() Instant {
	now := time.Now()
	return Instant{Boot: now.Sub(start), Time: now}
}
