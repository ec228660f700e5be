package provider_test

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/hashicorp/terraform-plugin-go/tftypes"
)

// TestWayBack: the official provider reads what this one has written. It cannot be
// built here, so the states are compared with its schema: terraform-plugin-sdk/v2
// leaves out attributes that it does not know, fails on one of another type, and
// takes private data that is a JSON object.
func TestWayBack(t *testing.T) {
	t.Parallel()
	w := start(t)
	schema := readOfficialSchema(t)
	c := w.commandLine(t, everything)
	c.archive("first")
	seen := map[string]bool{}
	look := func(when string) {
		t.Helper()
		for _, resource := range parseState(t, c.read("terraform.tfstate")).Resources {
			for _, instance := range resource.Instances {
				if instance.SchemaVersion != 0 {
					t.Errorf("%s: %s.%s has schema version %d", when, resource.Type, resource.Name, instance.SchemaVersion)
				}
				var private map[string]any
				if err := json.Unmarshal(instance.Private, &private); len(instance.Private) > 0 && err != nil {
					t.Errorf("%s: the private data of %s.%s is no object: %v", when, resource.Type, resource.Name, err)
				}
				for _, problem := range schema.Resources[resource.Type].unreadable(instance.Attributes) {
					t.Errorf("%s: %s.%s: %s", when, resource.Type, resource.Name, problem)
				}
				seen[resource.Type] = true
			}
		}
	}
	c.must("apply", "-no-color", "-auto-approve")
	look("after the apply")
	c.must("apply", "-no-color", "-auto-approve", "-refresh-only")
	look("after a refresh")
	for _, of := range []string{namespaceAddress, functionAddress, tokenAddress, cronAddress} {
		id := c.attribute(of, "id")
		c.must("state", "rm", of)
		c.must("import", "-no-color", of, id)
	}
	look("after an import")
	for _, of := range []string{namespaceType, functionType, tokenType, cronType} {
		if !seen[of] {
			t.Errorf("no state of a %s was looked at", of)
		}
	}
}

// everything uses all that this provider has and the official one has not.
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
`

// unreadable returns what the official type cannot read of the attributes, or
// misses in them.
func (o officialType) unreadable(attributes map[string]json.RawMessage) []string {
	var problems []string
	for name, described := range o.Attributes {
		text, ok := attributes[name]
		switch {
		case !ok:
			problems = append(problems, "there is no "+name)
		case string(text) == "null":
			if described.Required {
				problems = append(problems, name+" is null, which is required")
			}
		default:
			//nolint:staticcheck // It is how providers read states.
			if _, err := tftypes.ValueFromJSON(text, described.valueType()); err != nil {
				problems = append(problems, fmt.Sprintf("%s is %s: %v", name, text, err))
			}
		}
	}
	if o.Timeouts == nil {
		return problems
	}
	var timeouts map[string]any
	if err := json.Unmarshal(attributes["timeouts"], &timeouts); err != nil {
		problems = append(problems, "timeouts is no object: "+err.Error())
	}
	for operation := range timeouts {
		if !slices.Contains(o.Timeouts, operation) {
			problems = append(problems, "timeouts has "+operation)
		}
	}
	return problems
}

// TestWayBackIsChecked is the test of the test: what the official provider cannot
// read is found.
func TestWayBackIsChecked(t *testing.T) {
	t.Parallel()
	types := readOfficialSchema(t).Resources
	tests := map[string]struct{ of, attributes, want string }{
		"another type":      {tokenType, `{"id":"x","function_id":["x"],"namespace_id":null,"description":"","expires_at":"","token":"x","region":null}`, "function_id is"},
		"an attribute less": {tokenType, `{"id":"x","function_id":"x","namespace_id":null,"description":"","expires_at":"","token":"x"}`, "there is no region"},
		"a required null":   {functionType, `{"handler":null,"timeouts":null}`, "handler is null"},
		"another timeout":   {namespaceType, `{"timeouts":{"build":"1m"}}`, "timeouts has build"},
	}
	for name, test := range tests {
		var attributes map[string]json.RawMessage
		if err := json.Unmarshal([]byte(test.attributes), &attributes); err != nil {
			t.Fatal(err)
		}
		if problems := strings.Join(types[test.of].unreadable(attributes), "\n"); !strings.Contains(problems, test.want) {
			t.Errorf("%s: %q is not found in %q", name, test.want, problems)
		}
	}
}
