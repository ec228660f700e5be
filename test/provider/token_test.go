package provider_test

import (
	"fmt"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/hashicorp/terraform-plugin-testing/compare"
	"github.com/hashicorp/terraform-plugin-testing/helper/resource"
	"github.com/hashicorp/terraform-plugin-testing/knownvalue"
	"github.com/hashicorp/terraform-plugin-testing/plancheck"
	"github.com/hashicorp/terraform-plugin-testing/statecheck"
	"github.com/hashicorp/terraform-plugin-testing/tfjsonpath"
	function "github.com/scaleway/scaleway-sdk-go/api/function/v1beta1"
	"github.com/scaleway/scaleway-sdk-go/scw"
)

const tokenAddress = "scaleway_function_token.main"

// namespaceToken returns the configuration of a namespace and of a token of it with
// more arguments.
func namespaceToken(arguments string) string {
	return namespace + `
resource "scaleway_function_token" "main" {
  namespace_id = scaleway_function_namespace.main.id
` + arguments + `
}
`
}

func TestToken_CreateReplaceImport(t *testing.T) {
	t.Parallel()
	w := start(t)
	same := statecheck.CompareValue(compare.ValuesSame())
	another := statecheck.CompareValue(compare.ValuesDiffer())
	value := tfjsonpath.New("token")
	w.run(t,
		resource.TestStep{
			Config: w.config("%s", namespaceToken(`expires_at = "2040-01-31T13:00:00+01:00"`)),
			ConfigStateChecks: []statecheck.StateCheck{
				statecheck.ExpectKnownValue(tokenAddress, value, knownvalue.StringRegexp(regexp.MustCompile(`^[^.]+\.[^.]+\.[^.]+$`))),
				statecheck.ExpectKnownValue(tokenAddress, tfjsonpath.New("region"), knownvalue.StringExact("fr-par")),
				same.AddStateValue(tokenAddress, value),
			},
		},
		resource.TestStep{
			// Equivalent values of all arguments are no change.
			Config: w.config("%s", namespace+`
resource "scaleway_function_token" "main" {
  namespace_id = split("/", scaleway_function_namespace.main.id)[1]
  description  = ""
  region       = "fr-par"
  expires_at   = "2040-01-31T12:00:00Z"
}`),
			ConfigStateChecks: []statecheck.StateCheck{
				same.AddStateValue(tokenAddress, value),
				another.AddStateValue(tokenAddress, value),
			},
		},
		resource.TestStep{
			Config: w.config("%s", namespaceToken(`description = "another"`)),
			ConfigPlanChecks: resource.ConfigPlanChecks{PreApply: []plancheck.PlanCheck{
				plancheck.ExpectResourceAction(tokenAddress, plancheck.ResourceActionReplace),
				plancheck.ExpectUnknownValue(tokenAddress, value),
			}},
			ConfigStateChecks: []statecheck.StateCheck{
				another.AddStateValue(tokenAddress, value),
				statecheck.ExpectKnownValue(tokenAddress, tfjsonpath.New("expires_at"), knownvalue.StringExact("")),
			},
		},
	)
}

// For years the official provider deleted function tokens through the containers API
// and treated the 404 as success.
func TestToken_DestroyRevokes(t *testing.T) {
	t.Parallel()
	w := start(t)
	w.run(t,
		resource.TestStep{Config: w.config("%s", namespaceToken(""))},
		resource.TestStep{
			Config: w.config(namespace),
			Check: func(*terraformState) error {
				w.expectRequests(t, 1, "DELETE", `^/functions/v1beta1/regions/fr-par/tokens/`)
				w.expectRequests(t, 0, "DELETE", `/containers/`)
				return w.expectTokens(0)
			},
		},
		resource.TestStep{Config: w.config("%s", namespaceToken(""))},
		resource.TestStep{
			PreConfig: func() { w.front.Answer(1, "DELETE", "/tokens/", 404, "404 page not found") },
			Config:    w.config(namespace), ExpectError: regexp.MustCompile(`Cannot revoke the function token`),
		},
		resource.TestStep{
			// A token that does not exist any more is not an error.
			PreConfig: func() { w.front.Answer(1, "DELETE", "/tokens/", 404, `{"message":"Token was not found"}`) },
			Config:    w.config(namespace),
		},
	)
}

func (w *world) expectTokens(want uint32) error {
	ids, err := w.api.ListNamespaces(&function.ListNamespacesRequest{}, scw.WithAllPages())
	if err != nil {
		return err
	}
	for _, n := range ids.Namespaces {
		tokens, err := w.api.ListTokens(&function.ListTokensRequest{NamespaceID: &n.ID})
		if err != nil {
			return err
		}
		if tokens.TotalCount != want {
			return fmt.Errorf("got %d tokens on the server, want %d", tokens.TotalCount, want)
		}
	}
	return nil
}

// The official provider imports a token without its value, and does not warn.
func TestToken_ImportWarnsAndKeepsToken(t *testing.T) {
	t.Parallel()
	w := start(t)
	c := w.commandLine(t, namespaceToken(`description = "to import"`))
	c.apply()
	id := c.attribute(tokenAddress, "id")
	c.must("state", "rm", tokenAddress)
	imported := c.must("import", "-no-color", tokenAddress, id)
	expectOnce(t, imported, "The token value cannot be imported")
	expectOnce(t, imported, "terraform apply -replace")
	expectWarnings(t, imported, 1)
	c.expectAttribute(tokenAddress, "token", "")
	c.expectEmptyPlan()
	c.destroy()
}

