package e2e_test

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	function "github.com/scaleway/scaleway-sdk-go/api/function/v1beta1"

	"github.com/jeton-dev/jeton/internal/admin"
	"github.com/jeton-dev/jeton/internal/iam"
	"github.com/jeton-dev/jeton/internal/server"
	"github.com/jeton-dev/jeton/test/await"
)

// More builds than may run at once wait for a module proxy that never answers. Other
// builds are not delayed.
func TestBuilds_WaitForNetworkWithoutTakingTurns(t *testing.T) {
	asked := make(chan struct{}, 100)
	closed := make(chan struct{})
	proxy := serveOutside(t, http.HandlerFunc(func(http.ResponseWriter, *http.Request) {
		asked <- struct{}{}
		<-closed
	}))
	t.Cleanup(func() { close(closed) })
	t.Setenv("GOPROXY", proxy)
	t.Setenv("GONOSUMDB", "example.invalid")
	w := newWorld(t, seenFromOutside, func(c *server.Config) { c.BuildsAtOnce = 1 })
	n := w.namespace("turns")
	for _, name := range []string{"slow-one", "slow-two", "slow-three"} {
		f := w.function(&function.CreateFunctionRequest{NamespaceID: n.ID, Name: name, Runtime: "go126"}, nil)
		w.upload(f.ID, zipOf(t, map[string]string{
			"go.mod": goMod + "\nrequire example.invalid/" + name + " v1.0.0\n",
			"f.go":   "package f\n\nimport \"net/http\"\n\nfunc Handle(w http.ResponseWriter, r *http.Request) {}\n",
		}))
		must[*function.Function](t)(w.DeployFunction(&function.DeployFunctionRequest{FunctionID: f.ID}))
	}
	for range 2 {
		await.Receive(t, "a download of a build", asked)
	}
	f := w.function(python(n.ID, "quick"), pythonHandler("return 'quick'"))
	if status, body := w.call(f, "/", ""); status != 200 || body != "quick" {
		t.Errorf("got %d %s: %v", status, body, f.ErrorMessage)
	}
}

// Two projects deploy the same archive.
func TestBuilds_OfAnotherProjectAreNotUsed(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	archive := zipOf(t, pythonHandler("return 'same'"))
	second := must[admin.Project](t)(w.Admin.CreateProject(t.Context(), "second"))
	for _, client := range []*function.API{w.API, function.NewAPI(w.ClientOf(w.Key(second.ID, iam.FullAccess)))} {
		other := &world{Jeton: w.Jeton, API: client, t: t}
		f := other.function(python(other.namespace("same").ID, "f"), nil)
		f = other.deploy(f.ID, archive)
		if f.Status != function.FunctionStatusReady {
			t.Fatalf("got status %s: %v", f.Status, f.ErrorMessage)
		}
		if log := other.buildLog(f); strings.Contains(log, builtBefore) {
			t.Errorf("the build of another project was used:\n%s", log)
		}
	}
}

// With --egress=none builds have no network, also without isolation.
func TestBuilds_WithoutEgressDownloadNothing(t *testing.T) {
	asked := make(chan struct{}, 100)
	proxy := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { asked <- struct{}{} }))
	t.Cleanup(proxy.Close)
	t.Setenv("GOPROXY", proxy.URL)
	t.Setenv("GONOSUMDB", "example.invalid")
	w := newWorld(t, seenFromOutside, func(c *server.Config) { c.Egress = false })
	const sum = "47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU="
	f := w.function(&function.CreateFunctionRequest{NamespaceID: w.namespace("offline").ID, Name: "f", Runtime: "go126"}, map[string]string{
		"go.mod": goMod + "\nrequire example.invalid/x v1.0.0\n",
		"go.sum": "example.invalid/x v1.0.0 h1:" + sum + "\nexample.invalid/x v1.0.0/go.mod h1:" + sum + "\n",
		"f.go":   "package f\n\nimport (\n\t\"net/http\"\n\n\t_ \"example.invalid/x\"\n)\n\nfunc Handle(w http.ResponseWriter, r *http.Request) {}\n",
	})
	if f.Status != function.FunctionStatusError || !strings.Contains(*f.ErrorMessage, "--egress=none") {
		t.Errorf("got status %s: %v", f.Status, *f.ErrorMessage)
	}
	if len(asked) > 0 {
		t.Error("the build sent a request to the module proxy")
	}
}
