package provider_test

import (
	"strings"
	"testing"
)

// TestNoSecretIsLogged looks for secrets in all that a run writes: on the
// terminal, and in the log at its most talkative.
func TestNoSecretIsLogged(t *testing.T) {
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
	printed := c.must("apply", "-no-color", "-auto-approve")
	printed += c.must("plan", "-no-color", "-detailed-exitcode")
	if state := c.read("terraform.tfstate"); !strings.Contains(state, hidden) {
		t.Errorf("the secret is not in the state just after the apply, as Terraform demands:\n%s", state)
	}
	printed += c.must("apply", "-no-color", "-refresh-only", "-auto-approve")
	token := c.attribute(tokenAddress, "token")
	log := c.read("log")
	if !strings.Contains(log, "the API answered") {
		t.Errorf("the log does not tell of requests:\n%.1000s", log)
	}
	for what, secret := range map[string]string{"token": token, "secret key": w.SecretKey, "secret variable": hidden} {
		if strings.Contains(printed+log, secret) {
			t.Errorf("the %s is in the output or the log", what)
		}
	}
	if state := c.read("terraform.tfstate"); strings.Contains(state, hidden) {
		t.Error("the secret variable is still in clear in the state after it was refreshed")
	}
	c.must("destroy", "-no-color", "-auto-approve")
}
