package provider_test

import (
	"fmt"
	"regexp"
	"strings"
	"testing"

	"github.com/hashicorp/terraform-plugin-testing/helper/resource"
	"github.com/hashicorp/terraform-plugin-testing/knownvalue"
	"github.com/hashicorp/terraform-plugin-testing/statecheck"
	"github.com/hashicorp/terraform-plugin-testing/tfjsonpath"
	function "github.com/scaleway/scaleway-sdk-go/api/function/v1beta1"
)

// manyFunctions is more than one page, whose default size is 20.
const manyFunctions = 25

// crowded creates a namespace with many functions whose names contain the name of the
// first. It returns the namespace and the first function.
func (w *world) crowded(t *testing.T) (*function.Namespace, *function.Function) {
	t.Helper()
	n := w.readyNamespace(&function.CreateNamespaceRequest{
		Name: "crowded", Description: new("full"), Tags: []string{"a"}, EnvironmentVariables: &map[string]string{"A": "1"},
		SecretEnvironmentVariables: []*function.Secret{{Key: "HIDDEN", Value: new("s3cr3t")}},
	})
	var last *function.Function
	for i := manyFunctions; i > 0; i-- {
		name := strings.TrimSuffix(fmt.Sprintf("main-%d", i), "-1")
		last = must(w.api.CreateFunction(&function.CreateFunctionRequest{
			Name: name, NamespaceID: n.ID, Runtime: "node22", Handler: new("handler.handle"), Privacy: function.FunctionPrivacyPrivate,
		}))
	}
	return n, last
}

func TestFunctionData_ByNameOrID(t *testing.T) {
	t.Parallel()
	w := start(t)
	n, f := w.crowded(t)
	shown := map[string]knownvalue.Check{
		"id":                    knownvalue.StringExact("fr-par/" + f.ID),
		"name":                  knownvalue.StringExact("main"),
		"region":                knownvalue.StringExact("fr-par"),
		"project_id":            knownvalue.StringExact(w.ProjectID),
		"organization_id":       knownvalue.StringExact(w.OrganizationID),
		"runtime":               knownvalue.StringExact("node22"),
		"handler":               knownvalue.StringExact("handler.handle"),
		"privacy":               knownvalue.StringExact("private"),
		"memory_limit":          knownvalue.Int64Exact(256),
		"timeout":               knownvalue.Int64Exact(300),
		"domain_name":           knownvalue.StringExact(f.DomainName),
		"url":                   knownvalue.StringExact(w.GatewayURL + "/functions/" + f.ID),
		"description":           knownvalue.StringExact(""),
		"private_network_id":    knownvalue.StringExact(""),
		"tags":                  knownvalue.ListExact(nil),
		"zip_file":              knownvalue.Null(),
		"deploy":                knownvalue.Null(),
		"environment_variables": knownvalue.MapExact(nil),
	}
	configuration, checks := "", []statecheck.StateCheck{}
	for label, arguments := range map[string]string{
		"bare":     fmt.Sprintf("function_id = %q", f.ID),
		"regional": fmt.Sprintf("function_id = \"fr-par/%s\"", f.ID),
		"official": fmt.Sprintf("function_id = %q\n  namespace_id = %q", f.ID, n.ID),
		"misnamed": fmt.Sprintf("function_id = %q\n  name = \"other\"", f.ID),
		"named":    fmt.Sprintf("name = \"main\"\n  namespace_id = \"fr-par/%s\"\n  project_id = %q", n.ID, w.ProjectID),
	} {
		configuration += fmt.Sprintf("data \"scaleway_function\" %q {\n  %s\n}\n", label, arguments)
		for attribute, want := range shown {
			checks = append(checks, statecheck.ExpectKnownValue("data.scaleway_function."+label, tfjsonpath.New(attribute), want))
		}
	}
	checks = append(checks, statecheck.ExpectKnownValue("data.scaleway_function.named", tfjsonpath.New("function_id"), knownvalue.StringExact("fr-par/"+f.ID)))
	fails := func(arguments, want string) resource.TestStep {
		return w.refused(fmt.Sprintf("data \"scaleway_function\" \"main\" {\n%s\n}", arguments), want)
	}
	within := fmt.Sprintf("namespace_id = %q\n", n.ID)
	w.run(t,
		fails(within+`name = "mai"`, `No such function.*with the name "mai" in namespace fr-par/`+n.ID),
		fails(`name = "main"`, `set function_id, or set namespace_id and name`),
		fails(fmt.Sprintf(`function_id = "nl-ams/%s"`, f.ID), `No such function.*nl-ams/`+f.ID),
		fails(fmt.Sprintf("function_id = %q\nproject_id = \"11111111-1111-4111-8111-111111111112\"", f.ID), `has project_id`),
		fails(fmt.Sprintf("function_id = %q\nregion = \"nl-ams\"", "fr-par/"+f.ID), `Reference to another region`),
		resource.TestStep{Config: w.config("%s", configuration), ConfigStateChecks: checks},
	)
}

