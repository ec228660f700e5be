package provider_test

import (
	"os"
	"strings"
	"testing"
)

// The example of the official provider's page on function tokens, byte for byte, has an
// old runtime and a token that is already expired. Both are only warnings.
func TestOfficialExample_CanBeApplied(t *testing.T) {
	t.Parallel()
	w := start(t)
	c := w.commandLine(t, string(must(os.ReadFile("../../examples/function-token/main.tf"))))

	plan := c.must("plan", "-no-color")
	expectOnce(t, plan, "The function token is already expired")
	expectOnce(t, plan, "The runtime is at its end of life")
	expectWarnings(t, plan, 2)

	applied := c.apply()
	expectOnce(t, applied, "4 added, 0 changed, 0 destroyed")
	if !strings.Contains(applied, "The function token is already expired") {
		t.Errorf("apply: got no warning:\n%s", applied)
	}

	again := c.must("plan", "-no-color", "-detailed-exitcode")
	expectOnce(t, again, "The function token is expired")
	expectWarnings(t, again, 1)
	c.expectEmptyPlan()

	c.destroy()
	if left := w.namespaceIDs(t); len(left) != 0 {
		t.Errorf("after destroy: got namespaces %v, want none", left)
	}
}
