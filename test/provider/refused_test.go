package provider_test

import (
	"strings"
	"testing"
)

// The error is shown at the argument that must change, and says what to write instead.
func TestRefusedCreation_NamesArgument(t *testing.T) {
	t.Parallel()
	w := start(t)
	taken := w.commandLine(t, nodeFunction(""))
	taken.must("apply", "-no-color", "-auto-approve")
	const unknownID = `"11111111-1111-4111-8111-111111111111"`
	answered := func(status int, body string) func() {
		return func() { w.front.Answer(1, "POST", "/crons$", status, body) }
	}
	cron := "resource \"scaleway_function_cron\" \"main\" {\n  function_id = " + unknownID + "\n  schedule = \"@daily\"\n}\n"
	for name, test := range map[string]struct {
		configuration string
		prepare       func()
		want          []string
	}{
		"a namespace that exists":       {namespace, nil, []string{`3: name = "tests"`, "409 Conflict", "choose another one, or import the existing object with terraform import"}},
		"a cron of an unknown function": {cron, nil, []string{"2: function_id = " + unknownID, "404 Not Found", "correct function_id"}},
		"a token of an unknown function": {
			"resource \"scaleway_function_token\" \"main\" {\n  namespace_id = " + unknownID + "\n}\n", nil,
			[]string{"2: namespace_id = " + unknownID, "correct namespace_id"},
		},
		"a function in no namespace": {
			strings.Replace(nodeFunction("")[len(namespace):], "scaleway_function_namespace.main.id", unknownID, 1), nil,
			[]string{"namespace_id = " + unknownID, "correct namespace_id"},
		},
		"a variable that the service does not take": {
			"resource \"scaleway_function_namespace\" \"main\" {\n  environment_variables = { \"A\" = \"\" }\n}\n",
			func() {
				w.front.Answer(1, "POST", "/namespaces$", 400, `{"message":"invalid argument(s)","type":"invalid_arguments","details":[{"argument_name":"environment_variables","reason":"constraint","help_message":"too odd"}]}`)
			},
			[]string{`2: environment_variables = {`, "400 Bad Request"},
		},
		"an argument that the resource has not": {
			cron, answered(400, `{"message":"invalid argument(s)","type":"invalid_arguments","details":[{"argument_name":"when.at","reason":"format","help_message":"too odd"}]}`),
			[]string{`1: resource "scaleway_function_cron" "main" {`, "invalid argument(s): when.at format too odd"},
		},
	} {
		if test.prepare != nil {
			test.prepare()
		}
		output, status := w.commandLine(t, test.configuration).run("apply", "-no-color", "-auto-approve")
		if status != 1 || strings.Contains(strings.ToLower(output), "sdk-go") {
			t.Errorf("%s: got exit status %d, want 1:\n%s", name, status, output)
		}
		for _, want := range test.want {
			if !strings.Contains(unfolded(output), want) {
				t.Errorf("%s: the error does not contain %q:\n%s", name, want, output)
			}
		}
	}
}

// The plan refuses names that the service does not accept.
func TestVariables_RefusesInvalidNames(t *testing.T) {
	t.Parallel()
	w := start(t)
	c := w.commandLine(t, "")
	for attribute, resource := range map[string]string{
		"environment_variables":           namespace,
		"secret_environment_variables":    namespace,
		"secret_environment_variables_wo": strings.Replace(namespace, "\n}", "\n  secret_environment_variables_wo_version = 1\n}", 1),
	} {
		with := func(name string) string {
			return strings.Replace(resource, "\n}", "\n  "+attribute+" = { \""+name+"\" = \"x\" }\n}", 1)
		}
		for name, want := range map[string]string{
			"1x":             `"1x" is not a valid variable name: begin with a letter or _`,
			"a b":            `"a b" is not a valid variable name`,
			"ü":              `is not a valid variable name`,
			"SCW_PUBLIC":     `"SCW_PUBLIC" is reserved: the service sets this variable`,
			"SCW_SECRET_KEY": "",
			"ok-1.x":         "",
			"_SCW_X":         "",
		} {
			c.configure(with(name))
			output, status := c.run("plan", "-no-color")
			if (status != 0) != (want != "") || !strings.Contains(unfolded(output), want) {
				t.Errorf("%s %q: got exit status %d, want 1 and %q in:\n%s", attribute, name, status, want, output)
			}
		}
	}
	c.configure(nodeFunction("  environment_variables = { \"1x\" = \"\" }"))
	if output, status := c.run("plan", "-no-color"); status == 0 {
		t.Errorf("a function: got no error:\n%s", output)
	}
}
