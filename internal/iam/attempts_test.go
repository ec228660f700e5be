package iam_test

import (
	"encoding/binary"
	"net/netip"
	"runtime"
	"testing"
	"time"

	"github.com/jeton-dev/jeton/internal/iam"
)

func TestAttempts_LimitsByClientNetwork(t *testing.T) {
	t.Parallel()
	attempts, now := iam.NewAttempts(3), start
	for i, step := range []struct {
		after    time.Duration
		from     string
		exceeded bool
	}{
		{0, "192.0.2.1", false},
		{0, "192.0.2.1", false},
		{0, "::ffff:192.0.2.1", false},
		{0, "192.0.2.1", true},
		{0, "192.0.2.2", false},
		{20 * time.Second, "192.0.2.1", false},
		{0, "192.0.2.1", true},
		{0, "2001:db8::1", false},
		{0, "2001:db8::2:1", false},
		{0, "2001:db8::ffff:ffff:ffff:ffff", false},
		{0, "2001:db8::3", true},
		{0, "2001:db8:0:1::3", false},
		{0, "fe80::1%eth0", false},
		{time.Hour, "192.0.2.1", false},
		{0, "192.0.2.1", false},
		{0, "192.0.2.1", false},
		{0, "192.0.2.1", true},
	} {
		now = now.Add(step.after)
		if got := attempts.CountFailure(netip.MustParseAddr(step.from), now); got != step.exceeded {
			t.Errorf("step %d, from %s: exceeded: got %t, want %t", i, step.from, got, step.exceeded)
		}
	}
	unlimited := iam.NewAttempts(0)
	for range 1000 {
		if unlimited.CountFailure(netip.Addr{}, start) {
			t.Fatal("got an exceeded limit, want none with a limit of 0")
		}
	}
}

// Memory stays bounded with any number of addresses, and an address that keeps failing
// stays limited.
func TestAttempts_BoundMemory(t *testing.T) {
	t.Parallel()
	attempts := iam.NewAttempts(1)
	persistent := netip.MustParseAddr("192.0.2.1")
	attempts.CountFailure(persistent, start)
	var before, after runtime.MemStats
	address := func(i int) netip.Addr {
		return netip.AddrFrom4([4]byte(binary.BigEndian.AppendUint32(nil, uint32(10<<24+i))))
	}
	for i := range 10_000 {
		attempts.CountFailure(address(i), start)
		if i%1000 == 0 && !attempts.CountFailure(persistent, start) {
			t.Fatalf("after %d other addresses: got a limit that is not exceeded, want the first address limited", i)
		}
	}
	runtime.GC()
	runtime.ReadMemStats(&before)
	for i := range 500_000 {
		attempts.CountFailure(address(10_000+i), start)
	}
	runtime.GC()
	runtime.ReadMemStats(&after)
	if grown := int64(after.HeapAlloc) - int64(before.HeapAlloc); grown > 4<<20 {
		t.Errorf("memory grew by %d bytes with 500,000 more addresses, want at most %d", grown, 4<<20)
	}
	runtime.KeepAlive(attempts)
}
