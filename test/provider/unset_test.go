package provider_test

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/hashicorp/terraform-plugin-go/tfprotov6"
	"github.com/hashicorp/terraform-plugin-go/tftypes"
	function "github.com/scaleway/scaleway-sdk-go/api/function/v1beta1"

	"github.com/jeton-dev/jeton/internal/provider"
)

// emptyTexts returns arguments that set each optional string of a schema to "", except
// for the given ones.
func emptyTexts(schema *tfprotov6.Schema, given ...string) string {
	text := ""
	for _, attribute := range schema.Block.Attributes {
		if attribute.Optional && attribute.Type != nil && attribute.Type.Is(tftypes.String) && !slices.Contains(given, attribute.Name) {
			text += "  " + attribute.Name + " = \"\"\n"
		}
	}
	for _, nested := range schema.Block.BlockTypes {
		if nested.TypeName == "timeouts" {
			text += "  timeouts {\n" + emptyTexts(&tfprotov6.Schema{Block: nested.Block}) + "  }\n"
		}
	}
	return text
}

// emptyEverything returns the configuration of one object of each type, with each
// optional string set to "" if the object does not need it.
func emptyEverything(schemas *tfprotov6.GetProviderSchemaResponse) string {
	resource := func(kind, arguments string, given ...string) string {
		return fmt.Sprintf("resource %q main {\n%s\n%s}\n", kind, arguments, emptyTexts(schemas.ResourceSchemas[kind], given...))
	}
	data := func(kind, name, arguments string, given ...string) string {
		return fmt.Sprintf("data %q %s {\n%s\n%s}\n", kind, name, arguments, emptyTexts(schemas.DataSourceSchemas[kind], given...))
	}
	queue := schemas.ResourceSchemas["scaleway_function_trigger"].Block.BlockTypes
	source := queue[slices.IndexFunc(queue, func(b *tfprotov6.SchemaNestedBlock) bool { return b.TypeName == "sqs" })]
	return "provider scaleway {\n" + emptyTexts(schemas.Provider) + "}\n" +
		resource("scaleway_function_namespace", "") +
		resource("scaleway_function", `
  namespace_id = scaleway_function_namespace.main.id
  runtime      = "node22"
  handler      = "handler.handle"
  privacy      = "private"`) +
		resource("scaleway_function_token", "  function_id = scaleway_function.main.id", "function_id") +
		resource("scaleway_function_cron", "  function_id = scaleway_function.main.id\n  schedule = \"@daily\"") +
		resource("scaleway_function_domain", "  function_id = scaleway_function.main.id\n  hostname = \"api.example.com\"") +
		resource("scaleway_function_trigger", "  function_id = scaleway_function.main.id\n  sqs {\n    queue = \"orders\"\n"+
			emptyTexts(&tfprotov6.Schema{Block: source.Block}, "queue")+"  }") +
		data("scaleway_function_namespace", "by_id", "  namespace_id = scaleway_function_namespace.main.id", "namespace_id") +
		data("scaleway_function_namespace", "by_name", "  name = scaleway_function_namespace.main.name", "name") +
		data("scaleway_function", "by_id", "  function_id = scaleway_function.main.id", "function_id") +
		data("scaleway_function", "by_name", "  namespace_id = scaleway_function_namespace.main.id\n  name = scaleway_function.main.name", "namespace_id", "name") +
		data("scaleway_function_cron", "by_id", "  cron_id = scaleway_function_cron.main.id", "cron_id") +
		data("scaleway_function_token", "main", "  token_id = scaleway_function_token.main.id") +
		data("scaleway_function_tokens", "main", "  function_id = scaleway_function.main.id", "function_id") +
		data("scaleway_function_runtimes", "main", "")
}

