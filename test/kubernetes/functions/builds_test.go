//go:build linux && kubernetes

package functions_test

import (
	"fmt"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	function "github.com/scaleway/scaleway-sdk-go/api/function/v1beta1"

	"github.com/jeton-dev/jeton/internal/server"
	"github.com/jeton-dev/jeton/test/await"
	"github.com/jeton-dev/jeton/test/deploy"
	"github.com/jeton-dev/jeton/test/kubernetes/cluster"
)

// renderedPort is the port of the registry in the chart that the caller of the tests has rendered.
const renderedPort = "4321"

// TestBuilds_ReachOnlyWhatTheChartAllows serves a registry of crates at an address that the chart's policy
// denies to all Pods. Builds reach it as soon as the chart allows it to builds; functions never do.
func TestBuilds_ReachOnlyWhatTheChartAllows(t *testing.T) {
	asked := make(chan string, 100)
	registry := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		asked <- r.URL.Path
		http.NotFound(w, r)
	}))
	_ = registry.Listener.Close()
	listener, err := net.Listen("tcp", cluster.NodeIP+":0")
	if err != nil {
		t.Fatal(err)
	}
	registry.Listener = listener
	registry.Start()
	t.Cleanup(registry.Close)
	w := newWorld(t, "registry", func(c *server.Config) { c.Crates = "sparse+" + registry.URL + "/" })
	port := fmt.Sprint(listener.Addr().(*net.TCPAddr).Port)

	w.apply(t, "jeton-functions", port)
	w.build(t, "denied")
	if len(asked) > 0 {
		t.Errorf("a build reaches the registry, which the policy denies: %s", <-asked)
	}
	w.apply(t, "jeton-builds", port)
	await.True(t, "a build reaches the registry", func() bool {
		w.build(t, "allowed")
		return len(asked) > 0
	})
	if path := <-asked; path != "/config.json" {
		t.Errorf("the build asks for %s", path)
	}
	f := w.deploy(t, "function", "node20", "handler.handle", public, map[string]string{
		"handler.js": "exports.handle = () => fetch('" + registry.URL + "/function').then(() => ({ body: 'reached' }), () => ({ body: 'not reached' }));\n",
	})
	if status, body := w.call(t, f, "/", ""); status != http.StatusOK || body != "not reached" {
		t.Errorf("a function that connects to the registry: got %d %q", status, body)
	}
}

// build deploys a Rust function with a requirement that the registry lacks. The deployment fails.
func (w *world) build(t *testing.T, name string) {
	t.Helper()
	f, err := deploy.Function(t.Context(), w.api, &function.CreateFunctionRequest{
		NamespaceID: w.functions, Name: name, Runtime: "rust185", Privacy: public,
	}, map[string]string{
		"Cargo.toml":     "[package]\nname = \"f\"\nversion = \"0.1.0\"\nedition = \"2021\"\n[lib]\npath = \"src/handler.rs\"\n[dependencies]\nmissing = \"1\"\n",
		"src/handler.rs": "pub fn handle() {}\n",
	})
	if err == nil {
		t.Fatalf("the function %s, whose requirement does not exist, is built", f.Name)
	}
}

// apply applies a network policy of the chart, with another port of the registry.
func (w *world) apply(t *testing.T, name, port string) {
	t.Helper()
	chart, err := os.ReadFile(filepath.Join(os.Getenv("JETON_TEST_CHARTS"), "builds.yaml"))
	if err != nil {
		t.Fatalf("%v: run make test-kubernetes", err)
	}
	for document := range strings.SplitSeq(string(chart), "\n---\n") {
		if !strings.Contains(document, "\nkind: NetworkPolicy\n") || !strings.Contains(document, "\n  name: "+name+"\n") {
			continue
		}
		apply := exec.Command("kubectl", "apply", "-n", w.namespace, "-f", "-")
		apply.Stdin = strings.NewReader(strings.ReplaceAll(document, "port: "+renderedPort, "port: "+port) + "\n")
		if output, err := apply.CombinedOutput(); err != nil {
			t.Fatalf("kubectl apply: %v\n%s", err, output)
		}
		return
	}
	t.Fatalf("the chart has no policy %s", name)
}
