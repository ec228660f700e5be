package cluster

import (
	"time"

	"golang.org/x/sys/unix"
)

// SystemClock reads CLOCK_BOOTTIME and CLOCK_REALTIME.
func SystemClock() Instant {
	var boot unix.Timespec
	// The call cannot fail: the clock exists since Linux 2.6.39.
	_ = unix.ClockGettime(unix.CLOCK_BOOTTIME, &boot)
	return Instant{Boot: time.Duration(boot.Nano()), Time: time.Now()}
}
