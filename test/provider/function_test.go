package provider_test

import (
	"fmt"
	"regexp"
	"strings"
	"testing"

	"github.com/hashicorp/terraform-plugin-testing/helper/resource"
	"github.com/hashicorp/terraform-plugin-testing/knownvalue"
	"github.com/hashicorp/terraform-plugin-testing/plancheck"
	"github.com/hashicorp/terraform-plugin-testing/statecheck"
	"github.com/hashicorp/terraform-plugin-testing/tfjsonpath"
)

const functionAddress = "scaleway_function.main"

func TestFunction_CreateUpdateImport(t *testing.T) {
	t.Parallel()
	w := start(t)
	w.run(t,
		resource.TestStep{
			Config: w.config("%s", nodeFunction(`
  description                  = "first"
  tags                         = ["b", "a"]
  environment_variables        = { PLAIN = "1" }
  secret_environment_variables = { HIDDEN = "secret-1" }
  memory_limit                 = 512
  timeout                      = 20
  min_scale                    = 0
  max_scale                    = 2
  http_option                  = "redirected"
  sandbox                      = "v1"`)),
			ConfigStateChecks: []statecheck.StateCheck{
				statecheck.ExpectKnownValue(functionAddress, tfjsonpath.New("cpu_limit"), knownvalue.Int64Exact(280)),
				statecheck.ExpectKnownValue(functionAddress, tfjsonpath.New("domain_name"), knownvalue.StringRegexp(regexp.MustCompile(`-main\.functions\.`))),
				statecheck.ExpectKnownValue(functionAddress, tfjsonpath.New("region"), knownvalue.StringExact("fr-par")),
			},
		},
		resource.TestStep{
			Config: w.config("%s", nodeFunction("")),
			ConfigPlanChecks: resource.ConfigPlanChecks{PreApply: []plancheck.PlanCheck{
				plancheck.ExpectResourceAction(functionAddress, plancheck.ResourceActionUpdate),
			}},
			ConfigStateChecks: []statecheck.StateCheck{
				statecheck.ExpectKnownValue(functionAddress, tfjsonpath.New("cpu_limit"), knownvalue.Int64Exact(140)),
				statecheck.ExpectKnownValue(functionAddress, tfjsonpath.New("max_scale"), knownvalue.Int64Exact(20)),
				statecheck.ExpectKnownValue(functionAddress, tfjsonpath.New("timeout"), knownvalue.Int64Exact(20)),
				statecheck.ExpectKnownValue(functionAddress, tfjsonpath.New("http_option"), knownvalue.StringExact("enabled")),
				statecheck.ExpectKnownValue(functionAddress, tfjsonpath.New("tags"), knownvalue.ListExact(nil)),
			},
		},
		resource.TestStep{
			ResourceName:            functionAddress,
			ImportState:             true,
			ImportStateVerify:       true,
			ImportStateVerifyIgnore: []string{"deploy"},
		},
	)
}

// A state of the official provider has no URL. That is not a change, and the next
// refresh adds it.
func TestFunction_URLIsAddedByRefresh(t *testing.T) {
	t.Parallel()
	w := start(t)
	c := w.commandLine(t, nodeFunction(""))
	c.apply()
	want := w.GatewayURL + "/functions/" + strings.TrimPrefix(c.attribute(functionAddress, "id"), "fr-par/")
	c.expectAttribute(functionAddress, "url", want)
	c.write("terraform.tfstate", strings.ReplaceAll(c.read("terraform.tfstate"), `"url": "`+want+`"`, `"url": null`))
	c.expectEmptyPlan()
	c.configure(nodeFunction(`  description = "new"`))
	c.apply("-refresh=false")
	c.apply("-refresh-only")
	c.expectAttribute(functionAddress, "url", want)
}

func TestImport_BareIDHasProviderRegion(t *testing.T) {
	t.Parallel()
	w := start(t)
	c := w.commandLine(t, namespaceToken("")+nodeFunction("")[len(namespace):])
	c.apply()
	for _, address := range []string{namespaceAddress, functionAddress, tokenAddress} {
		id := c.attribute(address, "id")
		c.must("state", "rm", address)
		c.must("import", "-no-color", address, strings.TrimPrefix(id, "fr-par/"))
		c.expectAttribute(address, "id", id)
		c.must("state", "rm", address)
		for _, malformed := range []string{"main", ""} {
			output, status := c.run("import", "-no-color", address, malformed)
			if status != 1 || !strings.Contains(unfolded(output), "write it like fr-par/") {
				t.Errorf("import %s with id %q: got exit status %d, want 1:\n%s", address, malformed, status, output)
			}
		}
		c.must("import", "-no-color", address, id)
	}
	c.expectEmptyPlan()
}

