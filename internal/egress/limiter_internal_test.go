package egress

import (
	"fmt"
	"testing"
)

// TestLimiter_LeavesFlowsForTheNextProject acquires all possible flows for one project
// after another.
func TestLimiter_LeavesFlowsForTheNextProject(t *testing.T) {
	t.Parallel()
	var l limiter
	acquireAll := func(of tenant) (n int) {
		for l.acquire(of) {
			n++
		}
		return n
	}
	if n := acquireAll(tenant{"f", "large"}); n != maxFunctionFlows {
		t.Errorf("got %d flows for one function, want %d", n, maxFunctionFlows)
	}
	if n := acquireAll(tenant{"g", "large"}); n != maxPolicyFlows/2-maxFunctionFlows {
		t.Errorf("got %d flows for the project's next function, want %d", n, maxPolicyFlows/2-maxFunctionFlows)
	}
	for i := range 8 {
		if n := acquireAll(tenant{fmt.Sprint("f", i), fmt.Sprint("p", i)}); n < 1 {
			t.Errorf("got no flow for project %d, want at least 1", i+1)
		}
	}
	for range maxFunctionFlows {
		l.release(tenant{"f", "large"})
	}
	if n := acquireAll(tenant{"h", "late"}); n < maxFunctionFlows/2 {
		t.Errorf("got %d flows for another project after %d were released, want at least %d", n, maxFunctionFlows, maxFunctionFlows/2)
	}
}
