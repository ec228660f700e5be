package provider_test

import (
	"fmt"
	"regexp"
	"testing"

	"github.com/hashicorp/terraform-plugin-testing/helper/resource"
	"github.com/hashicorp/terraform-plugin-testing/knownvalue"
	"github.com/hashicorp/terraform-plugin-testing/plancheck"
	"github.com/hashicorp/terraform-plugin-testing/statecheck"
	"github.com/hashicorp/terraform-plugin-testing/tfjsonpath"
)

const namespaceAddress = "scaleway_function_namespace.main"

func TestNamespace_CreateUpdateImport(t *testing.T) {
	t.Parallel()
	w := start(t)
	w.run(t,
		resource.TestStep{
			Config: w.config(`
resource "scaleway_function_namespace" "main" {
  description                  = "first"
  tags                         = ["b", "a"]
  environment_variables        = { PLAIN = "1" }
  secret_environment_variables = { HIDDEN = "secret-1", OTHER = "secret-2" }
  timeouts {
    create  = "1m"
    default = "2m"
  }
}`),
			ConfigStateChecks: []statecheck.StateCheck{
				statecheck.ExpectKnownValue(namespaceAddress, tfjsonpath.New("name"), knownvalue.StringRegexp(regexp.MustCompile(`^tf-func-[a-z]+-[a-z]+$`))),
				statecheck.ExpectKnownValue(namespaceAddress, tfjsonpath.New("registry_endpoint"), knownvalue.StringRegexp(regexp.MustCompile(`^rg\.fr-par\.scw\.cloud/funcscw`))),
				statecheck.ExpectKnownValue(namespaceAddress, tfjsonpath.New("project_id"), knownvalue.StringExact(w.ProjectID)),
				statecheck.ExpectKnownValue(namespaceAddress, tfjsonpath.New("organization_id"), knownvalue.StringExact(w.OrganizationID)),
				statecheck.ExpectKnownValue(namespaceAddress, tfjsonpath.New("region"), knownvalue.StringExact("fr-par")),
			},
		},
		resource.TestStep{
			Config: w.config(`
resource "scaleway_function_namespace" "main" {
  environment_variables        = { PLAIN = "2" }
  secret_environment_variables = { HIDDEN = "secret-1", OTHER = "secret-3" }
}`),
			ConfigPlanChecks: resource.ConfigPlanChecks{PreApply: []plancheck.PlanCheck{
				plancheck.ExpectResourceAction(namespaceAddress, plancheck.ResourceActionUpdate),
			}},
			Check: func(*terraformState) error {
				patch := w.expectRequests(t, 1, "PATCH", "/namespaces/")
				want := `{"environment_variables":{"PLAIN":"2"},"description":"","secret_environment_variables":[{"key":"OTHER","value":"secret-3"}],"tags":[]}`
				if len(patch) == 1 && patch[0].Body != want {
					return fmt.Errorf("got request %s, want %s", patch[0].Body, want)
				}
				return nil
			},
		},
		resource.TestStep{
			ResourceName:            namespaceAddress,
			ImportState:             true,
			ImportStateVerify:       true,
			ImportStateVerifyIgnore: []string{"secret_environment_variables"},
		},
	)
}

func TestNamespace_DeletedOutsideTerraform(t *testing.T) {
	t.Parallel()
	w := start(t)
	w.run(t,
		resource.TestStep{Config: w.config(namespace)},
		resource.TestStep{
			PreConfig: func() { w.deleteNamespaces(t) },
			Config:    w.config(namespace),
			ConfigPlanChecks: resource.ConfigPlanChecks{PreApply: []plancheck.PlanCheck{
				plancheck.ExpectResourceAction(namespaceAddress, plancheck.ResourceActionCreate),
			}},
		},
		resource.TestStep{
			// The namespace is deleted between the refresh and the destruction.
			PreConfig: func() {
				w.front.Answer(1, "DELETE", "/namespaces/", 404, `{"message":"Namespace was not found"}`)
			},
			Config:  w.config(namespace),
			Destroy: true,
		},
	)
}

func TestNamespace_InAnotherRegion(t *testing.T) {
	t.Parallel()
	w := start(t)
	w.run(t,
		resource.TestStep{Config: w.config(namespace)},
		resource.TestStep{
			Config: w.config(`
resource "scaleway_function_namespace" "main" {
  name   = "tests"
  region = "nl-ams"
}
resource "scaleway_function_token" "main" {
  namespace_id = scaleway_function_namespace.main.id
  region       = "nl-ams"
}`),
			ConfigPlanChecks: resource.ConfigPlanChecks{PreApply: []plancheck.PlanCheck{
				plancheck.ExpectResourceAction(namespaceAddress, plancheck.ResourceActionReplace),
			}},
			ConfigStateChecks: []statecheck.StateCheck{
				statecheck.ExpectKnownValue("scaleway_function_token.main", tfjsonpath.New("id"), knownvalue.StringRegexp(regexp.MustCompile(`^nl-ams/`))),
			},
		},
		resource.TestStep{
			Config: w.config(`
resource "scaleway_function_namespace" "main" {
  name   = "tests"
  region = "nl-ams"
}
resource "scaleway_function_token" "main" {
  namespace_id = scaleway_function_namespace.main.id
}
resource "scaleway_function_token" "here" {
  namespace_id = scaleway_function_namespace.main.id
}`),
			ExpectError: regexp.MustCompile(`(?s)Reference to another region.*set\s+region\s+=\s+"nl-ams"`),
		},
	)
}

func (w *world) deleteNamespaces(t *testing.T) {
	t.Helper()
	for _, id := range w.namespaceIDs(t) {
		w.deleteNamespace(t, id)
	}
}
