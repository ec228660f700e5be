package provider_test

import (
	"fmt"
	"os"
	"testing"
)

// A trap is what a provider falls into that takes over the official one's states
// without knowing how they are written. Each is an object whose state plans empty.
type trap struct {
	of        string
	arguments arguments
	state     values
	// archive says that the archive function.zip is there.
	archive bool
}

func traps(objects map[string]officialObject) map[string]trap {
	id := func(of, reference string) string { return fmt.Sprint(objects[of].state[reference]) }
	quoted := func(text string) string { return fmt.Sprintf("%q", text) }
	allTimeouts := values{"create": nil, "read": "1m", "update": nil, "delete": nil, "default": "3m"}
	return map[string]trap{
		"token, unset is an empty text":         {of: "bare_token"},
		"token, region null":                    {of: "full_token", state: values{"region": nil}},
		"token, region configured":              {of: "full_token", arguments: arguments{"region": `"fr-par"`}, state: values{"region": "fr-par"}},
		"token, bare in both":                   {of: "full_token", arguments: arguments{"namespace_id": quoted(id("full_token", "namespace_id"))}},
		"token, bare in state":                  {of: "full_token"},
		"token, bare in configuration":          {of: "full_token", arguments: arguments{"namespace_id": quoted(id("full_token", "namespace_id"))}, state: values{"namespace_id": "fr-par/" + id("full_token", "namespace_id")}},
		"token, function bare in configuration": {of: "bare_token", arguments: arguments{"function_id": quoted(id("bare_token", "function_id"))}},
		"token, expiry in another zone":         {of: "full_token", arguments: arguments{"expires_at": `"2040-10-18T11:35:15+02:00"`}},
		"token, imported without its value":     {of: "full_token", state: values{"token": nil}},
		"token, description of no characters":   {of: "bare_token", arguments: arguments{"description": `""`}},

		"function, nothing configured":         {of: "bare_function"},
		"function, everything configured":      {of: "full_function"},
		"function, namespace bare in both":     {of: "bare_function", arguments: arguments{"namespace_id": quoted(id("bare_function", "namespace_id"))}},
		"function, namespace regional in both": {of: "bare_function", state: values{"namespace_id": "fr-par/" + id("bare_function", "namespace_id")}},
		"function, defaults written down": {of: "bare_function", arguments: arguments{
			"min_scale": "0", "max_scale": "20", "memory_limit": "256", "timeout": "300", "http_option": `"enabled"`, "sandbox": `"v2"`, "deploy": "false",
		}},
		"function, switch null after import":  {of: "bare_function", state: values{"deploy": nil}},
		"function, empty collections":         {of: "bare_function", state: values{"tags": []string{}, "environment_variables": values{}, "secret_environment_variables": values{}}},
		"function, empty collections in both": {of: "bare_function", arguments: arguments{"tags": "[]", "environment_variables": "{}"}, state: values{"tags": []string{}, "environment_variables": values{}}},
		"function, secrets in clear":          {of: "full_function", state: values{"secret_environment_variables": values{"HIDDEN": secretPlain}}},
		"function, network bare":              {of: "full_function", arguments: arguments{"private_network_id": quoted(networkID)}},
		"function, network of no characters":  {of: "bare_function", arguments: arguments{"private_network_id": `""`}},
		"function, timeouts":                  {of: "bare_function", arguments: arguments{"timeouts": "{\n    read    = \"1m\"\n    default = \"3m\"\n  }"}, state: values{"timeouts": allTimeouts}},
		"function, project configured":        {of: "bare_function", arguments: arguments{"project_id": quoted(id("bare_namespace", "project_id"))}, state: values{"project_id": id("bare_namespace", "project_id")}},
		"function, archive without a hash":    {of: "bare_function", arguments: arguments{"zip_file": `"function.zip"`}, state: values{"zip_file": "function.zip"}, archive: true},
		"function, archive that is not here":  {of: "bare_function", arguments: arguments{"zip_file": `"function.zip"`}, state: values{"zip_file": "function.zip"}},
		"function, archive with a hash":       {of: "bare_function", arguments: arguments{"zip_file": `"function.zip"`, "zip_hash": `"1"`}, state: values{"zip_file": "function.zip", "zip_hash": "1"}, archive: true},

		"namespace, nothing configured":       {of: "bare_namespace"},
		"namespace, everything configured":    {of: "full_namespace"},
		"namespace, empty collections":        {of: "bare_namespace", state: values{"tags": []string{}, "environment_variables": values{}, "secret_environment_variables": values{}}},
		"namespace, secrets in clear":         {of: "full_namespace", state: values{"secret_environment_variables": values{"HIDDEN": secretPlain, "OTHER": ""}}},
		"namespace, timeouts":                 {of: "bare_namespace", arguments: arguments{"timeouts": "{\n    read    = \"1m\"\n    default = \"3m\"\n  }"}, state: values{"timeouts": allTimeouts}},
		"namespace, region and project named": {of: "bare_namespace", arguments: arguments{"region": `"fr-par"`, "project_id": quoted(id("bare_namespace", "project_id"))}},
	}
}

// TestOfficialTraps: each plans empty, with and without a look at the server, which
// is not changed.
func TestOfficialTraps(t *testing.T) {
	t.Parallel()
	w := start(t)
	objects := w.officialObjects(t)
	t.Run("traps", func(t *testing.T) {
		for name, trap := range traps(objects) {
			t.Run(name, func(t *testing.T) {
				t.Parallel()
				object := objects[trap.of]
				object.arguments, object.state = object.arguments.with(trap.arguments), object.state.with(trap.state)
				c := w.commandLine(t, requiring(officialAddress)+object.configuration("main"))
				c.write("terraform.tfstate", officialState(t, map[string]officialObject{"main": object}))
				if trap.archive {
					c.write("function.zip", string(must(os.ReadFile(nodeArchive(t)))))
				}
				c.expectEmptyPlan()
			})
		}
	})
	w.expectUntouched(t)
}

// requiring names the source of the provider.
func requiring(source string) string {
	return fmt.Sprintf("terraform {\n  required_providers {\n    scaleway = { source = %q }\n  }\n}\n", source)
}

// expectUntouched fails if the server was told to change anything.
func (w *world) expectUntouched(t *testing.T) {
	t.Helper()
	for _, method := range []string{"POST", "PATCH", "PUT", "DELETE"} {
		w.expectRequests(t, 0, method, "")
	}
}
