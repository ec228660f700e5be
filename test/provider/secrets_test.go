package provider_test

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"testing"
)

// writeOnly returns the configuration of a resource with secrets in both maps.
func writeOnly(resource, plain, secrets, version string) string {
	return strings.NewReplacer("PLAIN", plain, "SECRETS", secrets, "VERSION", version).Replace(resource)
}

const writeOnlyArguments = `
  secret_environment_variables            = { PLAIN }
  secret_environment_variables_wo         = { SECRETS }
  secret_environment_variables_wo_version = VERSION
`

const hiddenVariable = `
variable "hidden" {
  type      = map(string)
  ephemeral = true
}
`

const writeOnlyNamespace = `
resource "scaleway_function_namespace" "main" {
  name = "tests"
` + writeOnlyArguments + "}\n"

// Secrets of the write-only map are sent when the object is created and when their
// version changes. No state, plan or log contains them.
func TestWriteOnlySecrets_SentWithVersionOnly(t *testing.T) {
	t.Parallel()
	tests := map[string]struct{ resource, path string }{
		"namespace": {writeOnlyNamespace, "/namespaces"},
		"function":  {nodeFunction(writeOnlyArguments), "/functions"},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := start(t)
			const first, second = "correct-horse-battery-staple", "tr0ub4dor-and-three"
			c := w.commandLine(t, "")
			c.env = append(c.env, "TF_LOG_PROVIDER=TRACE", "TF_LOG_PATH=log", "SCW_DEBUG=1")
			apply := func(plain, secrets, version string) []string {
				t.Helper()
				// A plan contains a copy of the configuration, so the secrets are variables.
				c.configure(hiddenVariable + writeOnly(strings.ReplaceAll(test.resource, "{ SECRETS }", "var.hidden"), plain, "", version))
				c.env = append(c.env, "TF_VAR_hidden={ "+secrets+" }")
				w.front.Forget()
				c.must("plan", "-no-color", "-out=plan")
				c.write("plan.json", c.must("show", "-json", "plan"))
				printed := c.must("apply", "-no-color", "plan")
				for _, secret := range []string{first, second} {
					c.expectNowhere(secret)
					if strings.Contains(printed+c.read("log"), secret) {
						t.Errorf("the output or the log contains the secret %s", secret)
					}
				}
				c.expectEmptyPlan()
				return w.secretsSent(t, test.path)
			}
			steps := []struct {
				plain, secrets, version string
				want                    []string
			}{
				{`A = "plain"`, `B = "` + first + `", C = ""`, "1", []string{"A=plain", "B=" + first, "C="}},
				{`A = "plain"`, `B = "` + second + `"`, "1", nil},
				{`A = "changed"`, `B = "` + second + `"`, "1", []string{"A=changed"}},
				{`A = "changed"`, `B = "` + second + `"`, "2", []string{"B=" + second, "C deleted"}},
				{`A = "changed"`, `B = "` + second + `"`, "3", []string{"B=" + second}},
				{`A = "changed", B = "moved"`, `C = "` + first + `"`, "3", []string{"B=moved"}},
				{``, `C = "` + first + `"`, "4", []string{"A deleted", "B deleted", "C=" + first}},
			}
			for i, step := range steps {
				if got := apply(step.plain, step.secrets, step.version); !slices.Equal(got, step.want) {
					t.Errorf("step %d: sent %v, want %v", i+1, got, step.want)
				}
			}
			c.configure(strings.ReplaceAll(test.resource, writeOnlyArguments, ""))
			w.front.Forget()
			c.apply()
			if got := w.secretsSent(t, test.path); !slices.Equal(got, []string{"C deleted"}) {
				t.Errorf("without the map: sent %v", got)
			}
			c.expectEmptyPlan()
		})
	}
}

// secretsSent returns the secrets of all requests, in order.
func (w *world) secretsSent(t *testing.T, path string) []string {
	t.Helper()
	var sent []string
	for _, r := range append(w.front.Requests("POST", path+"$"), w.front.Requests("PATCH", path+"/")...) {
		var body struct {
			Secrets []struct {
				Key   string  `json:"key"`
				Value *string `json:"value"`
			} `json:"secret_environment_variables"`
		}
		if err := json.Unmarshal([]byte(r.Body), &body); err != nil {
			t.Fatal(err)
		}
		for _, secret := range body.Secrets {
			text := secret.Key + " deleted"
			if secret.Value != nil {
				text = fmt.Sprintf("%s=%s", secret.Key, *secret.Value)
			}
			sent = append(sent, text)
		}
	}
	slices.Sort(sent)
	return sent
}

// After a failed change the state does not contain the secrets, and the next apply sends
// them again.
func TestWriteOnlySecrets_SentAgainAfterFailure(t *testing.T) {
	t.Parallel()
	w := start(t)
	c := w.commandLine(t, writeOnly(writeOnlyNamespace, "", `B = "first"`, "1"))
	c.apply()
	c.configure(writeOnly(writeOnlyNamespace, "", `C = "second"`, "2"))
	w.front.Rewrite(1, "PATCH", "/namespaces/", `"status":`, `"status":"error","was":`)
	if output, status := c.run("apply", "-no-color", "-auto-approve", "-refresh=false"); status == 0 {
		t.Fatalf("the change did not fail:\n%s", output)
	}
	w.front.Forget()
	c.apply()
	if got, want := w.secretsSent(t, "/namespaces"), []string{"C=second"}; !slices.Equal(got, want) {
		t.Errorf("sent %v, want %v", got, want)
	}
	c.expectEmptyPlan()
}

// After an import the provider does not know which secrets are write-only; the next
// apply corrects that.
func TestWriteOnlySecrets_AfterImport(t *testing.T) {
	t.Parallel()
	w := start(t)
	c := w.commandLine(t, writeOnly(writeOnlyNamespace, `A = "plain"`, `B = "hidden-one"`, "1"))
	c.apply()
	c.reimport(namespaceAddress)
	c.apply()
	c.expectEmptyPlan()
	if state := c.read("terraform.tfstate"); strings.Contains(state, `"B"`) {
		t.Errorf("the state contains the write-only secret:\n%s", state)
	}
}

func TestWriteOnlySecrets_RefusesInvalidArguments(t *testing.T) {
	t.Parallel()
	w := start(t)
	tests := map[string]struct{ configuration, want string }{
		"in both maps":   {writeOnly(writeOnlyNamespace, `A = "1"`, `A = "2", B = "3"`, "1"), `contain "A": remove each key from one of them`},
		"of a function":  {writeOnly(nodeFunction(writeOnlyArguments), `A = "1"`, `A = "2"`, "1"), `contain "A": remove each key from one of them`},
		"no version":     {writeOnly(writeOnlyNamespace, "", `A = "2"`, "null"), "secret_environment_variables_wo_version"},
		"only a version": {namespace[:len(namespace)-2] + "  secret_environment_variables_wo_version = 1\n}\n", "secret_environment_variables_wo"},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			c := w.commandLine(t, test.configuration)
			output, status := c.run("plan", "-no-color")
			if status != 1 || !strings.Contains(unfolded(output), test.want) {
				t.Errorf("got exit status %d, want 1 and %q in:\n%s", status, test.want, output)
			}
		})
	}
}