// In resources, data sources and the provider block, "" for an optional string means
// that it is not set.
func TestEmptyText_IsUnset(t *testing.T) {
	t.Parallel()
	w := start(t)
	schemas := must(provider.NewServer(w.options)().GetProviderSchema(t.Context(), &tfprotov6.GetProviderSchemaRequest{}))
	configuration := emptyEverything(schemas)
	for _, kinds := range []map[string]*tfprotov6.Schema{schemas.ResourceSchemas, schemas.DataSourceSchemas} {
		for kind := range kinds {
			if !strings.Contains(configuration, `"`+kind+`"`) {
				t.Errorf("the configuration has no %s", kind)
			}
		}
	}
	c := w.commandLine(t, configuration)
	c.apply()
	c.expectEmptyPlan()
	tests := map[string]struct{ address, attribute, want string }{
		"namespace, region":   {namespaceAddress, "region", "fr-par"},
		"namespace, project":  {namespaceAddress, "project_id", w.ProjectID},
		"function, option":    {functionAddress, "http_option", "enabled"},
		"function, sandbox":   {functionAddress, "sandbox", "v2"},
		"function, region":    {functionAddress, "region", "fr-par"},
		"token, region":       {tokenAddress, "region", "fr-par"},
		"cron, arguments":     {cronAddress, "args", "{}"},
		"domain, region":      {domainAddress, "region", "fr-par"},
		"trigger, region":     {triggerAddress, "region", "fr-par"},
		"data, function":      {"data.scaleway_function.by_name", "id", c.attribute(functionAddress, "id")},
		"data, namespace":     {"data.scaleway_function_namespace.by_name", "id", c.attribute(namespaceAddress, "id")},
		"data, cron's region": {"data.scaleway_function_cron.by_id", "region", "fr-par"},
	}
	for name, test := range tests {
		if got := c.attribute(test.address, test.attribute); got != test.want {
			t.Errorf("%s: %s.%s: got %q, want %q", name, test.address, test.attribute, got, test.want)
		}
	}
	for address, prefix := range map[string]string{namespaceAddress: "tf-func-", functionAddress: "tf-func-", triggerAddress: "tf-trigger-", cronAddress: "cron-"} {
		if name := c.attribute(address, "name"); !strings.HasPrefix(name, prefix) {
			t.Errorf("%s: got name %q, want a generated name %s...", address, name, prefix)
		}
	}
}

func TestEmptyText_IsUnsetInEphemeralResource(t *testing.T) {
	t.Parallel()
	w := start(t)
	schemas := must(provider.NewServer(w.options)().GetProviderSchema(t.Context(), &tfprotov6.GetProviderSchemaRequest{}))
	body := nodeFunction("") + "ephemeral scaleway_function_token main {\n  function_id = scaleway_function.main.id\n" +
		emptyTexts(schemas.EphemeralResourceSchemas["scaleway_function_token"], "function_id") + "}\n" +
		"provider scaleway {\n  alias = \"other\"\n  zone = ephemeral.scaleway_function_token.main.region\n}\n"
	c := w.commandLine(t, body)
	c.apply()
	c.expectEmptyPlan()
}

// An argument that becomes "" is removed on the server.
func TestEmptyText_RemovesValue(t *testing.T) {
	t.Parallel()
	w := start(t)
	configuration := func(text string) string {
		return strings.ReplaceAll(`
resource "scaleway_function_namespace" "main" {
  name        = "tests"
  description = "TEXT"
}
resource "scaleway_function" "main" {
  namespace_id = scaleway_function_namespace.main.id
  name         = "main"
  runtime      = "node22"
  handler      = "handler.handle"
  privacy      = "private"
  description  = "TEXT"
}`, "TEXT", text)
	}
	c := w.commandLine(t, configuration("all of it"))
	c.apply()
	c.configure(configuration(""))
	c.apply()
	c.expectEmptyPlan()
	for _, f := range must(w.api.ListFunctions(&function.ListFunctionsRequest{NamespaceID: strings.TrimPrefix(c.attribute(namespaceAddress, "id"), "fr-par/")})).Functions {
		if *f.Description != "" {
			t.Errorf("got description %q, want none", *f.Description)
		}
	}
}

