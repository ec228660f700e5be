package provider_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"github.com/jeton-dev/jeton/test/official"
)

// cli runs terraform in its own folder. Tests use it for what the test framework does
// not support: warnings, exit statuses, and states that the test writes.
type cli struct {
	t   *testing.T
	dir string
	env []string
}

// The provider addresses that configurations use.
const (
	ownAddress     = "jeton-dev/scaleway"
	impliedAddress = "hashicorp/scaleway"
)

const (
	// providerProgram is the name that terraform requires for a provider's program.
	providerProgram = "terraform-provider-scaleway"
	// clockAhead is the variable with the duration by which the provider's clock is
	// ahead.
	clockAhead = "PROVIDER_TEST_CLOCK_AHEAD"
)

// builtProvider builds the provider's program once and returns its path. The program
// has no race detector, which would slow down each of hundreds of starts by a second;
// the tests that run the provider in this process have it.
var builtProvider = sync.OnceValues(func() (string, error) {
	path := filepath.Join(workFolder, providerProgram)
	command := exec.Command("go", "build", "-o", path, "./program")
	command.Env = append(os.Environ(), "CGO_ENABLED=0")
	if output, err := command.CombinedOutput(); err != nil {
		return "", fmt.Errorf("build the provider: %w\n%s", err, output)
	}
	return path, nil
})

// commandLine creates a folder with the configuration, in which all addresses of the
// provider refer to the built one.
func (w *world) commandLine(t *testing.T, configuration string) *cli {
	t.Helper()
	c := &cli{t: t, dir: t.TempDir()}
	built, err := builtProvider()
	if err == nil {
		err = os.Symlink(built, filepath.Join(c.dir, providerProgram))
	}
	if err != nil {
		t.Fatal(err)
	}
	overrides := ""
	for _, address := range []string{ownAddress, official.Address, impliedAddress} {
		overrides += fmt.Sprintf("    %q = %q\n", address, c.dir)
	}
	c.write("overrides.tfrc", "provider_installation {\n  dev_overrides {\n"+overrides+"  }\n  direct {}\n}\n")
	c.write("main.tf", configuration)
	c.env = append(os.Environ(), "TF_CLI_CONFIG_FILE="+filepath.Join(c.dir, "overrides.tfrc"), "TF_IN_AUTOMATION=1", clockAhead+"=0s")
	environment := w.Env()
	environment["SCW_API_URL"] = w.front.URL
	for name, value := range environment {
		c.env = append(c.env, name+"="+value)
	}
	return c
}

func (c *cli) write(name, content string) {
	c.t.Helper()
	if err := os.WriteFile(filepath.Join(c.dir, name), []byte(content), 0o600); err != nil {
		c.t.Fatal(err)
	}
}

func (c *cli) read(name string) string {
	c.t.Helper()
	content, err := readFile(filepath.Join(c.dir, name))
	if err != nil {
		c.t.Fatal(err)
	}
	return content
}

func readFile(path string) (string, error) {
	content, err := os.ReadFile(path)
	return string(content), err
}

// run runs a command and returns its output and its exit status.
func (c *cli) run(arguments ...string) (string, int) {
	c.t.Helper()
	command := exec.CommandContext(c.t.Context(), commandLine, arguments...)
	command.Dir, command.Env = c.dir, c.env
	output, err := command.CombinedOutput()
	var exit *exec.ExitError
	if err != nil && !errors.As(err, &exit) {
		c.t.Fatalf("run %s: %v", strings.Join(arguments, " "), err)
	}
	return string(output), command.ProcessState.ExitCode()
}

// must fails the test unless the command succeeds.
func (c *cli) must(arguments ...string) string {
	c.t.Helper()
	output, status := c.run(arguments...)
	if status != 0 {
		c.t.Fatalf("%s: got exit status %d, want 0:\n%s", strings.Join(arguments, " "), status, output)
	}
	return output
}

// configure replaces the configuration.
func (c *cli) configure(configuration string) {
	c.t.Helper()
	c.write("main.tf", configuration)
}

// apply fails the test unless an apply of the configuration succeeds.
func (c *cli) apply(more ...string) string {
	c.t.Helper()
	return c.must(append([]string{"apply", "-no-color", "-auto-approve"}, more...)...)
}

// expectFailure fails unless an apply of the configuration fails with a message. It
// returns the output.
func (c *cli) expectFailure(message string) string {
	c.t.Helper()
	output, status := c.run("apply", "-no-color", "-auto-approve")
	if status != 1 || !strings.Contains(unfolded(output), message) {
		c.t.Errorf("apply: got exit status %d, want 1 and %q in:\n%s", status, message, output)
	}
	return output
}

// destroy fails the test unless everything can be destroyed.
func (c *cli) destroy() {
	c.t.Helper()
	c.must("destroy", "-no-color", "-auto-approve")
}

// reimport removes a resource from the state and imports it again.
func (c *cli) reimport(address string) {
	c.t.Helper()
	id := c.attribute(address, "id")
	c.must("state", "rm", address)
	c.must("import", "-no-color", address, id)
}

// expectAttribute fails unless a string attribute of a resource has a value, which is
// "" for null.
func (c *cli) expectAttribute(address, name, want string) {
	c.t.Helper()
	if got := c.attribute(address, name); got != want {
		c.t.Errorf("%s.%s: got %q, want %q", address, name, got, want)
	}
}

// attribute returns a string attribute of a resource in the state, or "" if it is
// null.
func (c *cli) attribute(address, name string) string {
	c.t.Helper()
	var state struct {
		Values struct {
			Root struct {
				Resources []struct {
					Address string         `json:"address"`
					Values  map[string]any `json:"values"`
				} `json:"resources"`
			} `json:"root_module"`
		} `json:"values"`
	}
	if err := json.Unmarshal([]byte(c.must("show", "-json")), &state); err != nil {
		c.t.Fatal(err)
	}
	for _, r := range state.Values.Root.Resources {
		if r.Address == address {
			text, _ := r.Values[name].(string)
			return text
		}
	}
	c.t.Fatalf("the state does not contain %s", address)
	return ""
}

// expectEmptyPlan fails unless the plan is empty, with and without a refresh.
func (c *cli) expectEmptyPlan() {
	c.t.Helper()
	for _, refresh := range []string{"-refresh=true", "-refresh=false"} {
		if output, status := c.run("plan", "-no-color", "-detailed-exitcode", refresh); status != 0 {
			c.t.Errorf("plan %s: got exit status %d, want 0:\n%s", refresh, status, output)
		}
	}
}

// unfolded removes the line breaks and frames that Terraform adds to messages.
func unfolded(output string) string {
	return strings.Join(strings.Fields(strings.ReplaceAll(output, "│", " ")), " ")
}

// expectOnce fails unless the text occurs once.
func expectOnce(t *testing.T, output, text string) {
	t.Helper()
	if n := strings.Count(output, text); n != 1 {
		t.Errorf("%q: got %d times, want 1, in:\n%s", text, n, output)
	}
}

// expectWarnings fails unless the output contains that many warnings, apart from
// Terraform's own about development overrides.
func expectWarnings(t *testing.T, output string, want int) {
	t.Helper()
	const own = "Warning: Provider development overrides are in effect"
	if n := strings.Count(output, "Warning: ") - strings.Count(output, own); n != want {
		t.Errorf("got %d warnings, want %d, in:\n%s", n, want, output)
	}
}
