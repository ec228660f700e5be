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
	function "github.com/scaleway/scaleway-sdk-go/api/function/v1beta1"

	"github.com/jeton-dev/jeton/internal/server"
	"github.com/jeton-dev/jeton/test/nameserver"
)

const domainAddress = "scaleway_function_domain.main"

func domainOf(functionID, hostname, more string) string {
	return nodeFunction("") + fmt.Sprintf(`
resource "scaleway_function_domain" "main" {
  function_id = %s
  hostname    = %q
%s
}
`, functionID, hostname, more)
}

func TestDomain_CreateReplaceImport(t *testing.T) {
	t.Parallel()
	w := start(t)
	empty := resource.ConfigPlanChecks{PreApply: []plancheck.PlanCheck{plancheck.ExpectEmptyPlan()}}
	w.run(t,
		resource.TestStep{
			Config: w.config("%s", domainOf("scaleway_function.main.id", "API.Example.com.", "")),
			ConfigStateChecks: []statecheck.StateCheck{
				statecheck.ExpectKnownValue(domainAddress, tfjsonpath.New("id"), knownvalue.StringRegexp(regexp.MustCompile(`^fr-par/`))),
				statecheck.ExpectKnownValue(domainAddress, tfjsonpath.New("function_id"), knownvalue.StringRegexp(regexp.MustCompile(`^fr-par/`))),
				statecheck.ExpectKnownValue(domainAddress, tfjsonpath.New("hostname"), knownvalue.StringExact("API.Example.com.")),
				statecheck.ExpectKnownValue(domainAddress, tfjsonpath.New("url"), knownvalue.StringExact("https://api.example.com")),
				statecheck.ExpectKnownValue(domainAddress, tfjsonpath.New("region"), knownvalue.StringExact("fr-par")),
			},
		},
		resource.TestStep{ResourceName: domainAddress, ImportState: true, ImportStateVerify: true, ImportStateVerifyIgnore: []string{"hostname"}},
		resource.TestStep{Config: w.config("%s", domainOf(bareMain, "api.example.com", "")), ConfigPlanChecks: empty},
		resource.TestStep{
			Config: w.config("%s", domainOf("scaleway_function.main.id", "www.example.com", "")),
			ConfigPlanChecks: resource.ConfigPlanChecks{PreApply: []plancheck.PlanCheck{
				plancheck.ExpectResourceAction(domainAddress, plancheck.ResourceActionReplace),
			}},
		},
		w.refused(domainOf("scaleway_function.main.id", "https://www.example.com", ""), `is not a valid hostname: write one such as api.example.com`),
		w.refused(domainOf("scaleway_function.main.id", "*.example.com", ""), `is not a valid hostname`),
		w.refused(domainOf(`"nl-ams/11111111-1111-4111-8111-111111111111"`, "www.example.com", ""), `Both must be the same`),
	)
}

// The official provider waits five seconds before each domain, and 15 minutes for a
// wrong DNS record.
func TestDomain_WaitsForDNSRecord(t *testing.T) {
	t.Parallel()
	names := nameserver.Start(t)
	w := start(t, func(c *server.Config) { c.DNSResolver = names.Address() })
	wrong := w.commandLine(t, domainOf("scaleway_function.main.id", "wrong.example.com", "  timeouts {\n    create = \"1s\"\n  }"))
	output, status := wrong.run("apply", "-no-color", "-auto-approve")
	if status != 1 {
		t.Errorf("exit status %d, want 1", status)
	}
	for _, want := range []string{"The hostname does not resolve to the function", "could not validate domain", "The provider tried for 1s"} {
		expectOnce(t, strings.Join(strings.Fields(output), " "), want)
	}
	if attempts := len(w.front.Requests("POST", "/domains$")); attempts < 2 {
		t.Errorf("got %d attempts, want several", attempts)
	}
	id := strings.TrimPrefix(wrong.attribute(functionAddress, "id"), "fr-par/")
	if list := must(w.api.ListDomains(&function.ListDomainsRequest{FunctionID: id})); list.TotalCount != 0 {
		t.Errorf("got %d domains after the failure, want 0", list.TotalCount)
	}
	// The record becomes visible while the provider repeats the request.
	w.front.Answer(3, "POST", "/domains$", 400, `{"message":"could not validate domain: not yet"}`)
	names.Alias("wrong.example.com", must(w.api.GetFunction(&function.GetFunctionRequest{FunctionID: id})).DomainName)
	wrong.write("main.tf", domainOf("scaleway_function.main.id", "wrong.example.com", ""))
	wrong.must("apply", "-no-color", "-auto-approve")
	wrong.expectEmptyPlan()
}

// A domain in status error fails the apply with the service's message, is stored, and
// is replaced by the next apply.
func TestDomain_ErrorFailsApply(t *testing.T) {
	t.Parallel()
	const why = `"status":"error","error_message":"failed to generate TLS certificates"`
	w := start(t)
	w.front.Rewrite(1, "POST", "/domains$", `"status":"pending","error_message":null`, why)
	c := w.commandLine(t, domainOf("scaleway_function.main.id", "api.example.com", ""))
	output, status := c.run("apply", "-no-color", "-auto-approve")
	if status != 1 {
		t.Errorf("exit status %d, want 1", status)
	}
	expectOnce(t, output, "The domain did not become ready")
	expectOnce(t, output, "failed to generate TLS certificates")
	expectOnce(t, c.apply(), "1 added, 0 changed, 1 destroyed")
	w.front.Rewrite(2, "GET", "/domains/", `"status":"ready","error_message":null`, why)
	expectOnce(t, c.must("plan", "-no-color"), "The domain is not ready")
	must(w.api.DeleteDomain(&function.DeleteDomainRequest{DomainID: strings.TrimPrefix(c.attribute(domainAddress, "id"), "fr-par/")}))
	c.must("destroy", "-no-color", "-auto-approve", "-refresh=false")
}
