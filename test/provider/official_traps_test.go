package provider_test

import (
	"os"
	"testing"

	"github.com/jeton-dev/jeton/test/official"
)

// Each state plans empty with and without a refresh, and the server is not changed.
func TestOfficialState_UnusualStates(t *testing.T) {
	t.Parallel()
	w := start(t)
	objects := must(official.MakeObjects(t.Context(), w.api))
	w.front.Forget()
	t.Run("traps", func(t *testing.T) {
		for name, trap := range official.Traps(objects) {
			t.Run(name, func(t *testing.T) {
				t.Parallel()
				object := trap.Object(objects)
				c := w.commandLine(t, official.Requiring(official.Address)+object.Configuration("main"))
				c.write("terraform.tfstate", must(official.State(map[string]official.Object{"main": object})))
				if trap.Archive {
					c.write("function.zip", string(must(os.ReadFile(nodeArchive(t)))))
				}
				if !trap.Refreshed {
					c.expectEmptyPlan()
				} else if output, status := c.run("plan", "-no-color", "-detailed-exitcode"); status != 0 {
					t.Errorf("got exit status %d, want 0:\n%s", status, output)
				}
			})
		}
	})
	w.expectUntouched(t)
}

// expectUntouched fails if a request could have changed the server.
func (w *world) expectUntouched(t *testing.T) {
	t.Helper()
	for _, method := range []string{"POST", "PATCH", "PUT", "DELETE"} {
		w.expectRequests(t, 0, method, "")
	}
}
