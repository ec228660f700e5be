// Package await waits for what other goroutines, processes or servers bring about.
// Every wait of a test is one of these: a test that passes never waits longer than
// what it waits for takes, and one that fails does so after Patience.
package await

import "time"

// T is what is needed of a test; rapid has tests of its own.
type T interface {
	Helper()
	Fatalf(format string, arguments ...any)
}

// Patience is how long a wait may take. It is long, for a busy machine is no
// failure.
const Patience = 3 * time.Minute

// pause is the time between two looks at a condition.
const pause = 5 * time.Millisecond

// True waits until a condition holds, and fails the test if it does not in time.
func True(t T, what string, holds func() bool) {
	t.Helper()
	ended := time.NewTimer(Patience)
	defer ended.Stop()
	tick := time.NewTicker(pause)
	defer tick.Stop()
	for !holds() {
		select {
		case <-tick.C:
		case <-ended.C:
			t.Fatalf("waited %v in vain until %s", Patience, what)
		}
	}
}

// Receive waits for a value, and fails the test if there is none in time.
func Receive[V any](t T, what string, from <-chan V) V {
	t.Helper()
	ended := time.NewTimer(Patience)
	defer ended.Stop()
	select {
	case value := <-from:
		return value
	case <-ended.C:
		t.Fatalf("waited %v in vain for %s", Patience, what)
		panic("not reached")
	}
}
