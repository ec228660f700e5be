package provider_test

import (
	"fmt"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/hashicorp/terraform-plugin-testing/helper/resource"
	"github.com/hashicorp/terraform-plugin-testing/knownvalue"
	"github.com/hashicorp/terraform-plugin-testing/statecheck"
	"github.com/hashicorp/terraform-plugin-testing/tfjsonpath"
	function "github.com/scaleway/scaleway-sdk-go/api/function/v1beta1"
)

// The official provider cannot list tokens.
func TestTokensData_ListsAndFilters(t *testing.T) {
	t.Parallel()
	w := start(t)
	n := w.readyNamespace(&function.CreateNamespaceRequest{Name: "audited"})
	f := must(w.api.CreateFunction(&function.CreateFunctionRequest{
		Name: "main", NamespaceID: n.ID, Runtime: "node22", Handler: new("handler.handle"), Privacy: function.FunctionPrivacyPrivate,
	}))
	// More than one page of tokens.
	const many = 120
	for i := range many {
		w.issue(t, function.CreateTokenRequest{NamespaceID: &n.ID, Description: new(fmt.Sprintf("token %d", i))})
	}
	past, soon, late := time.Now().Add(-time.Hour), time.Now().Add(time.Hour), time.Now().Add(1000*time.Hour)
	old := w.issue(t, function.CreateTokenRequest{FunctionID: &f.ID, Description: new("old"), ExpiresAt: &past})
	w.issue(t, function.CreateTokenRequest{FunctionID: &f.ID, Description: new("soon"), ExpiresAt: &soon})
	w.issue(t, function.CreateTokenRequest{FunctionID: &f.ID, Description: new("late"), ExpiresAt: &late})
	w.issue(t, function.CreateTokenRequest{FunctionID: &f.ID, Description: new("for ever")})

	tests := map[string]struct {
		arguments string
		want      []string
	}{
		"all":            {"", []string{"old", "soon", "late", "for ever"}},
		"expired":        {"expired = true", []string{"old"}},
		"not expired":    {"expired = false", []string{"soon", "late", "for ever"}},
		"expires before": {fmt.Sprintf("expires_before = %q", time.Now().Add(2*time.Hour).Format(time.RFC3339)), []string{"old", "soon"}},
		"expires soon":   {fmt.Sprintf("expired = false\n  expires_before = %q", time.Now().Add(2*time.Hour).Format(time.RFC3339)), []string{"soon"}},
		"none":           {`expires_before = "2000-01-01T00:00:00Z"`, []string{}},
	}
	configuration, checks := "", []statecheck.StateCheck{}
	for name, test := range tests {
		label := strings.ReplaceAll(name, " ", "_")
		configuration += fmt.Sprintf("data \"scaleway_function_tokens\" %q {\n  function_id = %q\n  %s\n}\n", label, f.ID, test.arguments)
		wanted := []knownvalue.Check{}
		for _, description := range test.want {
			wanted = append(wanted, knownvalue.ObjectPartial(map[string]knownvalue.Check{"description": knownvalue.StringExact(description)}))
		}
		checks = append(checks, statecheck.ExpectKnownValue("data.scaleway_function_tokens."+label, tfjsonpath.New("tokens"), knownvalue.ListExact(wanted)))
	}
	configuration += fmt.Sprintf(`
data "scaleway_function_tokens" "namespace" { namespace_id = "fr-par/%s" }
data "scaleway_function_token" "old" { token_id = %q }
data "scaleway_function_token" "regional" { token_id = "fr-par/%s" }
`, n.ID, old, old)
	one := map[string]knownvalue.Check{
		"id":           knownvalue.StringExact("fr-par/" + old),
		"region":       knownvalue.StringExact("fr-par"),
		"function_id":  knownvalue.StringExact("fr-par/" + f.ID),
		"namespace_id": knownvalue.Null(),
		"description":  knownvalue.StringExact("old"),
		"expires_at":   knownvalue.StringExact(past.UTC().Format(time.RFC3339)),
		"expired":      knownvalue.Bool(true),
		"status":       knownvalue.StringExact("ready"),
	}
	for attribute, want := range one {
		for _, address := range []string{"data.scaleway_function_token.old", "data.scaleway_function_token.regional"} {
			checks = append(checks, statecheck.ExpectKnownValue(address, tfjsonpath.New(attribute), want))
		}
	}
	listed := tfjsonpath.New("tokens")
	checks = append(checks,
		statecheck.ExpectKnownValue("data.scaleway_function_tokens.namespace", listed, knownvalue.ListSizeExact(many)),
		statecheck.ExpectKnownValue("data.scaleway_function_tokens.namespace", listed.AtSliceIndex(many-1).AtMapKey("description"), knownvalue.StringExact(fmt.Sprintf("token %d", many-1))),
		statecheck.ExpectKnownValue("data.scaleway_function_tokens.namespace", listed.AtSliceIndex(0).AtMapKey("namespace_id"), knownvalue.StringExact("fr-par/"+n.ID)),
		statecheck.ExpectKnownValue("data.scaleway_function_tokens.namespace", listed.AtSliceIndex(0).AtMapKey("expired"), knownvalue.Bool(false)),
	)
	w.run(t,
		resource.TestStep{Config: w.config("%s", configuration), ConfigStateChecks: checks},
		resource.TestStep{
			Config:      w.config(`data "scaleway_function_token" "gone" { token_id = "nl-ams/%s" }`, old),
			ExpectError: regexp.MustCompile(`No such function token[\s\S]*nl-ams/` + old[:8]),
		},
		resource.TestStep{
			Config:      w.config(`data "scaleway_function_tokens" "nothing" {}`),
			ExpectError: regexp.MustCompile(`set\s+function_id\s+or\s+namespace_id`),
		},
		resource.TestStep{
			Config:      w.config(`data "scaleway_function_tokens" "other" { `+"\n namespace_id = \"fr-par/%s\"\n region = \"nl-ams\"\n}", n.ID),
			ExpectError: regexp.MustCompile(`Reference to another region`),
		},
	)
}

