// Package e2e_test tests a complete server through the official SDK and plain HTTP.
package e2e_test

import (
	"bytes"
	"context"
	"io"
	"net/http"
	"strconv"
	"strings"
	"testing"
	"time"

	function "github.com/scaleway/scaleway-sdk-go/api/function/v1beta1"
	"github.com/scaleway/scaleway-sdk-go/scw"

	"github.com/jeton-dev/jeton/internal/sandbox"
	"github.com/jeton-dev/jeton/internal/server"
	"github.com/jeton-dev/jeton/test/await"
	"github.com/jeton-dev/jeton/test/deploy"
	"github.com/jeton-dev/jeton/test/jetontest"
)

// patience bounds every wait of a test.
const patience = await.Patience

// world is a running server and the official client of its API.
type world struct {
	*jetontest.Jeton
	*function.API
	t *testing.T
}

// seenFromOutside makes instances of this machine plain processes without isolation, so that
// they reach the servers of the test. Pods do.
func seenFromOutside(c *server.Config) {
	if c.Engine == server.ProcessEngine {
		c.Isolation = sandbox.None.String()
	}
}

func newWorld(t *testing.T, options ...jetontest.Option) *world {
	t.Helper()
	jeton := jetontest.Start(t, options...)
	return &world{Jeton: jeton, API: function.NewAPI(jeton.Client()), t: t}
}

// restart stops the server and starts another one with the same data folder.
func (w *world) restart(options ...jetontest.Option) {
	w.t.Helper()
	w.Restart(options...)
	w.API = function.NewAPI(w.Client())
}

// over starts another server with a data folder that contains the same API key.
func (w *world) over(dataDir string) *world {
	w.t.Helper()
	other := w.Over(dataDir)
	return &world{Jeton: other, API: function.NewAPI(other.Client()), t: w.t}
}

func must[T any](t *testing.T) func(T, error) T {
	t.Helper()
	return func(value T, err error) T {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
		return value
	}
}

func pointer[T any](value T) *T { return &value }

var often = pointer(20 * time.Millisecond)

func (w *world) namespace(name string) *function.Namespace {
	w.t.Helper()
	n := must[*function.Namespace](w.t)(w.CreateNamespace(&function.CreateNamespaceRequest{Name: name}))
	return must[*function.Namespace](w.t)(w.WaitForNamespace(&function.WaitForNamespaceRequest{
		NamespaceID: n.ID, RetryInterval: often, Timeout: pointer(patience),
	}))
}

// function creates a function, and deploys files as its code unless they are nil.
func (w *world) function(request *function.CreateFunctionRequest, files map[string]string) *function.Function {
	w.t.Helper()
	f := must[*function.Function](w.t)(w.CreateFunction(request))
	if files == nil {
		return f
	}
	return w.deploy(f.ID, zipOf(w.t, files))
}

// deploy uploads an archive, deploys it, and returns the function after the deployment
// has succeeded or failed.
func (w *world) deploy(id string, archive []byte) *function.Function {
	w.t.Helper()
	w.upload(id, archive)
	must[*function.Function](w.t)(w.DeployFunction(&function.DeployFunctionRequest{FunctionID: id}))
	return w.settled(id)
}

func (w *world) settled(id string) *function.Function {
	w.t.Helper()
	limit := patience
	if jetontest.InPods() {
		limit *= 3 // A build in a Pod may compile all crates, or wait for other Pods.
	}
	f := must[*function.Function](w.t)(w.WaitForFunction(&function.WaitForFunctionRequest{
		FunctionID: id, RetryInterval: often, Timeout: &limit,
	}))
	if f.Status != function.FunctionStatusReady && f.ErrorMessage != nil {
		w.t.Logf("function %s has status %s: %s", f.Name, f.Status, *f.ErrorMessage)
	}
	return f
}

func (w *world) upload(id string, archive []byte) {
	w.t.Helper()
	ctx, cancel := context.WithTimeout(w.t.Context(), patience)
	defer cancel()
	if err := deploy.Upload(ctx, w.API, id, archive); err != nil {
		w.t.Fatal(err)
	}
}

// send sends a request and returns the status, the headers and the body of the answer.
func (w *world) send(method, url string, body []byte, header http.Header) (int, http.Header, string) {
	w.t.Helper()
	ctx, cancel := context.WithTimeout(w.t.Context(), patience)
	defer cancel()
	request := must[*http.Request](w.t)(http.NewRequestWithContext(ctx, method, url, bytes.NewReader(body)))
	for name, values := range header {
		request.Header[name] = values
	}
	if host := header.Get("Host"); host != "" {
		request.Host = host
	}
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		w.t.Fatal(err)
	}
	defer response.Body.Close()
	text := must[[]byte](w.t)(io.ReadAll(response.Body))
	return response.StatusCode, response.Header, string(text)
}

// api sends a request with the API key to the Functions API.
func (w *world) api(method, path, body string) (int, http.Header, string) {
	w.t.Helper()
	return w.send(method, w.APIURL+"/functions/v1beta1/regions/fr-par"+path, []byte(body), http.Header{"X-Auth-Token": {w.SecretKey}})
}

// call calls a function through the gateway. Token may be "".
func (w *world) call(f *function.Function, path, token string) (int, string) {
	w.t.Helper()
	header := http.Header{"Host": {f.DomainName}}
	if token != "" {
		header.Set("X-Auth-Token", token)
	}
	status, _, body := w.send(http.MethodGet, w.GatewayURL+path, nil, header)
	return status, body
}

func zipOf(t *testing.T, files map[string]string) []byte {
	t.Helper()
	return must[[]byte](t)(deploy.Archive(files))
}

// python returns a request for a public Python function.
func python(namespaceID, name string) *function.CreateFunctionRequest {
	return &function.CreateFunctionRequest{
		NamespaceID: namespaceID, Name: name, Runtime: "python311", Privacy: function.FunctionPrivacyPublic,
		Timeout: &scw.Duration{Seconds: 60},
	}
}

func pythonHandler(lines ...string) map[string]string {
	return map[string]string{"handler.py": "import os, sys, time\n\ndef handle(event, context):\n    " + strings.Join(lines, "\n    ") + "\n"}
}

func wantStatus(t *testing.T, what string, got, want int) {
	t.Helper()
	if got != want {
		t.Errorf("%s: got status %s, want %s", what, strconv.Itoa(got), strconv.Itoa(want))
	}
}
