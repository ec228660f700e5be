package provider_test

import (
	"slices"
	"strings"
	"testing"
)

// The test searches the output and the log at level TRACE.
func TestSecrets_AreNotLogged(t *testing.T) {
	t.Parallel()
	w := start(t)
	const hidden = "correct-horse-battery-staple"
	configuration := namespaceToken("") + `
resource "scaleway_function_namespace" "other" {
  secret_environment_variables = { HIDDEN = "` + hidden + `" }
}
`
	c := w.commandLine(t, configuration)
	c.env = append(c.env, "TF_LOG_PROVIDER=TRACE", "TF_LOG_PATH=log", "SCW_DEBUG=1")
	printed := c.apply()
	printed += c.must("plan", "-no-color", "-detailed-exitcode")
	c.expectNowhere(hidden)
	printed += c.apply("-refresh-only")
	token := c.attribute(tokenAddress, "token")
	log := c.read("log")
	if !strings.Contains(log, "the API answered") {
		t.Errorf("the log contains no requests:\n%.1000s", log)
	}
	for what, secret := range map[string]string{"token": token, "secret key": w.SecretKey, "secret variable": hidden} {
		if strings.Contains(printed+log, secret) {
			t.Errorf("the output or the log contains the %s", what)
		}
	}
	c.expectNowhere(hidden)
	c.destroy()
}

// No state and no backup of a state contains a secret in clear, after any step of an
// object's life.
func TestSecrets_AreHashedInState(t *testing.T) {
	t.Parallel()
	const first, second, third = "correct-horse-battery-staple", "tr0ub4dor-and-three", "swordfish-and-chips"
	secrets := func(a, b string) string {
		return "  secret_environment_variables = { A = \"" + a + "\", B = \"" + b + "\" }\n"
	}
	tests := map[string]struct {
		address, path string
		configuration func(arguments string) string
	}{
		"namespace": {namespaceAddress, "/namespaces", func(arguments string) string { return strings.TrimSuffix(namespace, "}\n") + arguments + "}\n" }},
		"function":  {functionAddress, "/functions", nodeFunction},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := start(t)
			c := w.commandLine(t, test.configuration(secrets(first, second)))
			step := func(what string, want int) {
				t.Helper()
				if output, status := c.run("apply", "-no-color", "-auto-approve"); status != want {
					t.Errorf("%s: got exit status %d, want %d:\n%s", what, status, want, output)
				}
				for _, secret := range []string{first, second, third} {
					c.expectNowhere(secret)
				}
				if want == 0 {
					c.expectEmptyPlan()
				}
			}
			step("created", 0)
			if state := c.read("terraform.tfstate"); strings.Count(state, "$argon2id$") != 2 {
				t.Errorf("the state does not contain two hashes:\n%s", state)
			}
			c.configure(test.configuration(secrets(first, third)))
			step("changed", 0)
			c.configure(test.configuration(secrets(second, third)))
			w.front.Answer(1, "PATCH", test.path, 409, `{"message":"not now"}`)
			step("failed change", 1)
			step("repeated change", 0)
			if got, want := w.secretsSent(t, test.path), []string{"A=" + first, "A=" + second, "A=" + second, "B=" + third, "B=" + second}; !slices.Equal(got, want) {
				t.Errorf("sent %v, want %v", got, want)
			}
			c.configure(test.configuration(""))
			step("without secrets", 0)
		})
	}
}

// Neither a function whose creation failed nor a service that returns no hashes leaves
// a secret in the state.
func TestSecrets_OfFailedFunctionAreHashedInState(t *testing.T) {
	t.Parallel()
	const hidden = "correct-horse-battery-staple"
	w := start(t)
	c := w.commandLine(t, tracked("  secret_environment_variables = { A = \""+hidden+"\" }"))
	c.archive("first")
	w.front.Answer(1, "PUT", "/archives/", 403, `{"message":"the upload is refused"}`)
	w.front.Rewrite(1, "POST", "/functions$", `"secret_environment_variables"`, `"hidden"`)
	if output, status := c.run("apply", "-no-color", "-auto-approve"); status != 1 {
		t.Fatalf("got exit status %d, want 1:\n%s", status, output)
	}
	if state := c.read("terraform.tfstate"); !strings.Contains(state, "$argon2id$") {
		t.Errorf("the state contains no hash:\n%s", state)
	}
	c.expectNowhere(hidden)
	w.apply(c, 1, 1)
	c.expectNowhere(hidden)
}
