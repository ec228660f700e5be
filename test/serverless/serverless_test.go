//go:build serverless

// Package serverless_test tests the server with the Serverless Framework and Scaleway's plugin
// for it, which are not changed: `make test-serverless`.
package serverless_test

import (
	"crypto/rand"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	function "github.com/scaleway/scaleway-sdk-go/api/function/v1beta1"

	"github.com/jeton-dev/jeton/internal/server"
	"github.com/jeton-dev/jeton/test/jetontest"
	"github.com/jeton-dev/jeton/test/needs"
)

const service = `
service: shop
configValidationMode: off
provider:
  name: scaleway
  runtime: node22
  env:
    GREETING: hello
plugins:
  - serverless-scaleway-functions
package:
  patterns:
    - "!node_modules/**"
functions:
  open:
    handler: handler.handle
    privacy: public
  closed:
    handler: handler.handle
    privacy: private
`

const code = `exports.handle = (event) => {
  console.log("called at " + event.path);
  return { greeting: process.env.GREETING };
};
`

// project is a folder of the Serverless Framework and the server that it deploys to.
type project struct {
	*jetontest.Jeton
	t        *testing.T
	dir, env string
	hosts    string
}

func newProject(t *testing.T) *project {
	t.Helper()
	// The plugin calls functions at port 443 of their hosts only.
	random := make([]byte, 3)
	_, _ = rand.Read(random) // It never fails.
	address := fmt.Sprintf("127.%d.%d.%d", 1+random[0]%250, random[1], 1+random[2]%250)
	j := jetontest.Start(t, func(c *server.Config) { c.GatewayTLSListen = address + ":443" })
	p := &project{Jeton: j, t: t, dir: t.TempDir(), hosts: address}
	modules, err := filepath.Abs("node_modules")
	if err == nil {
		err = os.Symlink(modules, filepath.Join(p.dir, "node_modules"))
	}
	if err != nil {
		t.Fatal(err)
	}
	p.write("serverless.yml", service)
	p.write("handler.js", code)
	p.write("package.json", `{"name": "shop", "version": "1.0.0"}`)
	program := filepath.Join(t.TempDir(), "jeton")
	if output, err := exec.CommandContext(t.Context(), "go", "build", "-o", program, "../../cmd/jeton").CombinedOutput(); err != nil {
		t.Fatalf("build jeton: %v\n%s", err, output)
	}
	p.env = p.output(exec.CommandContext(t.Context(), program, "env", "--data-dir", j.DataDir))
	p.write("ca.pem", p.output(exec.CommandContext(t.Context(), program, "ca", "--data-dir", j.DataDir)))
	return p
}

func (p *project) write(name, content string) {
	p.t.Helper()
	if err := os.WriteFile(filepath.Join(p.dir, name), []byte(content), 0o600); err != nil {
		p.t.Fatal(err)
	}
}

func (p *project) output(command *exec.Cmd) string {
	p.t.Helper()
	var errors strings.Builder
	command.Stderr = &errors
	output, err := command.Output()
	if err != nil {
		p.t.Fatalf("%s: %v\n%s%s", strings.Join(command.Args, " "), err, output, errors.String())
	}
	return string(output)
}

// serverless runs a command with the variables that `jeton env` prints. The hosts of all
// functions resolve to the gateway.
func (p *project) serverless(arguments ...string) string {
	p.t.Helper()
	hosts := "127.0.0.1 localhost\n"
	for _, f := range p.functions() {
		hosts += p.hosts + " " + f.DomainName + "\n"
	}
	p.write("hosts", hosts)
	const script = `mount --bind "$DIR/hosts" /etc/hosts && eval "$JETON_ENV" && cd "$DIR" && exec node node_modules/serverless/bin/serverless.js "$@"`
	command := exec.CommandContext(p.t.Context(), "unshare", append([]string{"--mount", "sh", "-c", script, "serverless"}, arguments...)...)
	command.Env = []string{
		"PATH=" + os.Getenv("PATH"), "HOME=" + p.dir, "DIR=" + p.dir, "JETON_ENV=" + p.env, "NODE_EXTRA_CA_CERTS=" + filepath.Join(p.dir, "ca.pem"),
		"SLS_TELEMETRY_DISABLED=1", "SLS_NOTIFICATIONS_MODE=off", "SLS_TRACKING_DISABLED=1", "CI=1",
	}
	output, err := command.CombinedOutput()
	if err != nil {
		p.t.Fatalf("serverless %s: %v\n%s", strings.Join(arguments, " "), err, output)
	}
	return string(output)
}

func (p *project) functions() []*function.Function {
	p.t.Helper()
	api := function.NewAPI(p.Client())
	namespaces, err := api.ListNamespaces(&function.ListNamespacesRequest{})
	if err != nil {
		p.t.Fatal(err)
	}
	var all []*function.Function
	for _, n := range namespaces.Namespaces {
		list, err := api.ListFunctions(&function.ListFunctionsRequest{NamespaceID: n.ID})
		if err != nil {
			p.t.Fatal(err)
		}
		all = append(all, list.Functions...)
	}
	return all
}

func expect(t *testing.T, output, want string) {
	t.Helper()
	if !strings.Contains(output, want) {
		t.Errorf("got no %q in:\n%s", want, output)
	}
}

func TestServerless_DeployInvokeLogsRemove(t *testing.T) {
	needs.Root(t, "changes the hosts file in a mount namespace")
	p := newProject(t)
	expect(t, p.serverless("deploy"), "Function open")
	if got := len(p.functions()); got != 2 {
		t.Fatalf("got %d functions, want 2", got)
	}
	expect(t, p.serverless("invoke", "--function", "open"), `{"greeting":"hello"}`)
	// The plugin has no tokens: a private function denies its call.
	expect(t, p.serverless("invoke", "--function", "closed"), "status code 403")
	expect(t, p.serverless("logs", "--function", "open"), "called at /")
	expect(t, p.serverless("info"), "open")
	p.write("handler.js", strings.Replace(code, "process.env.GREETING", `"changed"`, 1))
	p.serverless("deploy")
	expect(t, p.serverless("invoke", "--function", "open"), `{"greeting":"changed"}`)
	p.serverless("remove")
	if got := len(p.functions()); got != 0 {
		t.Errorf("remove: got %d functions, want 0", got)
	}
}
