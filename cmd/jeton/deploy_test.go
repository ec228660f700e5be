package main

import (
	"testing"
	"time"

	function "github.com/scaleway/scaleway-sdk-go/api/function/v1beta1"

	"github.com/jeton-dev/jeton/internal/runtime"
	"github.com/jeton-dev/jeton/internal/server"
	"github.com/jeton-dev/jeton/test/deploy"
	"github.com/jeton-dev/jeton/test/jetontest"
)

// A deployment that failed because of the machine succeeds with the same code once the
// machine is fixed.
func TestDeploy_RetriesWithoutChange(t *testing.T) {
	jeton := jetontest.Start(t, func(c *server.Config) { c.Toolchains = map[string]string{runtime.Node: "/no/such/node"} })
	t.Setenv("JETON_DATA_DIR", jeton.DataDir)
	api := function.NewAPI(jeton.Client())
	archive, err := deploy.Archive(map[string]string{"handler.js": "module.exports.handle = () => 'first';\n"})
	if err != nil {
		t.Fatal(err)
	}
	var ids []string
	for _, name := range []string{"one", "two"} {
		n, err := api.CreateNamespace(&function.CreateNamespaceRequest{Name: name})
		if err != nil {
			t.Fatal(err)
		}
		if _, err := api.WaitForNamespace(&function.WaitForNamespaceRequest{NamespaceID: n.ID, RetryInterval: new(20 * time.Millisecond)}); err != nil {
			t.Fatal(err)
		}
		f, err := api.CreateFunction(&function.CreateFunctionRequest{NamespaceID: n.ID, Name: "f", Runtime: "node22", Handler: new("handler.handle"), Privacy: "public"})
		if err != nil {
			t.Fatal(err)
		}
		if err := deploy.Upload(t.Context(), api, f.ID, archive); err != nil {
			t.Fatal(err)
		}
		ids = append(ids, f.ID)
	}
	redeploy := func(args ...string) (int, string) {
		return command(t, "", append([]string{"function", "deploy"}, args...)...)
	}
	status, output := redeploy("f")
	wantOutput(t, "ambiguous name", status, 1, output, "several have that name", ids[0]+" (one/f in fr-par)", ids[1])
	status, output = redeploy("none")
	wantOutput(t, "unknown name", status, 1, output, `find function "none"`)
	status, output = redeploy("one/f")
	wantOutput(t, "failed build", status, 1, output, "deploy function f: ", "/no/such/node")
	status, output = redeploy("fr-par/"+ids[1], "--no-wait")
	wantOutput(t, "without waiting", status, 0, output, "function two/f: deployment started")

	jeton.Restart(func(c *server.Config) { c.Toolchains = nil })
	status, output = redeploy(ids[0])
	wantOutput(t, "by ID", status, 0, output, "function one/f is ready: "+jeton.GatewayURL+"/functions/one/f")
	status, output = redeploy("fr-par/two/f")
	wantOutput(t, "by name", status, 0, output, "function two/f is ready: ")
	// A function that is ready can be deployed again.
	status, output = redeploy(ids[0])
	wantOutput(t, "once more", status, 0, output, "function one/f is ready: ")
	status, output = redeploy(ids[0], "--credentials", "/no/such/file")
	wantOutput(t, "without credentials", status, 1, output, "no credentials at /no/such/file")
}
