//go:build linux

package kubetest

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"testing"
	"time"

	function "github.com/scaleway/scaleway-sdk-go/api/function/v1beta1"

	"github.com/jeton-dev/jeton/test/await"
	"github.com/jeton-dev/jeton/test/deploy"
	"github.com/jeton-dev/jeton/test/jetontest"
)

// Handler is the name of the handler of functions that Deploy deploys.
const Handler = "handler.handle"

// CreateNamespace creates a namespace of functions and returns its ID.
func CreateNamespace(t testing.TB, api *function.API) string {
	t.Helper()
	n, err := api.CreateNamespace(&function.CreateNamespaceRequest{Name: "functions"})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := api.WaitForNamespace(&function.WaitForNamespaceRequest{NamespaceID: n.ID}); err != nil {
		t.Fatal(err)
	}
	return n.ID
}

// Node returns the request for a function of Node.js in a namespace of functions.
func Node(namespaceID, name string, privacy function.FunctionPrivacy) *function.CreateFunctionRequest {
	handler, memory := Handler, uint32(256)
	return &function.CreateFunctionRequest{
		NamespaceID: namespaceID, Name: name, Runtime: "node20", Handler: &handler, Privacy: privacy, MemoryLimit: &memory,
	}
}

// Deploy deploys a function of Node.js with the code of its handler.
func Deploy(t testing.TB, api *function.API, request *function.CreateFunctionRequest, code string) *function.Function {
	t.Helper()
	f, err := api.CreateFunction(request)
	if err != nil {
		t.Fatal(err)
	}
	return DeployCode(t, api, f, code)
}

// pollInterval is the interval at which DeployCode reads the status of a function.
const pollInterval = 50 * time.Millisecond

// DeployCode deploys a function that exists.
func DeployCode(t testing.TB, api *function.API, f *function.Function, code string) *function.Function {
	t.Helper()
	archive, err := deploy.Archive(map[string]string{"handler.js": code})
	if err != nil {
		t.Fatal(err)
	}
	if err := deploy.Upload(t.Context(), api, f.ID, archive); err != nil {
		t.Fatal(err)
	}
	deployed, err := deploy.Uploaded(t.Context(), api, f.ID, pollInterval)
	if err != nil {
		t.Fatal(err)
	}
	return deployed
}

// Call calls a function through a gateway and returns the status and the body.
func Call(ctx context.Context, gateway string, f *function.Function, path, token string) (status int, body string, err error) {
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, gateway+path, nil)
	if err != nil {
		return 0, "", err
	}
	request.Host = f.DomainName
	if token != "" {
		request.Header.Set("X-Auth-Token", token)
	}
	client := &http.Client{Timeout: await.Patience}
	response, err := client.Do(request)
	if err != nil {
		return 0, "", err
	}
	defer response.Body.Close()
	text, err := io.ReadAll(response.Body)
	return response.StatusCode, string(text), err
}

// Want calls a function and checks its answer.
func Want(t testing.TB, gateway string, f *function.Function, path, token string, status int, body string) {
	t.Helper()
	got, text, err := Call(t.Context(), gateway, f, path, token)
	if err != nil || got != status || text != body {
		t.Errorf("call %s%s: got %d %q, %v; want %d %q", f.Name, path, got, text, err, status, body)
	}
}

// Log returns the log of a function.
func Log(t testing.TB, j *jetontest.Jeton, f *function.Function) string {
	t.Helper()
	request, err := http.NewRequestWithContext(t.Context(), http.MethodGet,
		fmt.Sprintf("%s/functions/v1beta1/regions/%s/functions/%s/logs", j.APIURL, f.Region, f.ID), nil)
	if err != nil {
		t.Fatal(err)
	}
	request.Header.Set("X-Auth-Token", j.SecretKey)
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	text, err := io.ReadAll(response.Body)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}
