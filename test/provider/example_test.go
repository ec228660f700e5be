package provider_test

import (
	"strings"
	"testing"
)

// example is the example of the official provider's page on function tokens,
// character for character.
const example = `resource scaleway_function_namespace main {
  name = "test-function-token-ns"
}

resource scaleway_function main {
  namespace_id = scaleway_function_namespace.main.id
  runtime      = "go118"
  handler      = "Handle"
  privacy      = "private"
}

// Namespace Token
resource scaleway_function_token namespace {
  namespace_id = scaleway_function_namespace.main.id
  expires_at = "2022-10-18T11:35:15+02:00"
}

// Function Token
resource scaleway_function_token function {
  function_id = scaleway_function.main.id
}
`

func TestExampleOfThePage(t *testing.T) {
	t.Parallel()
	w := start(t)
	c := w.commandLine(t, example)

	plan := c.must("plan", "-no-color")
	expectOnce(t, plan, "The function token is already expired")

	expectWarnings(t, plan, 1)

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