// The official provider does not notice that a token has expired.
func TestToken_ExpiredTokenWarns(t *testing.T) {
	t.Parallel()
	w := start(t)
	expiry := time.Now().Add(time.Hour).UTC().Format(time.RFC3339)
	c := w.commandLine(t, namespaceToken(fmt.Sprintf("expires_at = %q", expiry)))
	if applied := c.apply(); strings.Contains(applied, "expired") {
		t.Errorf("a warning about a valid token:\n%s", applied)
	}
	c.env = append(c.env, clockAhead+"=2h")
	expectOnce(t, c.must("plan", "-no-color", "-detailed-exitcode"), "The function token is expired")
	c.destroy()
}

// The official provider does not wait until a token is ready, and accepts a token in
// status error.
func TestToken_WaitsUntilReady(t *testing.T) {
	t.Parallel()
	w := start(t)
	w.front.Rewrite(3, "GET", "/tokens/", `"status":"ready"`, `"status":"creating"`)
	w.run(t,
		resource.TestStep{
			Config: w.config("%s", namespaceToken("")),
			PostApplyFunc: func() {
				if n := len(w.front.Requests("GET", "/tokens/")); n < 4 {
					t.Errorf("got %d reads of the token, want more until it is ready", n)
				}
			},
		},
		resource.TestStep{
			PreConfig:   func() { w.front.Rewrite(2, "GET", "/tokens/", `"status":"ready"`, `"status":"error"`) },
			Config:      w.config("%s", namespaceToken(`description = "another"`)),
			ExpectError: regexp.MustCompile(`The function token did not become ready[\s\S]*status\s+"error"`),
		},
		resource.TestStep{
			// The failed token is in the state and is replaced.
			Config: w.config("%s", namespaceToken(`description = "another"`)),
			ConfigPlanChecks: resource.ConfigPlanChecks{PreApply: []plancheck.PlanCheck{
				plancheck.ExpectResourceAction(tokenAddress, plancheck.ResourceActionReplace),
			}},
			Check: func(*terraformState) error { return w.expectTokens(1) },
		},
	)
}

// The official provider does not store a token's region, and ignores a region that is
// configured later.
func TestToken_StoresRegion(t *testing.T) {
	t.Parallel()
	w := start(t)
	token := func(region string) string {
		return namespace + `
resource "scaleway_function_token" "main" {
  namespace_id = split("/", scaleway_function_namespace.main.id)[1]
` + region + "\n}\n"
	}
	c := w.commandLine(t, token(""))
	c.apply()
	c.expectAttribute(tokenAddress, "region", "fr-par")
	c.configure(token(`region = "fr-par"`))
	c.expectEmptyPlan()
	c.configure(token(`region = "nl-ams"`))
	expectOnce(t, c.must("plan", "-no-color"), "scaleway_function_token.main must be replaced")
}

// A region that is configured for a token of a state of the official provider is stored
// and does not replace the token.
func TestToken_RegionMissingInState(t *testing.T) {
	t.Parallel()
	w := start(t)
	configuration, state := w.official(t)
	c := w.commandLine(t, strings.ReplaceAll(configuration, "scaleway_function_token function {", "scaleway_function_token function {\n  region = \"fr-par\""))
	c.write("terraform.tfstate", state)
	expectOnce(t, c.apply(), "0 added, 0 changed, 0 destroyed")
	c.expectAttribute("scaleway_function_token.function", "region", "fr-par")
	w.expectRequests(t, 0, "POST", "")
	c.expectEmptyPlan()
}

// One warning says that the value is unknown, and one that the token has expired.
func TestToken_ImportOfExpiredTokenWarnsTwice(t *testing.T) {
	t.Parallel()
	w := start(t)
	c := w.commandLine(t, namespaceToken(`expires_at = "2022-10-18T11:35:15+02:00"`))
	c.apply()
	id := c.attribute(tokenAddress, "id")
	c.must("state", "rm", tokenAddress)
	imported := c.must("import", "-no-color", tokenAddress, id)
	expectOnce(t, imported, "The token value cannot be imported")
	expectOnce(t, imported, "The function token is expired")
	expectWarnings(t, imported, 2)
	expectWarnings(t, c.must("plan", "-no-color", "-detailed-exitcode"), 1)
}

// A token expires at a full second: the service truncates the time. The configured
// value stays in the state, and another fraction of the same second does not replace
// the token.
func TestToken_KeepsFractionsOfExpiry(t *testing.T) {
	t.Parallel()
	w := start(t)
	c := w.commandLine(t, namespaceToken(`expires_at = "2040-01-31T13:00:00.987654321+01:00"`))
	c.apply()
	c.expectEmptyPlan()
	c.configure(namespaceToken(`expires_at = "2040-01-31T12:00:00Z"`))
	c.expectEmptyPlan()
	c.configure(namespaceToken(`expires_at = "2040-01-31T12:00:01.5Z"`))
	if output, status := c.run("plan", "-no-color", "-detailed-exitcode"); status != 2 || !strings.Contains(output, "must be replaced") {
		t.Errorf("another second: got exit status %d, want 2 and a replacement in:\n%s", status, output)
	}
}
