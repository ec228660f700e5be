package provider_test

import (
	"os"
	"strings"
	"testing"
)

// TestExampleOfThePage takes the example of the official provider's page on
// function tokens, character for character, with what is no error in it: a
// runtime of long ago, and a token that is expired when it is made.
func TestExampleOfThePage(t *testing.T) {
	t.Parallel()
	w := start(t)
	c := w.commandLine(t, string(must(os.ReadFile("../../examples/function-token/main.tf"))))

	plan := c.must("plan", "-no-color")
	expectOnce(t, plan, "The function token is already expired")
	expectOnce(t, plan, "The runtime is at its end of life")
	expectWarnings(t, plan, 2)

	applied := c.must("apply", "-no-color", "-auto-approve")
	expectOnce(t, applied, "4 added, 0 changed, 0 destroyed")
	if !strings.Contains(applied, "The function token is already expired") {
		t.Errorf("apply does not warn:\n%s", applied)
	}

	again := c.must("plan", "-no-color", "-detailed-exitcode")
	expectOnce(t, again, "The function token is expired")
	expectWarnings(t, again, 1)
	c.expectEmptyPlan()

	c.must("destroy", "-no-color", "-auto-approve")
	if left := w.namespaceIDs(t); len(left) != 0 {
		t.Errorf("namespaces left: %v", left)
	}
}