func TestNamespaceData_ByNameOrID(t *testing.T) {
	t.Parallel()
	w := start(t)
	n, _ := w.crowded(t)
	for i := range manyFunctions {
		must(w.api.CreateNamespace(&function.CreateNamespaceRequest{Name: fmt.Sprintf("crowded-%d", i)}))
	}
	configuration, checks := "", []statecheck.StateCheck{}
	for label, arguments := range map[string]string{
		"bare":     fmt.Sprintf("namespace_id = %q", n.ID),
		"regional": fmt.Sprintf("namespace_id = \"fr-par/%s\"", n.ID),
		"named":    `name = "crowded"`,
		"project":  fmt.Sprintf("name = \"crowded\"\n  project_id = %q", w.ProjectID),
	} {
		configuration += fmt.Sprintf("data \"scaleway_function_namespace\" %q {\n  %s\n}\n", label, arguments)
		for attribute, want := range map[string]knownvalue.Check{
			"id":                           knownvalue.StringExact("fr-par/" + n.ID),
			"name":                         knownvalue.StringExact("crowded"),
			"description":                  knownvalue.StringExact("full"),
			"tags":                         knownvalue.ListExact([]knownvalue.Check{knownvalue.StringExact("a")}),
			"environment_variables":        knownvalue.MapExact(map[string]knownvalue.Check{"A": knownvalue.StringExact("1")}),
			"secret_environment_variables": knownvalue.MapExact(map[string]knownvalue.Check{"HIDDEN": knownvalue.StringRegexp(regexp.MustCompile(`^\$argon2id\$`))}),
			"project_id":                   knownvalue.StringExact(w.ProjectID),
			"organization_id":              knownvalue.StringExact(w.OrganizationID),
			"registry_endpoint":            knownvalue.StringExact(n.RegistryEndpoint),
		} {
			checks = append(checks, statecheck.ExpectKnownValue("data.scaleway_function_namespace."+label, tfjsonpath.New(attribute), want))
		}
	}
	fails := func(arguments, want string) resource.TestStep {
		return w.refused(fmt.Sprintf("data \"scaleway_function_namespace\" \"main\" {\n%s\n}", arguments), want)
	}
	w.run(t,
		fails(`name = "crowd"`, `No such function namespace.*with the name "crowd" in fr-par`),
		fails(``, `set namespace_id or name`),
		fails(fmt.Sprintf("name = \"crowded\"\nnamespace_id = %q", n.ID), `remove namespace_id or name`),
		fails(fmt.Sprintf("namespace_id = %q\nproject_id = \"11111111-1111-4111-8111-111111111112\"", n.ID), `is in project `+w.ProjectID),
		resource.TestStep{Config: w.config("%s", configuration), ConfigStateChecks: checks},
	)
}

// A key may read namespaces with the same name in several projects.
func TestNamespaceData_AmbiguousName(t *testing.T) {
	t.Parallel()
	w := start(t)
	for _, id := range []string{"11111111-1111-4111-8111-111111111111", "11111111-1111-4111-8111-111111111112"} {
		// One page per namespace.
		w.front.Answer(1, "GET", "/namespaces$", 200, fmt.Sprintf(`{"namespaces":[{"id":%q,"name":"shop","status":"ready"}],"total_count":2}`, id))
	}
	w.run(t, w.refused(`data "scaleway_function_namespace" "main" { name = "shop" }`,
		`Ambiguous function namespace name.*2 function namespaces with the name "shop".*set project_id`))
}

// The service's filter may return objects with other names.
func TestData_MatchesWholeName(t *testing.T) {
	t.Parallel()
	w := start(t)
	w.front.Answer(100, "GET", "/namespaces$", 200,
		`{"namespaces":[{"id":"11111111-1111-4111-8111-111111111111","name":"shopping","status":"ready"}],"total_count":1}`)
	w.run(t, w.refused(`data "scaleway_function_namespace" "main" { name = "shop" }`, `No such function namespace`))
}

// refused returns a step that fails with a message. The expression want matches any
// white space where it has a blank.
func (w *world) refused(configuration, want string) resource.TestStep {
	return resource.TestStep{
		Config:      w.config("%s", configuration),
		ExpectError: regexp.MustCompile(`(?s)` + strings.ReplaceAll(want, " ", `\s+`)),
	}
}