// A null element of a map is left out, and the plan refuses a null tag.
func TestNullElements_OfMapsAndTags(t *testing.T) {
	t.Parallel()
	w := start(t)
	const arguments = `
  environment_variables                   = { A = null, B = "1" }
  secret_environment_variables            = { C = null, D = "2" }
  secret_environment_variables_wo         = { E = null, F = "3" }
  secret_environment_variables_wo_version = 1
`
	configuration := strings.Replace(nodeFunction(arguments), `name = "tests"`, "name = \"tests\"\n"+arguments, 1)
	c := w.commandLine(t, configuration)
	expectVariables := func(when string, variables map[string]string, secrets ...string) {
		t.Helper()
		n := must(w.api.GetNamespace(&function.GetNamespaceRequest{NamespaceID: strings.TrimPrefix(c.attribute(namespaceAddress, "id"), "fr-par/")}))
		f := must(w.api.GetFunction(&function.GetFunctionRequest{FunctionID: strings.TrimPrefix(c.attribute(functionAddress, "id"), "fr-par/")}))
		for noun, has := range map[string]struct {
			variables map[string]string
			secrets   []*function.SecretHashedValue
		}{"namespace": {n.EnvironmentVariables, n.SecretEnvironmentVariables}, "function": {f.EnvironmentVariables, f.SecretEnvironmentVariables}} {
			var keys []string
			for _, secret := range has.secrets {
				keys = append(keys, secret.Key)
			}
			slices.Sort(keys)
			if fmt.Sprint(has.variables) != fmt.Sprint(variables) || !slices.Equal(keys, secrets) {
				t.Errorf("%s: %s: got variables %v, secrets %v, want %v, %v", when, noun, has.variables, keys, variables, secrets)
			}
		}
	}
	c.apply()
	c.expectEmptyPlan()
	expectVariables("made", map[string]string{"B": "1"}, "D", "F")
	c.configure(strings.NewReplacer(`B = "1"`, `B = null`, `D = "2"`, `D = null`, "A = null", `A = "2"`).Replace(configuration))
	c.apply()
	c.expectEmptyPlan()
	expectVariables("changed", map[string]string{"A": "2"}, "F")
	for name, body := range map[string]string{
		"namespace": strings.Replace(configuration, `name = "tests"`, "name = \"tests\"\n  tags = [\"a\", null]", 1),
		"function":  strings.Replace(configuration, `name         = "main"`, "name = \"main\"\n  tags = [\"a\", null]", 1),
	} {
		c.configure(body)
		output, status := c.run("plan", "-no-color")
		if status == 0 || !strings.Contains(unfolded(output), "null") {
			t.Errorf("%s: a null tag: got exit status %d, want 1:\n%s", name, status, output)
		}
	}
}

