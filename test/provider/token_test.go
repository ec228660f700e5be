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

// namespaceToken is a token of a namespace with more arguments.
func namespaceToken(arguments string) string {
	return namespace + `
resource "scaleway_function_token" "main" {
  namespace_id = scaleway_function_namespace.main.id
` + arguments + `
}
`
}

func TestToken(t *testing.T) {
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
			// Another spelling of all arguments replaces nothing.
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

// TestDefectT1DestroyRevokesTheToken: for years the official provider deleted
// function tokens through the containers API and took its 404 for success.
func TestDefectT1DestroyRevokesTheToken(t *testing.T) {
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
			// What the service says is gone is gone.
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
			return fmt.Errorf("the server has %d tokens, want %d", tokens.TotalCount, want)
		}
	}
	return nil
}

// TestDefectT2ImportedTokenIsToldAndKept: the official provider imports a token
// without its value and says nothing.
func TestDefectT2ImportedTokenIsToldAndKept(t *testing.T) {
	t.Parallel()
	w := start(t)
	c := w.commandLine(t, namespaceToken(`description = "to import"`))
	c.must("apply", "-no-color", "-auto-approve")
	id := c.attribute(tokenAddress, "id")
	c.must("state", "rm", tokenAddress)
	imported := c.must("import", "-no-color", tokenAddress, id)
	expectOnce(t, imported, "The token value cannot be imported")
	expectOnce(t, imported, "terraform apply -replace")
	expectWarnings(t, imported, 1)
	if got := c.attribute(tokenAddress, "token"); got != "" {
		t.Errorf("the imported token has the value %q", got)
	}
	c.expectEmptyPlan()
	c.must("destroy", "-no-color", "-auto-approve")
}

// TestDefectT3ExpiredTokenIsReported: the official provider keeps an expired
// token in the state as if it were good.
func TestDefectT3ExpiredTokenIsReported(t *testing.T) {
	t.Parallel()
	w := start(t)
	expiry := time.Now().Add(time.Hour).UTC().Format(time.RFC3339)
	c := w.commandLine(t, namespaceToken(fmt.Sprintf("expires_at = %q", expiry)))
	if applied := c.must("apply", "-no-color", "-auto-approve"); strings.Contains(applied, "expired") {
		t.Errorf("a good token is called expired:\n%s", applied)
	}
	c.env = append(c.env, clockAhead+"=2h")
	expectOnce(t, c.must("plan", "-no-color", "-detailed-exitcode"), "The function token is expired")
	c.must("destroy", "-no-color", "-auto-approve")
}

// TestDefectT4TokenIsAwaited: the official provider takes a token for good
// before the service has made it, and one that the service failed to make.
func TestDefectT4TokenIsAwaited(t *testing.T) {
	t.Parallel()
	w := start(t)
	w.front.Rewrite(3, "GET", "/tokens/", `"status":"ready"`, `"status":"creating"`)
	w.run(t,
		resource.TestStep{
			Config: w.config("%s", namespaceToken("")),
			PostApplyFunc: func() {
				if n := len(w.front.Requests("GET", "/tokens/")); n < 4 {
					t.Errorf("the token was looked at %d times, want until it is ready", n)
				}
			},
		},
		resource.TestStep{
			PreConfig:   func() { w.front.Rewrite(2, "GET", "/tokens/", `"status":"ready"`, `"status":"error"`) },
			Config:      w.config("%s", namespaceToken(`description = "another"`)),
			ExpectError: regexp.MustCompile(`The function token did not become ready[\s\S]*status\s+"error"`),
		},
		resource.TestStep{
			// The token that failed is known, and replaced.
			Config: w.config("%s", namespaceToken(`description = "another"`)),
			ConfigPlanChecks: resource.ConfigPlanChecks{PreApply: []plancheck.PlanCheck{
				plancheck.ExpectResourceAction(tokenAddress, plancheck.ResourceActionReplace),
			}},
			Check: func(*terraformState) error { return w.expectTokens(1) },
		},
	)
}

// TestDefectT6RegionIsInTheState: the official provider leaves the region of a
// token empty, and ignores one that is configured later.
func TestDefectT6RegionIsInTheState(t *testing.T) {
	t.Parallel()
	w := start(t)
	token := func(region string) string {
		return namespace + `
resource "scaleway_function_token" "main" {
  namespace_id = split("/", scaleway_function_namespace.main.id)[1]
` + region + "\n}\n"
	}
	c := w.commandLine(t, token(""))
	c.must("apply", "-no-color", "-auto-approve")
	if got := c.attribute(tokenAddress, "region"); got != "fr-par" {
		t.Errorf("the region is %q, want fr-par", got)
	}
	c.write("main.tf", token(`region = "fr-par"`))
	c.expectEmptyPlan()
	c.write("main.tf", token(`region = "nl-ams"`))
	expectOnce(t, c.must("plan", "-no-color"), "scaleway_function_token.main must be replaced")
}

// TestDefectT6RegionOfAnOfficialState: a region that is configured for a token in
// an official state is recorded, and not taken for another one.
func TestDefectT6RegionOfAnOfficialState(t *testing.T) {
	t.Parallel()
	w := start(t)
	configuration, state := w.official(t)
	c := w.commandLine(t, strings.ReplaceAll(configuration, "scaleway_function_token function {", "scaleway_function_token function {\n  region = \"fr-par\""))
	c.write("terraform.tfstate", state)
	expectOnce(t, c.must("apply", "-no-color", "-auto-approve"), "0 added, 0 changed, 0 destroyed")
	if got := c.attribute("scaleway_function_token.function", "region"); got != "fr-par" {
		t.Errorf("the region is %q, want fr-par", got)
	}
	w.expectRequests(t, 0, "POST", "")
	c.expectEmptyPlan()
}

// TestDefectT2ExpiredTokenIsImportedWithOneWarningEach: that it has no value, and
// that it opens nothing.
func TestDefectT2ExpiredTokenIsImportedWithOneWarningEach(t *testing.T) {
	t.Parallel()
	w := start(t)
	c := w.commandLine(t, namespaceToken(`expires_at = "2022-10-18T11:35:15+02:00"`))
	c.must("apply", "-no-color", "-auto-approve")
	id := c.attribute(tokenAddress, "id")
	c.must("state", "rm", tokenAddress)
	imported := c.must("import", "-no-color", tokenAddress, id)
	expectOnce(t, imported, "The token value cannot be imported")
	expectOnce(t, imported, "The function token is expired")
	expectWarnings(t, imported, 2)
	expectWarnings(t, c.must("plan", "-no-color", "-detailed-exitcode"), 1)
}

// TestTokenExpiry_KeepsFractionsOfASecond: a token expires at a second, and the
// service drops the rest. What is configured stays in the state, and another fraction
// of the same second makes no other token.
func TestTokenExpiry_KeepsFractionsOfASecond(t *testing.T) {
	t.Parallel()
	w := start(t)
	c := w.commandLine(t, namespaceToken(`expires_at = "2040-01-31T13:00:00.987654321+01:00"`))
	c.must("apply", "-no-color", "-auto-approve")
	c.expectEmptyPlan()
	c.write("main.tf", namespaceToken(`expires_at = "2040-01-31T12:00:00Z"`))
	c.expectEmptyPlan()
	c.write("main.tf", namespaceToken(`expires_at = "2040-01-31T12:00:01.5Z"`))
	if output, status := c.run("plan", "-no-color", "-detailed-exitcode"); status != 2 || !strings.Contains(output, "must be replaced") {
		t.Errorf("another second does not replace the token: exit status %d\n%s", status, output)
	}
}
