package provider_test

import (
	"errors"
	"os/exec"
	"strings"
	"syscall"
	"testing"
	"time"

	function "github.com/scaleway/scaleway-sdk-go/api/function/v1beta1"

	"github.com/jeton-dev/jeton/test/await"
	"github.com/jeton-dev/jeton/test/testlog"
)

// interrupted is a command in its own process group, as a shell starts it, so that
// SIGINT reaches terraform and the provider.
type interrupted struct {
	t       *testing.T
	command *exec.Cmd
	output  testlog.Buffer
	ended   chan error
}

func (c *cli) start(arguments ...string) *interrupted {
	c.t.Helper()
	r := &interrupted{t: c.t, command: exec.CommandContext(c.t.Context(), commandLine, arguments...), ended: make(chan error, 1)}
	r.command.Dir, r.command.Env = c.dir, c.env
	r.command.Stdout, r.command.Stderr = &r.output, &r.output
	r.command.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	if err := r.command.Start(); err != nil {
		c.t.Fatal(err)
	}
	go func() { r.ended <- r.command.Wait() }()
	return r
}

// interrupt sends SIGINT like Ctrl-C, and waits until terraform reports it.
func (r *interrupted) interrupt() {
	r.t.Helper()
	if err := syscall.Kill(-r.command.Process.Pid, syscall.SIGINT); err != nil {
		r.t.Fatal(err)
	}
	await.True(r.t, "terraform reports the interrupt", func() bool { return strings.Contains(r.output.String(), "Interrupt received") })
}

// wait waits until the command has failed and returns its output. It fails the test if
// the command succeeds or does not end.
func (r *interrupted) wait() string {
	r.t.Helper()
	select {
	case err := <-r.ended:
		var exit *exec.ExitError
		if !errors.As(err, &exit) {
			r.t.Fatalf("the interrupted run: got error %v, want an exit status:\n%s", err, r.output.String())
		}
	case <-time.After(await.Patience):
		_ = syscall.Kill(-r.command.Process.Pid, syscall.SIGKILL)
		r.t.Fatalf("the interrupted run does not end:\n%s", r.output.String())
	}
	return r.output.String()
}

// An interrupt during the wait for a build ends the run immediately. The function is in
// the state and tainted, and the next apply replaces it.
func TestInterrupt_DuringBuild(t *testing.T) {
	t.Parallel()
	w := start(t)
	c := w.commandLine(t, tracked(""))
	c.archive("first")
	w.front.Rewrite(100_000, "GET", "/functions/[0-9a-f-]+$", `"status":"ready"`, `"status":"pending"`)
	run := c.start("apply", "-no-color", "-auto-approve")
	await.True(t, "the provider waits for the build", func() bool { return len(w.front.Requests("GET", "/functions/[0-9a-f-]+$")) > 2 })
	run.interrupt()
	if output := run.wait(); !strings.Contains(output, "context canceled") {
		t.Errorf("the error does not contain its cause:\n%s", output)
	}
	first := c.attribute(functionAddress, "id")
	if state := c.must("show", "-no-color"); !strings.Contains(state, "(tainted)") {
		t.Errorf("the function is not tainted:\n%s", state)
	}
	w.front.Forget()
	expectOnce(t, c.apply(), "1 added, 0 changed, 1 destroyed")
	if again := c.attribute(functionAddress, "id"); again == first {
		t.Errorf("the function %s was not replaced", first)
	}
	c.expectEmptyPlan()
	c.destroy()
	if left := w.namespaceIDs(t); len(left) != 0 {
		t.Errorf("namespaces left: %v", left)
	}
}

// An object that the server creates during an interrupt is in the state, because the
// provider waits for the answer.
func TestInterrupt_DuringCreation(t *testing.T) {
	t.Parallel()
	tests := map[string]struct{ configuration, path, address string }{
		"namespace": {namespace, "/namespaces$", namespaceAddress},
		"function":  {nodeFunction(""), "/functions$", functionAddress},
		"token":     {namespaceToken(""), "/tokens$", tokenAddress},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := start(t)
			c := w.commandLine(t, test.configuration)
			reached, release := w.front.Hold("POST", test.path)
			run := c.start("apply", "-no-color", "-auto-approve")
			<-reached
			run.interrupt()
			release()
			run.wait()
			if id := c.attribute(test.address, "id"); !strings.HasPrefix(id, "fr-par/") {
				t.Errorf("%s: got id %q in the state", name, id)
			}
			c.apply()
			c.expectEmptyPlan()
			c.destroy()
			if left := w.namespaceIDs(t); len(left) != 0 {
				t.Errorf("after destroy: got namespaces %v, want none", left)
			}
		})
	}
}

// The server creates the object, and its answer is lost. The request is not repeated,
// and the error asks the user to check.
func TestCreate_LostAnswer(t *testing.T) {
	t.Parallel()
	tests := map[string]struct {
		configuration, path, summary string
		made                         func(w *world) int
	}{
		"namespace": {namespace, "/namespaces$", "Cannot create the function namespace", func(w *world) int { return len(w.namespaceIDs(t)) }},
		"generated": {`resource "scaleway_function_namespace" "main" {}`, "/namespaces$", "Create with the generated name tf-func-", func(w *world) int { return len(w.namespaceIDs(t)) }},
		"function":  {nodeFunction(""), "/functions$", "Cannot create the function", (*world).countFunctions},
		"token":     {namespaceToken(""), "/tokens$", "Cannot create the function token", (*world).countTokens},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := start(t)
			c := w.commandLine(t, test.configuration)
			w.front.Drop(1, "POST", test.path)
			output, status := c.run("apply", "-no-color", "-auto-approve")
			said := unfolded(output)
			for _, want := range []string{test.summary, "the server may have executed it: check whether the object exists before you apply again"} {
				if status != 1 || !strings.Contains(said, want) {
					t.Errorf("got exit status %d, want 1 and %q in:\n%s", status, want, output)
				}
			}
			w.expectRequests(t, 1, "POST", test.path)
			if made := test.made(w); made != 1 {
				t.Errorf("got %d objects on the server, want 1", made)
			}
		})
	}
}

func (w *world) countFunctions() int {
	count := 0
	for _, n := range must(w.api.ListNamespaces(&function.ListNamespacesRequest{})).Namespaces {
		count += int(must(w.api.ListFunctions(&function.ListFunctionsRequest{NamespaceID: n.ID})).TotalCount)
	}
	return count
}

func (w *world) countTokens() int {
	count := 0
	for _, n := range must(w.api.ListNamespaces(&function.ListNamespacesRequest{})).Namespaces {
		count += int(must(w.api.ListTokens(&function.ListTokensRequest{NamespaceID: &n.ID})).TotalCount)
	}
	return count
}
