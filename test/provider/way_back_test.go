package provider_test

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/jeton-dev/jeton/test/official"
)

// The official provider can read states of this provider. It cannot be built here, so
// the states are compared with its schema: terraform-plugin-sdk/v2 ignores unknown
// attributes, fails on another type, and accepts private data that is a JSON object.
func TestWayBack_OfficialProviderCanReadStates(t *testing.T) {
	t.Parallel()
	w := start(t)
	schema := must(official.ReadSchema())
	c := w.commandLine(t, everything)
	c.archive("first")
	seen := map[string]bool{}
	look := func(when string) {
		t.Helper()
		for _, resource := range parseState(t, c.read("terraform.tfstate")).Resources {
			for _, instance := range resource.Instances {
				if instance.SchemaVersion != 0 {
					t.Errorf("%s: %s.%s: got schema version %d, want 0", when, resource.Type, resource.Name, instance.SchemaVersion)
				}
				var private map[string]any
				if err := json.Unmarshal(instance.Private, &private); len(instance.Private) > 0 && err != nil {
					t.Errorf("%s: the private data of %s.%s is not a JSON object: %v", when, resource.Type, resource.Name, err)
				}
				for _, problem := range schema.Resources[resource.Type].Unreadable(instance.Attributes) {
					t.Errorf("%s: %s.%s: %s", when, resource.Type, resource.Name, problem)
				}
				seen[resource.Type] = true
			}
		}
	}
	c.apply()
	look("after the apply")
	c.apply("-refresh-only")
	look("after a refresh")
	for _, of := range []string{namespaceAddress, functionAddress, tokenAddress, cronAddress, domainAddress, triggerAddress} {
		c.reimport(of)
	}
	look("after an import")
	for _, of := range []string{official.NamespaceType, official.FunctionType, official.TokenType, official.CronType, official.DomainType, official.TriggerType} {
		if !seen[of] {
			t.Errorf("no state contains a %s", of)
		}
	}
}

// everything uses every argument that only this provider has.
const everything = `
resource "scaleway_function_namespace" "main" {
  name                                    = "tests"
  tags                                    = ["a"]
  secret_environment_variables            = { A = "1" }
  secret_environment_variables_wo         = { B = "2" }
  secret_environment_variables_wo_version = 1
  timeouts { create = "1m" }
}
resource "scaleway_function" "main" {
  namespace_id                            = scaleway_function_namespace.main.id
  name                                    = "main"
  runtime                                 = "node22"
  handler                                 = "handler.handle"
  privacy                                 = "private"
  zip_file                                = "function.zip"
  deploy                                  = true
  environment_variables                   = { C = "3" }
  secret_environment_variables_wo         = { B = "2" }
  secret_environment_variables_wo_version = 1
  timeouts { default = "5m" }
}
resource "scaleway_function_token" "main" {
  function_id = scaleway_function.main.id
  rotation { ttl = "720h" }
}
resource "scaleway_function_cron" "main" {
  function_id = scaleway_function.main.id
  schedule    = "@daily"
  timeouts { create = "1m" }
}
resource "scaleway_function_domain" "main" {
  function_id = scaleway_function.main.id
  hostname    = "api.example.com"
}
resource "scaleway_function_trigger" "main" {
  function_id = scaleway_function.main.id
  nats { subject = "orders.>" }
}
`

// The check finds states that the official provider cannot read.
func TestWayBack_CheckFindsUnreadableStates(t *testing.T) {
	t.Parallel()
	types := must(official.ReadSchema()).Resources
	tests := map[string]struct{ of, attributes, want string }{
		"another type":        {official.TokenType, `{"id":"x","function_id":["x"],"namespace_id":null,"description":"","expires_at":"","token":"x","region":null}`, "function_id cannot be read"},
		"a missing attribute": {official.TokenType, `{"id":"x","function_id":"x","namespace_id":null,"description":"","expires_at":"","token":"x"}`, "region is missing"},
		"a required null":     {official.FunctionType, `{"handler":null,"timeouts":null}`, "handler is required and null"},
		"another timeout":     {official.NamespaceType, `{"timeouts":{"build":"1m"}}`, "timeouts has build"},
	}
	for name, test := range tests {
		var attributes map[string]json.RawMessage
		if err := json.Unmarshal([]byte(test.attributes), &attributes); err != nil {
			t.Fatal(err)
		}
		if problems := strings.Join(types[test.of].Unreadable(attributes), "\n"); !strings.Contains(problems, test.want) {
			t.Errorf("%s: got problems %q, want %q", name, problems, test.want)
		}
	}
}
