package provider_test

import (
	"encoding/json"
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/jeton-dev/jeton/test/official"
)

var resourceHead = regexp.MustCompile(`(?m)^resource "(\w+)" "(\w+)" \{$`)

// For each way of replacing the official provider, all objects keep their ids and all
// tokens their values, and the server is not changed.
func TestOfficialState_WaysOfMigration(t *testing.T) {
	t.Parallel()
	w := start(t)
	objects := must(official.MakeObjects(t.Context(), w.api))
	state := must(official.State(objects))
	w.front.Forget()
	body := ""
	for _, name := range slices.Sorted(maps.Keys(objects)) {
		body += objects[name].Configuration(name)
	}
	apply := []string{"apply", "-no-color", "-auto-approve"}
	// For OpenTofu an address without a host is one of its own registry, but the states
	// are Terraform's.
	tests := map[string]struct {
		configuration string
		takeOver      []string
		renamed       bool
	}{
		"changed source":          {official.Requiring(ownAddress) + body, apply, false},
		"changed source, refresh": {official.Requiring(ownAddress) + body, append([]string{"apply", "-refresh-only"}, apply[1:]...), false},
		"replace-provider":        {official.Requiring(ownAddress) + body, []string{"state", "replace-provider", "-auto-approve", "registry.terraform.io/" + official.Address, ownAddress}, false},
		"moved":                   {official.Requiring(ownAddress) + moved(body), apply, true},
		"provider argument":       {twoProviders + resourceHead.ReplaceAllString(body, "$0\n  provider = functions"), apply, false},
	}
	before := tokensIn(t, state)
	t.Run("ways", func(t *testing.T) {
		for name, test := range tests {
			t.Run(name, func(t *testing.T) {
				t.Parallel()
				c := w.commandLine(t, test.configuration)
				c.write("terraform.tfstate", state)
				if !test.renamed {
					c.expectEmptyPlan()
				}
				if output := c.must(test.takeOver...); strings.Contains(output, "Resources:") {
					expectOnce(t, output, "0 added, 0 changed, 0 destroyed")
				}
				after := c.read("terraform.tfstate")
				if strings.Contains(after, official.Address+`\"`) {
					t.Error("the state still contains the official provider's address")
				}
				if got := tokensIn(t, after); !maps.Equal(got, before) {
					t.Errorf("got %d tokens in the state, want the same %d as before", len(got), len(before))
				}
				c.expectEmptyPlan()
			})
		}
	})
	w.expectUntouched(t)
}

// twoProviders configures this provider next to the official one, for users who also
// manage other products.
const twoProviders = `
terraform {
  required_providers {
    scaleway  = { source = "` + official.Address + `" }
    functions = { source = "` + ownAddress + `" }
  }
}
`

// moved renames all resources and adds a moved block for each.
func moved(body string) string {
	blocks := ""
	for _, head := range resourceHead.FindAllStringSubmatch(body, -1) {
		blocks += fmt.Sprintf("moved {\n  from = %[1]s.%[2]s\n  to   = %[1]s.renamed_%[2]s\n}\n", head[1], head[2])
	}
	return resourceHead.ReplaceAllString(body, `resource "$1" "renamed_$2" {`) + blocks
}

// stateFile contains the parts of a state that the tests read.
type stateFile struct {
	Resources []struct {
		Type      string `json:"type"`
		Name      string `json:"name"`
		Instances []struct {
			SchemaVersion int                        `json:"schema_version"`
			Attributes    map[string]json.RawMessage `json:"attributes"`
			Private       []byte                     `json:"private"`
		} `json:"instances"`
	} `json:"resources"`
}

func parseState(t *testing.T, state string) stateFile {
	t.Helper()
	var file stateFile
	if err := json.Unmarshal([]byte(state), &file); err != nil {
		t.Fatal(err)
	}
	return file
}

// tokensIn returns the values of all tokens in a state, by id.
func tokensIn(t *testing.T, state string) map[string]string {
	t.Helper()
	tokens := map[string]string{}
	for _, resource := range parseState(t, state).Resources {
		for _, instance := range resource.Instances {
			if resource.Type == official.TokenType {
				tokens[string(instance.Attributes["id"])] = string(instance.Attributes["token"])
			}
		}
	}
	if len(tokens) == 0 {
		t.Fatal("the state has no tokens")
	}
	return tokens
}
