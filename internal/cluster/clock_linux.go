package cluster

import (
	"sync/atomic"
	"time"

	"golang.org/x/sys/unix"
)

// A reading is one reading of both clocks.
type reading struct {
	boot time.Duration
	at   time.Time
}

// latest is a recent reading, and fresh its age up to which it is used. CLOCK_BOOTTIME
// costs a system call, and every call to a function reads the clocks several times.
var latest atomic.Pointer[reading]

const fresh = 10 * time.Millisecond

// SystemClock reads CLOCK_BOOTTIME and CLOCK_REALTIME. It may compute the former from a
// reading that is less than 10 ms old by the monotonic clock and the time of day: a time in
// which the machine was suspended, which the former does not show, is visible in the latter.
func SystemClock() Instant {
	now := time.Now()
	if last := latest.Load(); last != nil {
		elapsed, wall := now.Sub(last.at), now.Round(0).Sub(last.at.Round(0))
		if elapsed >= 0 && elapsed < fresh && wall >= 0 && wall < fresh {
			return Instant{Boot: last.boot + elapsed, Time: now}
		}
	}
	var boot unix.Timespec
	// The call cannot fail: the clock exists since Linux 2.6.39.
	_ = unix.ClockGettime(unix.CLOCK_BOOTTIME, &boot)
	read := &reading{time.Duration(boot.Nano()), now}
	latest.Store(read)
	return Instant{Boot: read.boot, Time: now}
}