// issue creates a token without Terraform and returns its id.
func (w *world) issue(t *testing.T, request function.CreateTokenRequest) string {
	t.Helper()
	//nolint:staticcheck // The SDK marks tokens as deprecated; Jeton supports them.
	issued, err := w.api.CreateToken(&request)
	if err != nil {
		t.Fatal(err)
	}
	return issued.ID
}

func TestRuntimesData_ListsRuntimes(t *testing.T) {
	t.Parallel()
	w := start(t)
	all := must(w.api.ListFunctionRuntimes(&function.ListFunctionRuntimesRequest{})).Runtimes
	runtimes := tfjsonpath.New("runtimes")
	w.run(t,
		resource.TestStep{
			Config:      w.config(`data "scaleway_function_runtimes" "odd" { status = "old" }`),
			ExpectError: regexp.MustCompile(`"end_of_life"`),
		},
		resource.TestStep{
			Config: w.config(`
data "scaleway_function_runtimes" "all" {}
data "scaleway_function_runtimes" "node" {
  language = "node"
  status   = "end_of_support"
}
data "scaleway_function_runtimes" "none" { language = "cobol" }
output "node" { value = { for r in data.scaleway_function_runtimes.node.runtimes : r.name => r } }
`),
			ConfigStateChecks: []statecheck.StateCheck{
				statecheck.ExpectKnownValue("data.scaleway_function_runtimes.all", runtimes, knownvalue.ListSizeExact(len(all))),
				statecheck.ExpectKnownValue("data.scaleway_function_runtimes.none", runtimes, knownvalue.ListSizeExact(0)),
				statecheck.ExpectKnownOutputValueAtPath("node", tfjsonpath.New("node20"), knownvalue.ObjectExact(map[string]knownvalue.Check{
					"name":            knownvalue.StringExact("node20"),
					"language":        knownvalue.StringExact("Node"),
					"version":         knownvalue.StringExact("20"),
					"default_handler": knownvalue.StringExact("handler.handle"),
					"extension":       knownvalue.StringExact("js"),
					"status":          knownvalue.StringExact("end_of_support"),
					"status_message":  knownvalue.StringRegexp(regexp.MustCompile(`upgrade`)),
				})),
			},
		},
	)
}
