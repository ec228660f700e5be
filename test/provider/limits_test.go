package provider_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	function "github.com/scaleway/scaleway-sdk-go/api/function/v1beta1"

	"github.com/jeton-dev/jeton/internal/server"
)

// beyondDefaults is a function that exceeds the limits of Scaleway's documentation.
var beyondDefaults = nodeFunction(fmt.Sprintf(`
  max_scale                    = 100
  timeout                      = 7200
  environment_variables        = { A = %q }
  secret_environment_variables = { B = %q }
`, strings.Repeat("ü", 1500), strings.Repeat("x", 70000)))

func TestLimits_RaisedByOperator(t *testing.T) {
	t.Parallel()
	w := start(t, func(c *server.Config) {
		c.Limits.MaxScale, c.Limits.MaxTimeout = 100, 2*time.Hour
		c.Limits.VariableSize, c.Limits.SecretSize = 1500, 70000
	})
	c := w.commandLine(t, beyondDefaults)
	c.apply()
	c.expectEmptyPlan()
}

// The service's message is shown at the argument.
func TestLimits_ErrorNamesArgument(t *testing.T) {
	t.Parallel()
	w := start(t)
	for argument, want := range map[string]string{
		"max_scale = 51": "must be from 1 to 50, is 51",
		"timeout = 3601": "must be from",
		"environment_variables = { A = \"" + strings.Repeat("x", 1001) + "\" }": "must be at most 1000 characters, is 1001",
		// Terraform prints the line of the configuration.
		`secret_environment_variables = { A = join("", [for i in range(1000) : join("", [for j in range(66) : "x"])]) }`: "must be at most 65536 bytes, is 66000",
	} {
		c := w.commandLine(t, nodeFunction("  "+argument))
		output, status := c.run("apply", "-no-color", "-auto-approve")
		if status == 0 || !strings.Contains(unfolded(output), want) {
			t.Errorf("%.40s: got exit status %d, want 1 and %q in:\n%s", argument, status, want, output)
		}
		if strings.HasPrefix(argument, "secret") && strings.Contains(output, strings.Repeat("x", 66)) {
			t.Error("the error contains a secret")
		}
		if id := c.attribute(namespaceAddress, "id"); id != "" {
			w.deleteNamespace(t, strings.TrimPrefix(id, "fr-par/"))
		}
	}
}

// The service answers an exceeded quota with the same status as a missing permission.
func TestQuota_IsNotReportedAsMissingPermission(t *testing.T) {
	t.Parallel()
	w := start(t, func(c *server.Config) { c.Limits.Namespaces, c.Limits.Variables = 1, 1 })
	w.readyNamespace(&function.CreateNamespaceRequest{Name: "first"})
	const another = `resource "scaleway_function_namespace" "main" { name = "second" }`
	foreign := func(body string) func() {
		return func() { w.front.Answer(1, "POST", "/namespaces$", 403, body) }
	}
	tests := map[string]struct {
		configuration string
		prepare       func()
		want          string
		denied        bool
	}{
		"of namespaces":    {another, nil, "quota exceeded: at most 1 namespaces", false},
		"of variables":     {`resource "scaleway_function_namespace" "main" { environment_variables = { A = "", B = "" } }`, nil, "quota exceeded: at most 1 environment variables", false},
		"in other words":   {another, foreign(`{"message":"quota(s) exceeded for this resource","type":"quotas_exceeded","details":[{"resource":"functions_namespaces","quota":100,"current":100}]}`), "functions_namespaces quota 100, current 100", false},
		"without a type":   {another, foreign(`{"message":"Quota of namespaces reached"}`), "Quota of namespaces reached", false},
		"a key for others": {another, foreign(`{"message":"insufficient permissions","type":"permissions_denied","details":[{"action":"write","resource":"functions"}]}`), "The API key does not have the required permissions", true},
	}
	for name, test := range tests {
		if test.prepare != nil {
			test.prepare()
		}
		output, status := w.commandLine(t, test.configuration).run("apply", "-no-color", "-auto-approve")
		if status == 0 || !strings.Contains(unfolded(output), test.want) {
			t.Errorf("%s: got exit status %d, want 1 and %q in:\n%s", name, status, test.want, output)
		}
		if denied := strings.Contains(unfolded(output), "The API key does not have the required permissions"); denied != test.denied {
			t.Errorf("%s: reported as a missing permission: %t:\n%s", name, denied, output)
		}
	}
}
