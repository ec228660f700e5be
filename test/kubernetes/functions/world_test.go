//go:build linux && kubernetes

package functions_test

import (
	"fmt"
	"io"
	"net/http"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	function "github.com/scaleway/scaleway-sdk-go/api/function/v1beta1"

	"github.com/jeton-dev/jeton/internal/server"
	"github.com/jeton-dev/jeton/test/await"
	"github.com/jeton-dev/jeton/test/deploy"
	"github.com/jeton-dev/jeton/test/jetontest"
	"github.com/jeton-dev/jeton/test/kubernetes/cluster"
)

// A world is a server that runs functions in a namespace of its own, in which the Pod Security
// Standard restricted is enforced.
type world struct {
	*jetontest.Jeton
	t         *testing.T
	cluster   *cluster.Cluster
	api       *function.API
	namespace string
	// functions is the ID of the functions' namespace in Jeton.
	functions string
}

func newWorld(t *testing.T, namespace string, options ...jetontest.Option) *world {
	t.Helper()
	w := &world{t: t, cluster: cluster.Inside(t), namespace: namespace}
	w.kubectl("create", "namespace", namespace)
	w.kubectl("label", "namespace", namespace, "pod-security.kubernetes.io/enforce=restricted")
	t.Cleanup(func() { w.kubectl("delete", "namespace", namespace, "--wait=false") })
	inPods := func(c *server.Config) {
		c.Engine = server.KubernetesEngine
		c.Kubernetes.Kubeconfig, c.Kubernetes.Namespace = w.cluster.Kubeconfig(), namespace
		c.Kubernetes.Image = "ghcr.io/jeton-dev/jeton-runtime-{language}:dev"
	}
	w.Jeton = jetontest.StartProcess(t, filepath.Join(t.TempDir(), "data"), nil, append([]jetontest.Option{inPods}, options...)...)
	w.api = function.NewAPI(w.Client())
	n, err := w.api.CreateNamespace(&function.CreateNamespaceRequest{Name: "functions"})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := w.api.WaitForNamespace(&function.WaitForNamespaceRequest{NamespaceID: n.ID}); err != nil {
		t.Fatal(err)
	}
	w.functions = n.ID
	return w
}

// kubectl runs kubectl and returns its output.
func (w *world) kubectl(args ...string) string {
	w.t.Helper()
	output, err := exec.Command("kubectl", args...).CombinedOutput()
	if err != nil {
		w.t.Errorf("kubectl %s: %v\n%s", strings.Join(args, " "), err, output)
	}
	return string(output)
}

// pods returns the names of the Pods in the world's namespace that have not ended.
func (w *world) pods() []string {
	w.t.Helper()
	return strings.Fields(w.kubectl("get", "pods", "-n", w.namespace, "--field-selector=status.phase!=Succeeded,status.phase!=Failed",
		"-o", "jsonpath={.items[*].metadata.name}"))
}

// deploy deploys a function that answers calls of anybody, or only with a token.
func (w *world) deploy(t *testing.T, name, runtime, handler string, privacy function.FunctionPrivacy, files map[string]string) *function.Function {
	t.Helper()
	memory := uint32(256)
	f, err := deploy.Function(t.Context(), w.api, &function.CreateFunctionRequest{
		NamespaceID: w.functions, Name: name, Runtime: function.FunctionRuntime(runtime), Handler: &handler, Privacy: privacy, MemoryLimit: &memory,
	}, files)
	if err != nil {
		t.Fatal(err)
	}
	return f
}

// call calls a function and returns the status and the body.
func (w *world) call(t *testing.T, f *function.Function, path, token string) (status int, body string) {
	t.Helper()
	request, err := http.NewRequestWithContext(t.Context(), http.MethodGet, w.GatewayURL+path, nil)
	if err != nil {
		t.Fatal(err)
	}
	request.Host = f.DomainName
	if token != "" {
		request.Header.Set("X-Auth-Token", token)
	}
	return w.answer(t, request)
}

// log returns the log of a function.
func (w *world) log(t *testing.T, f *function.Function) string {
	t.Helper()
	request, err := http.NewRequestWithContext(t.Context(), http.MethodGet,
		fmt.Sprintf("%s/functions/v1beta1/regions/%s/functions/%s/logs", w.APIURL, f.Region, f.ID), nil)
	if err != nil {
		t.Fatal(err)
	}
	request.Header.Set("X-Auth-Token", w.SecretKey)
	_, body := w.answer(t, request)
	return body
}

func (w *world) answer(t *testing.T, request *http.Request) (status int, body string) {
	t.Helper()
	client := &http.Client{Timeout: await.Patience}
	response, err := client.Do(request)
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	text, err := io.ReadAll(response.Body)
	if err != nil {
		t.Fatal(err)
	}
	return response.StatusCode, string(text)
}