// The official provider does not send a change of only the tags, and plans it again
// each time.
func TestFunction_SendsChangeOfTagsOnly(t *testing.T) {
	t.Parallel()
	w := start(t)
	w.run(t,
		resource.TestStep{Config: w.config("%s", nodeFunction(`  tags = ["a"]`))},
		resource.TestStep{
			Config: w.config("%s", nodeFunction(`  tags = ["b", "c"]`)),
			PostApplyFunc: func() {
				patch := w.expectRequests(t, 1, "PATCH", "/functions/")
				if len(patch) == 1 && !strings.Contains(patch[0].Body, `"tags":["b","c"]`) {
					t.Errorf("got request %s, want the tags b and c", patch[0].Body)
				}
			},
			ConfigStateChecks: []statecheck.StateCheck{
				statecheck.ExpectKnownValue(functionAddress, tfjsonpath.New("tags"), knownvalue.ListExact([]knownvalue.Check{
					knownvalue.StringExact("b"), knownvalue.StringExact("c"),
				})),
			},
		},
	)
}

// The official provider does not read the runtime, so that it deploys an imported
// function again.
func TestFunction_ReadsRuntime(t *testing.T) {
	t.Parallel()
	w := start(t)
	c := w.commandLine(t, nodeFunction(""))
	c.apply()
	c.reimport(functionAddress)
	c.expectAttribute(functionAddress, "runtime", "node22")
	c.expectEmptyPlan()
	w.expectRequests(t, 0, "PATCH", "/functions/")
	w.expectRequests(t, 0, "POST", "/deploy$")
	c.destroy()
}

// The official provider removes a function from the state although the deletion
// failed, and does not wait for a deletion.
func TestFunction_DestroyWaitsAndReportsErrors(t *testing.T) {
	t.Parallel()
	w := start(t)
	w.run(t,
		resource.TestStep{Config: w.config("%s", nodeFunction(""))},
		resource.TestStep{
			PreConfig:   func() { w.front.Answer(1, "DELETE", "/functions/[0-9a-f]", 403, `{"message":"not this one"}`) },
			Config:      w.config(namespace),
			ExpectError: regexp.MustCompile(`Cannot delete the function[\s\S]*not this one`),
		},
		resource.TestStep{
			PreConfig: w.front.Forget,
			Config:    w.config(namespace),
			PostApplyFunc: func() {
				w.expectRequests(t, 1, "DELETE", "/functions/[0-9a-f]")
				all := w.front.Requests("", "/functions/[0-9a-f]")
				if last := all[len(all)-1]; last.Method != "GET" {
					t.Errorf("got %s as the last request, want GET until the function is gone", last.Method)
				}
			},
		},
	)
}

// The official provider crashes if the API returns no timeout.
func TestFunction_AnswerWithoutTimeout(t *testing.T) {
	t.Parallel()
	w := start(t)
	w.run(t,
		resource.TestStep{Config: w.config("%s", nodeFunction(""))},
		resource.TestStep{
			PreConfig:          func() { w.front.Rewrite(100, "GET", "/functions/[0-9a-f]", `"timeout":"300s"`, `"timeout":null`) },
			RefreshState:       true,
			ExpectNonEmptyPlan: false,
		},
		resource.TestStep{
			PreConfig: w.front.Forget,
			Config:    w.config("%s", nodeFunction("")),
			ConfigStateChecks: []statecheck.StateCheck{
				statecheck.ExpectKnownValue(functionAddress, tfjsonpath.New("timeout"), knownvalue.Int64Exact(300)),
			},
		},
	)
}

// The official provider does not store a function's project, and ignores a configured
// one.
func TestFunction_HasProjectOfNamespace(t *testing.T) {
	t.Parallel()
	w := start(t)
	const another = `  project_id = "11111111-1111-4111-8111-111111111112"`
	refused := regexp.MustCompile(`The namespace is in another project`)
	w.run(t,
		resource.TestStep{Config: w.config("%s", nodeFunction(another)), ExpectError: refused},
		resource.TestStep{
			Config: w.config("%s", nodeFunction("")),
			ConfigStateChecks: []statecheck.StateCheck{
				statecheck.ExpectKnownValue(functionAddress, tfjsonpath.New("project_id"), knownvalue.StringExact(w.ProjectID)),
				statecheck.ExpectKnownValue(functionAddress, tfjsonpath.New("organization_id"), knownvalue.StringExact(w.OrganizationID)),
			},
		},
		resource.TestStep{Config: w.config("%s", nodeFunction(fmt.Sprintf("  project_id = %q", w.ProjectID)))},
		// The plan already fails, before anything is destroyed.
		resource.TestStep{Config: w.config("%s", nodeFunction(another)), ExpectError: refused, PlanOnly: true},
	)
}