// Unset values have the same form in the state as with the official provider, after an
// apply and after a refresh, so that expressions that need strings and collections work.
func TestUnsetValues_AreStoredLikeOfficialProvider(t *testing.T) {
	t.Parallel()
	w := start(t)
	c := w.commandLine(t, nodeFunction("")+`
resource "scaleway_function_token" "main" {
  function_id = scaleway_function.main.id
}
resource "scaleway_function_token" "namespace" {
  namespace_id = scaleway_function_namespace.main.id
}
resource "scaleway_function_trigger" "main" {
  function_id = scaleway_function.main.id
  sqs { queue = "orders" }
}
data "scaleway_function" "main" {
  function_id = scaleway_function.main.id
}
data "scaleway_function_namespace" "main" {
  namespace_id = scaleway_function_namespace.main.id
}
output "template" {
  value = "<${scaleway_function.main.description}${scaleway_function.main.private_network_id}${scaleway_function_token.main.expires_at}${join(",", scaleway_function.main.tags)}>"
}
output "function" {
  value = data.scaleway_function.main
}
output "namespace" {
  value = data.scaleway_function_namespace.main
}
resource "terraform_data" "each" {
  for_each = data.scaleway_function.main.secret_environment_variables
}
`)
	want := map[string]string{
		"scaleway_function_namespace.main.description":                  `""`,
		"scaleway_function_namespace.main.tags":                         `[]`,
		"scaleway_function_namespace.main.environment_variables":        `{}`,
		"scaleway_function_namespace.main.secret_environment_variables": `{}`,
		"scaleway_function.main.description":                            `""`,
		"scaleway_function.main.private_network_id":                     `""`,
		"scaleway_function.main.tags":                                   `[]`,
		"scaleway_function.main.environment_variables":                  `{}`,
		"scaleway_function.main.secret_environment_variables":           `{}`,
		"scaleway_function.main.zip_file":                               `null`,
		"scaleway_function_token.main.description":                      `""`,
		"scaleway_function_token.main.expires_at":                       `""`,
		"scaleway_function_token.main.namespace_id":                     `""`,
		"scaleway_function_token.namespace.function_id":                 `""`,
		"scaleway_function_trigger.main.description":                    `""`,
	}
	expect := func(when string) {
		t.Helper()
		found := map[string]json.RawMessage{}
		for _, resource := range parseState(t, c.read("terraform.tfstate")).Resources {
			for _, instance := range resource.Instances {
				for name, value := range instance.Attributes {
					found[resource.Type+"."+resource.Name+"."+name] = value
				}
			}
		}
		for address, text := range want {
			if got := string(found[address]); got != text {
				t.Errorf("%s: %s: got %s, want %s", when, address, got, text)
			}
		}
	}
	// The keys of the map are known after the function has been created.
	c.apply("-target=scaleway_function.main")
	c.apply()
	expect("after the apply")
	c.expectEmptyPlan()
	if got := strings.TrimSpace(c.must("output", "-raw", "template")); got != "<>" {
		t.Errorf("got template %q", got)
	}
	// A refresh replaces null in these attributes.
	state := c.read("terraform.tfstate")
	for _, empty := range []string{`"description": ""`, `"expires_at": ""`, `"private_network_id": ""`, `"tags": []`, `"environment_variables": {}`, `"secret_environment_variables": {}`} {
		state = strings.ReplaceAll(state, empty, empty[:strings.Index(empty, ":")]+": null")
	}
	c.write("terraform.tfstate", state)
	c.apply("-refresh-only")
	expect("after a refresh")
	c.expectEmptyPlan()
	w.expectRequests(t, 0, "PATCH", "")
}

// Timeouts are not part of an object: a change of only the timeouts plans nothing, and
// takes effect with the next change.
func TestTimeouts_ChangeOfOnlyTimeoutsIsNoChange(t *testing.T) {
	t.Parallel()
	w := start(t)
	timeouts := "  timeouts {\n    delete = \"1m\"\n  }\n"
	body := func(more string) string {
		return strings.Replace(nodeFunction(more), `name = "tests"`, "name = \"tests\"\n"+more, 1) + `
resource "scaleway_function_cron" "main" {
  function_id = scaleway_function.main.id
  schedule    = "@daily"
` + more + "}\n"
	}
	c := w.commandLine(t, body(""))
	c.apply()
	c.configure(body(timeouts))
	c.expectEmptyPlan()
	c.configure(strings.Replace(body(timeouts), "@daily", "@hourly", 1))
	expectOnce(t, c.apply(), "0 added, 1 changed, 0 destroyed")
	if !strings.Contains(c.read("terraform.tfstate"), `"delete": "1m"`) {
		t.Error("the state does not contain the timeouts after a change")
	}
	c.expectEmptyPlan()
	c.configure(strings.Replace(body(""), "@daily", "@hourly", 1))
	c.expectEmptyPlan()
}
