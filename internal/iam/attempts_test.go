package iam_test

import (
	"encoding/binary"
	"net/netip"
	"runtime"
	"testing"
	"time"

	"github.com/jeton-dev/jeton/internal/iam"
)

func TestAttempts(t *testing.T) {
	t.Parallel()
	attempts, now := iam.NewAttempts(3), start
	for i, step := range []struct {
		after   time.Duration
		from    string
		tooMany bool
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
		if got := attempts.Wrong(netip.MustParseAddr(step.from), now); got != step.tooMany {
			t.Errorf("step %d, from %s: too many: %t, want %t", i, step.from, got, step.tooMany)
		}
	}
	none := iam.NewAttempts(0)
	for range 1000 {
		if none.Wrong(netip.Addr{}, start) {
			t.Fatal("no limit is one")
		}
	}
}

// Millions of addresses take no more memory than thousands, and do not let go of
// one that goes on.
func TestAttemptsAreBounded(t *testing.T) {
	t.Parallel()
	attempts := iam.NewAttempts(1)
	patient := netip.MustParseAddr("192.0.2.1")
	attempts.Wrong(patient, start)
	var before, after runtime.MemStats
	address := func(i int) netip.Addr {
		return netip.AddrFrom4([4]byte(binary.BigEndian.AppendUint32(nil, uint32(10<<24+i))))
	}
	for i := range 10_000 {
		attempts.Wrong(address(i), start)
		if i%1000 == 0 && !attempts.Wrong(patient, start) {
			t.Fatalf("after %d others an address is forgotten", i)
		}
	}
	runtime.GC()
	runtime.ReadMemStats(&before)
	for i := range 500_000 {
		attempts.Wrong(address(10_000+i), start)
	}
	runtime.GC()
	runtime.ReadMemStats(&after)
	if grown := int64(after.HeapAlloc) - int64(before.HeapAlloc); grown > 4<<20 {
		t.Errorf("half a million addresses take %d bytes more", grown)
	}
	runtime.KeepAlive(attempts)
}
