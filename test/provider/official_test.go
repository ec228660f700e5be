package provider_test

import (
	"os"
	"strings"
	"testing"
	"time"

	function "github.com/scaleway/scaleway-sdk-go/api/function/v1beta1"

	"github.com/jeton-dev/jeton/test/official"
)

// official creates the objects of testdata/official-example.tf on the server. It
// returns the configuration, and the state that the official provider (built from its
// source of August 2026) wrote for it, with the ids of this server.
func (w *world) official(t *testing.T) (configuration, state string) {
	t.Helper()
	n := w.readyNamespace(&function.CreateNamespaceRequest{Name: "test-function-token-ns"})
	f := must(w.api.CreateFunction(&function.CreateFunctionRequest{
		Name: "tf-func-tender-faraday", NamespaceID: n.ID, Runtime: "go118", Handler: new("Handle"),
		Privacy: function.FunctionPrivacyPrivate, MaxScale: new(uint32(20)), MemoryLimit: new(uint32(256)),
	}))
	//nolint:staticcheck // The SDK marks tokens as deprecated; Jeton supports them.
	ofFunction := must(w.api.CreateToken(&function.CreateTokenRequest{FunctionID: &f.ID}))
	expiry := must(time.Parse(time.RFC3339, "2027-10-18T11:35:15+02:00"))
	//nolint:staticcheck // As above.
	ofNamespace := must(w.api.CreateToken(&function.CreateTokenRequest{NamespaceID: &n.ID, ExpiresAt: &expiry}))
	state = strings.NewReplacer(
		"d049a22d-92fd-48a5-9b3f-8c5633c313d3", n.ID,
		"a570d8b5-572f-49c2-9821-f3e363d3f2dc", f.ID,
		"7b7861e8-205f-4432-950b-310a018d8403", ofFunction.ID,
		"ee65ece9-a09d-406d-a350-bd9883386c54", ofNamespace.ID,
		`"organization_id": "11111111-1111-4111-8111-111111111111"`, `"organization_id": "`+w.OrganizationID+`"`,
		`"project_id": "11111111-1111-4111-8111-111111111111"`, `"project_id": "`+w.ProjectID+`"`,
		"rg.fr-par.scw.cloud/funcscwtest-function-token-nsd049a22d", n.RegistryEndpoint,
		"040242db-3751-4876-b294-017afa7cbe90", n.RegistryNamespaceID,
		"test-function-token-nsa570d8b5-tf-func-tender-faraday.functions.fnc.fr-par.scw.cloud", f.DomainName,
	).Replace(testdata(t, "official-example.tfstate"))
	return testdata(t, "official-example.tf"), state
}

func testdata(t *testing.T, name string) string {
	t.Helper()
	return string(must(os.ReadFile("testdata/" + name)))
}

// must returns the result of a call, and panics if it failed.
func must[T any](result T, err error) T {
	if err != nil {
		panic(err)
	}
	return result
}

// The plan is empty however the state is handed over, and the server is not changed.
func TestOfficialState_PlanIsEmpty(t *testing.T) {
	t.Parallel()
	w := start(t)
	configuration, state := w.official(t)
	toOwn := strings.NewReplacer(official.Address, ownAddress)
	tests := map[string]struct {
		configuration string
		takeOver      []string
	}{
		"under the official address": {configuration: configuration},
		"another source":             {toOwn.Replace(configuration), []string{"apply", "-no-color", "-refresh-only", "-auto-approve"}},
		"replace-provider":           {toOwn.Replace(configuration), []string{"state", "replace-provider", "-auto-approve", official.Address, ownAddress}},
	}
	t.Run("ways", func(t *testing.T) {
		for name, test := range tests {
			t.Run(name, func(t *testing.T) {
				t.Parallel()
				c := w.commandLine(t, test.configuration)
				c.write("terraform.tfstate", state)
				c.expectEmptyPlan()
				if test.takeOver != nil {
					c.must(test.takeOver...)
					c.expectEmptyPlan()
				}
			})
		}
	})
	for _, method := range []string{"POST", "PATCH", "DELETE"} {
		w.expectRequests(t, 0, method, "")
	}
}

func TestOfficialState_MovedBlock(t *testing.T) {
	t.Parallel()
	w := start(t)
	configuration, state := w.official(t)
	configuration = strings.NewReplacer(
		official.Address, ownAddress,
		"scaleway_function_token function {", "scaleway_function_token renamed {",
		"scaleway_function_token namespace {", "scaleway_function_token other {",
	).Replace(configuration) + `
moved {
  from = scaleway_function_token.function
  to   = scaleway_function_token.renamed
}
moved {
  from = scaleway_function_token.namespace
  to   = scaleway_function_token.other
}
`
	c := w.commandLine(t, configuration)
	c.write("terraform.tfstate", state)
	applied := c.apply()
	expectOnce(t, applied, "0 added, 0 changed, 0 destroyed")
	if got := c.attribute("scaleway_function_token.renamed", "token"); !strings.HasPrefix(got, "eyJ") {
		t.Errorf("the moved token: got value %q", got)
	}
	c.expectEmptyPlan()
}

// The official provider imports a function without its runtime, archive and deploy.
func TestOfficialState_ImportedFunction(t *testing.T) {
	t.Parallel()
	w := start(t)
	configuration, state := w.official(t)
	c := w.commandLine(t, configuration)
	c.write("terraform.tfstate", strings.NewReplacer(`"runtime": "go118"`, `"runtime": null`, `"deploy": false`, `"deploy": null`).Replace(state))
	if output, status := c.run("plan", "-no-color", "-detailed-exitcode"); status != 0 {
		t.Errorf("plan: got exit status %d:\n%s", status, output)
	}
	// Without a refresh the plan changes the runtime, and the apply then finds nothing to
	// change.
	c.apply("-refresh=false")
	w.expectRequests(t, 0, "PATCH", "")
	w.expectRequests(t, 0, "POST", "")
	c.expectEmptyPlan()
}
