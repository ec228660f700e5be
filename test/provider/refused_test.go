package provider_test

import (
	"strings"
	"testing"
)

// TestRefusedCreation: what the service does not take is shown at the argument
// that is to be changed, with what to write instead.
func TestRefusedCreation(t *testing.T) {
	t.Parallel()
	w := start(t)
	taken := w.commandLine(t, nodeFunction(""))
	taken.must("apply", "-no-color", "-auto-approve")
	const nowhere = `"11111111-1111-4111-8111-111111111111"`
	answered := func(status int, body string) func() {
		return func() { w.front.Answer(1, "POST", "/crons$", status, body) }
	}
	cron := "resource \"scaleway_function_cron\" \"main\" {\n  function_id = " + nowhere + "\n  schedule = \"@daily\"\n}\n"
	for name, test := range map[string]struct {
		configuration string
		prepare       func()
		want          []string
	}{
		"a namespace that exists": {namespace, nil, []string{`3: name = "tests"`, "409 Conflict", "write another one, or bring what has it into the state with terraform import"}},
		"a cron of nothing":       {cron, nil, []string{"2: function_id = " + nowhere, "404 Not Found", "correct function_id"}},
		"a token of nothing": {
			"resource \"scaleway_function_token\" \"main\" {\n  namespace_id = " + nowhere + "\n}\n", nil,
			[]string{"2: namespace_id = " + nowhere, "correct namespace_id"},
		},
		"a function in no namespace": {
			strings.Replace(nodeFunction("")[len(namespace):], "scaleway_function_namespace.main.id", nowhere, 1), nil,
			[]string{"namespace_id = " + nowhere, "correct namespace_id"},
		},
		"a variable without a name": {
			"resource \"scaleway_function_namespace\" \"main\" {\n  environment_variables = { \"1\" = \"\" }\n}\n", nil,
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
			t.Errorf("%s: exit status %d\n%s", name, status, output)
		}
		for _, want := range test.want {
			if !strings.Contains(unfolded(output), want) {
				t.Errorf("%s: the error does not say %q:\n%s", name, want, output)
			}
		}
	}
}
