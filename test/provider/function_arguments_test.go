package provider_test

import (
	"fmt"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/alexedwards/argon2id"
	"github.com/hashicorp/terraform-plugin-testing/helper/resource"
)

// The official provider plans a change of a private network without a region each
// time, because it reads the network with a region.
func TestFunction_BareNetworkIsNoChange(t *testing.T) {
	t.Parallel()
	w := start(t)
	const bare = "22222222-2222-4222-8222-222222222222"
	network := func(id string) string { return nodeFunction(fmt.Sprintf("  private_network_id = %q", id)) }
	c := w.commandLine(t, network(bare))
	c.apply()
	c.expectEmptyPlan()
	c.configure(network("fr-par/" + bare))
	c.expectEmptyPlan()
	// States of the official provider contain the region.
	c.write("terraform.tfstate", strings.ReplaceAll(c.read("terraform.tfstate"), `"`+bare+`"`, `"fr-par/`+bare+`"`))
	c.configure(network(bare))
	c.expectEmptyPlan()
	w.expectRequests(t, 0, "PATCH", "")
	c.configure(nodeFunction(""))
	c.apply()
	if patch := w.expectRequests(t, 1, "PATCH", "/functions/"); len(patch) == 1 && !strings.Contains(patch[0].Body, `"private_network_id":""`) {
		t.Errorf("got request %s, want it to detach the network", patch[0].Body)
	}
	c.expectEmptyPlan()
}

// secretStep is a configured map of secrets, and the secrets that the change from the
// step before must send.
type secretStep struct {
	secrets string
	want    []string
}

// The official provider deletes a secret whose value is empty.
func TestSecrets_SendsEmptySecret(t *testing.T) {
	t.Parallel()
	expectSecrets(t, []secretStep{
		{`A = "", B = "b"`, []string{"A=", "B=b"}},
		{`A = "", B = ""`, []string{"B="}},
		{`A = "a"`, []string{"A=a", "B deleted"}},
	})
}

// The official provider does not send a secret that begins like a hash.
func TestSecrets_SendsSecretThatLooksLikeHash(t *testing.T) {
	t.Parallel()
	hash := must(argon2id.CreateHash("something", &argon2id.Params{Memory: 64, Iterations: 1, Parallelism: 1, SaltLength: 16, KeyLength: 32}))
	expectSecrets(t, []secretStep{
		{`A = "a"`, []string{"A=a"}},
		{`A = "$argon2id$"`, []string{"A=$argon2id$"}},
		{`A = "` + hash + `", B = "$argon2id$ and more"`, []string{"A=" + hash, "B=$argon2id$ and more"}},
		{`A = "something"`, []string{"A=something", "B deleted"}},
	})
}

// expectSecrets applies the steps to a function and to a namespace.
func expectSecrets(t *testing.T, steps []secretStep) {
	t.Helper()
	for path, resource := range map[string]string{
		"/functions":  nodeFunction("  secret_environment_variables = { SECRETS }"),
		"/namespaces": strings.Replace(namespace, "\n}", "\n  secret_environment_variables = { SECRETS }\n}", 1),
	} {
		t.Run(strings.TrimPrefix(path, "/"), func(t *testing.T) {
			t.Parallel()
			w := start(t)
			c := w.commandLine(t, "")
			for _, step := range steps {
				c.configure(strings.ReplaceAll(resource, "SECRETS", step.secrets))
				w.front.Forget()
				c.apply()
				if got := w.secretsSent(t, path); !slices.Equal(got, step.want) {
					t.Errorf("secrets { %s }: sent %v, want %v", step.secrets, got, step.want)
				}
				c.expectEmptyPlan()
			}
		})
	}
}

// A plan warns once of an outdated runtime of a new or changed function. A plan without
// changes does not list the runtimes.
func TestRuntime_OutdatedRuntimeWarns(t *testing.T) {
	t.Parallel()
	w := start(t)
	with := func(runtime string) string {
		return strings.ReplaceAll(nodeFunction(""), `"node22"`, fmt.Sprintf("%q", runtime))
	}
	c := w.commandLine(t, with("node22"))
	expectWarnings(t, c.apply(), 0)
	w.front.Forget()
	c.expectEmptyPlan()
	w.expectRequests(t, 0, "GET", "/runtimes$")
	tests := map[string]struct{ runtime, want string }{
		"end of life":    {"node16", `Runtime "node16" is at its end of life. The service may refuse to create or change functions that use it: use "node26".`},
		"end of support": {"node20", `is at its end of support`},
		"deprecated":     {"python39", `Runtime "python39" is deprecated`},
		"its successor":  {"python39", `use "python314". Message of the service: Python 3.9 is deprecated`},
		"unknown":        {"node99", `The service in region fr-par has no runtime "node99": use "node26".`},
		"unknown at all": {"zig1", `has no runtime "zig1": use "node26", "python314", "php85", "go126", "rust196".`},
	}
	for name, test := range tests {
		c.configure(with(test.runtime))
		plan := c.must("plan", "-no-color")
		if !strings.Contains(unfolded(plan), test.want) {
			t.Errorf("%s: want %q in:\n%s", name, test.want, plan)
		}
		expectWarnings(t, plan, 1)
	}
	// A failed request for the runtimes does not fail the plan.
	w.front.Answer(1, "GET", "/runtimes$", 403, `{"message":"insufficient permissions"}`)
	expectWarnings(t, c.must("plan", "-no-color"), 0)
}

// The official provider fails to delete a namespace that does not exist any more.
func TestNamespace_DestroyOfDeletedNamespace(t *testing.T) {
	t.Parallel()
	w := start(t)
	c := w.commandLine(t, namespace)
	c.apply()
	w.deleteNamespaces(t)
	expectOnce(t, c.must("destroy", "-no-color", "-auto-approve", "-refresh=false"), "1 destroyed")
}

// The error contains the API's message, its request id and what to do, and no key.
func TestRefusedCall_ShowsMessageAndAdvice(t *testing.T) {
	t.Parallel()
	w := start(t)
	const stranger = "33333333-3333-4333-8333-333333333333"
	run := func(configuration string) string {
		c := w.commandLine(t, configuration)
		c.env = append(c.env, "SCW_SECRET_KEY="+stranger)
		output, status := c.run("apply", "-no-color", "-auto-approve")
		if status != 1 {
			t.Errorf("got exit status %d, want 1:\n%s", status, output)
		}
		if strings.Contains(output, stranger) || strings.Contains(output, w.SecretKey) {
			t.Errorf("the output contains the key:\n%s", output)
		}
		return unfolded(output)
	}
	said := run(namespace)
	for _, want := range []string{
		"401 Unauthorized: authentication is denied", "(request ", "does not accept the secret key",
		"The secret key is from the environment variable SCW_SECRET_KEY, and the access key from the environment variable SCW_ACCESS_KEY.",
	} {
		if !strings.Contains(said, want) {
			t.Errorf("the error does not contain %q:\n%s", want, said)
		}
	}
	w.run(t, resource.TestStep{
		PreConfig: func() {
			w.front.Answer(1, "POST", "/namespaces$", 403, `{"message":"insufficient permissions","type":"permissions_denied","details":[{"action":"write","resource":"functions"}]}`)
		},
		Config: w.config("%s", namespace),
		ExpectError: regexp.MustCompile(`(?s)403\s+Forbidden:\s+insufficient\s+permissions:\s+write\s+functions.*` +
			`use\s+a\s+key\s+with\s+permissions\s+on\s+functions.*access_key\s+of\s+the\s+provider\s+block`),
	})
}
