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

// TestDeploy_RetriesWithoutAChange: what failed because of the machine is deployed
// again once that is put right, with the code that is there.
func TestDeploy_RetriesWithoutAChange(t *testing.T) {
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
	status, said := command(t, "", "deploy", "f")
	wantSays(t, "two of one name", status, 1, said, "several have that name", "pass --namespace", ids[0]+" of namespace one in fr-par", ids[1])
	status, said = command(t, "", "deploy", "none")
	wantSays(t, "none of the name", status, 1, said, `find function "none"`)
	status, said = command(t, "", "deploy", "f", "--namespace", "one")
	wantSays(t, "a failure", status, 1, said, "deploy function f: ", "/no/such/node", "jeton logs --build f")
	status, said = command(t, "", "deploy", "fr-par/"+ids[1], "--no-wait")
	wantSays(t, "without waiting", status, 0, said, "is being deployed")

	jeton.Restart(func(c *server.Config) { c.Toolchains = nil })
	status, said = command(t, "", "deploy", ids[0])
	wantSays(t, "by ID", status, 0, said, "function f is ready: https://")
	status, said = command(t, "", "deploy", "f", "--namespace", "two")
	wantSays(t, "by name", status, 0, said, "function f is ready: https://")
	// A function that serves calls may be deployed again, too.
	status, said = command(t, "", "deploy", ids[0])
	wantSays(t, "once more", status, 0, said, "function f is ready: https://")
	status, said = command(t, "", "deploy", ids[0], "--credentials", "/no/such/file")
	wantSays(t, "without credentials", status, 1, said, "no credentials at /no/such/file")
}
