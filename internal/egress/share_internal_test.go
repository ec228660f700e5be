package egress

import (
	"fmt"
	"testing"
)

// TestShares_LeaveSomethingForTheNextProject has one project after the other take
// all that it gets.
func TestShares_LeaveSomethingForTheNextProject(t *testing.T) {
	t.Parallel()
	var s shares
	drain := func(o owner) (n int) {
		for s.take(o) {
			n++
		}
		return n
	}
	if n := drain(owner{"f", "greedy"}); n != mostOfFunction {
		t.Errorf("one function has %d flows, want %d", n, mostOfFunction)
	}
	if n := drain(owner{"g", "greedy"}); n != mostOfAll/2-mostOfFunction {
		t.Errorf("the project's next function has %d flows, want %d", n, mostOfAll/2-mostOfFunction)
	}
	for i := range 8 {
		o := owner{fmt.Sprint("f", i), fmt.Sprint("p", i)}
		if n := drain(o); n < 1 {
			t.Errorf("project %d has no flow", i+1)
		}
	}
	for range mostOfFunction {
		s.giveBack(owner{"f", "greedy"})
	}
	if n := drain(owner{"h", "late"}); n < mostOfFunction/2 {
		t.Errorf("of %d flows that have ended, another project gets %d", mostOfFunction, n)
	}
}
