package cluster_test

import (
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/jeton-dev/jeton/internal/cluster"
)

// The boot time that is computed never differs from the clock by more than the time in
// which it is read.
func TestSystemClock_FollowsTheBootClock(t *testing.T) {
	t.Parallel()
	read := func() time.Duration {
		var boot unix.Timespec
		if err := unix.ClockGettime(unix.CLOCK_BOOTTIME, &boot); err != nil {
			t.Fatal(err)
		}
		return time.Duration(boot.Nano())
	}
	const drift = time.Millisecond
	for begun := time.Now(); time.Since(begun) < 100*time.Millisecond; {
		before := read()
		got := cluster.SystemClock().Boot
		if after := read(); got < before-drift || got > after+drift {
			t.Fatalf("got %v, want a time between %v and %v", got, before, after)
		}
	}
}

func BenchmarkSystemClock(b *testing.B) {
	for b.Loop() {
		cluster.SystemClock()
	}
}
