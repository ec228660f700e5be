//go:build scw

// Package scw_test tests the server with scw, Scaleway's command line, which takes a
// minute to build: `make test-scw`.
package scw_test

import (
	"encoding/json"
	"errors"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
	"time"

	function "github.com/scaleway/scaleway-sdk-go/api/function/v1beta1"
	"github.com/scaleway/scaleway-sdk-go/scw"

	"github.com/jeton-dev/jeton/test/deploy"
	"github.com/jeton-dev/jeton/test/jetontest"
)

// world is a server, the environment of scw, and the SDK's client to compare with.
type world struct {
	*jetontest.Jeton
	*function.API
	t   *testing.T
	env []string
}

func newWorld(t *testing.T) *world {
	t.Helper()
	j := jetontest.Start(t)
	w := &world{Jeton: j, API: function.NewAPI(j.Client()), t: t}
	w.env = []string{"HOME=" + t.TempDir(), "PATH=" + os.Getenv("PATH"), "SCW_DISABLE_CHECK_VERSION=true"}
	for name, value := range j.Env() {
		w.env = append(w.env, name+"="+value)
	}
	return w
}

// run runs scw, and returns its output and whether it succeeds.
func (w *world) run(arguments ...string) (string, bool) {
	w.t.Helper()
	program, err := filepath.Abs(filepath.Join("..", "..", "bin", "scw"))
	if err != nil {
		w.t.Fatal(err)
	}
	command := exec.CommandContext(w.t.Context(), program, append(arguments, "-o", "json")...)
	command.Env = w.env
	output, err := command.Output()
	if err != nil {
		if exit, ok := errors.AsType[*exec.ExitError](err); ok {
			return string(output) + string(exit.Stderr), false
		}
		w.t.Fatal(err)
	}
	return string(output), true
}

// scw runs scw and decodes its output. It fails the test if scw fails.
func (w *world) scw(into any, arguments ...string) {
	w.t.Helper()
	output, ok := w.run(arguments...)
	if !ok {
		w.t.Fatalf("scw %s: %s", strings.Join(arguments, " "), output)
	}
	if err := json.Unmarshal([]byte(output), into); err != nil {
		w.t.Fatalf("scw %s prints %s: %v", strings.Join(arguments, " "), output, err)
	}
}

// settle waits until no object is in a transient state. This version of scw has no
// command for it.
func (w *world) settle() {
	w.t.Helper()
	namespaces, err := w.ListNamespaces(&function.ListNamespacesRequest{}, scw.WithAllPages())
	if err != nil {
		w.t.Fatal(err)
	}
	for _, n := range namespaces.Namespaces {
		if _, err := w.WaitForNamespace(&function.WaitForNamespaceRequest{NamespaceID: n.ID, RetryInterval: &often}); err != nil {
			w.t.Fatal(err)
		}
		all, err := w.ListFunctions(&function.ListFunctionsRequest{NamespaceID: n.ID}, scw.WithAllPages())
		if err != nil {
			w.t.Fatal(err)
		}
		for _, f := range all.Functions {
			w.settleFunction(f.ID)
		}
	}
}

func (w *world) settleFunction(id string) {
	w.t.Helper()
	_, err := w.WaitForFunction(&function.WaitForFunctionRequest{FunctionID: id, RetryInterval: &often})
	crons, err2 := w.ListCrons(&function.ListCronsRequest{FunctionID: id})
	domains, err3 := w.ListDomains(&function.ListDomainsRequest{FunctionID: id})
	triggers, err4 := w.ListTriggers(&function.ListTriggersRequest{FunctionID: &id})
	if err := errors.Join(err, err2, err3, err4); err != nil {
		w.t.Fatal(err)
	}
	for _, c := range crons.Crons {
		_, err = w.WaitForCron(&function.WaitForCronRequest{CronID: c.ID, RetryInterval: &often})
	}
	for _, d := range domains.Domains {
		_, err2 = w.WaitForDomain(&function.WaitForDomainRequest{DomainID: d.ID, RetryInterval: &often})
	}
	for _, r := range triggers.Triggers {
		_, err3 = w.WaitForTrigger(&function.WaitForTriggerRequest{TriggerID: r.ID, RetryInterval: &often})
	}
	if err := errors.Join(err, err2, err3); err != nil {
		w.t.Fatal(err)
	}
}

var often = 20 * time.Millisecond

// same fails unless scw shows the API's values. For fields that it does not know, scw
// shows null.
func same[T any](t *testing.T, shown, want T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
	var a, b any
	for value, into := range map[*T]*any{&shown: &a, &want: &b} {
		encoded, err := json.Marshal(value)
		if err == nil {
			err = json.Unmarshal(encoded, into)
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	if !within(a, b) {
		t.Errorf("scw: got\n%v, want\n%v", a, b)
	}
}

// within reports whether all shown values are among the API's.
func within(shown, want any) bool {
	switch shown := shown.(type) {
	case nil:
		return true
	case string:
		// A field that scw does not know is "".
		return shown == "" || reflect.DeepEqual(shown, want)
	case map[string]any:
		want, ok := want.(map[string]any)
		for key, value := range shown {
			ok = ok && within(value, want[key])
		}
		return ok
	case []any:
		want, ok := want.([]any)
		ok = ok && len(shown) == len(want)
		for i := range shown {
			ok = ok && within(shown[i], want[i])
		}
		return ok
	}
	return reflect.DeepEqual(shown, want)
}

// archive writes the archive of a Python function, and returns its path.
func archive(t *testing.T, code string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "function.zip")
	packed, err := deploy.Archive(map[string]string{"handler.py": code})
	if err == nil {
		err = os.WriteFile(path, packed, 0o600)
	}
	if err != nil {
		t.Fatal(err)
	}
	return path
}

func (w *world) call(f *function.Function, token string) int {
	w.t.Helper()
	request, err := http.NewRequestWithContext(w.t.Context(), http.MethodGet, w.GatewayURL, nil)
	if err != nil {
		w.t.Fatal(err)
	}
	request.Host = f.DomainName
	request.Header.Set("X-Auth-Token", token)
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		w.t.Fatal(err)
	}
	defer response.Body.Close()
	return response.StatusCode
}

// The test creates, reads, lists, updates and deletes an object of each kind.
func TestSCW_EveryKindOfObject(t *testing.T) {
	w := newWorld(t)
	var n function.Namespace
	w.scw(&n, "function", "namespace", "create", "name=shop", "description=all of it", "environment-variables.A=1", "secret-environment-variables.0.key=S", "secret-environment-variables.0.value="+jetontest.SecretMark)
	w.settle()
	w.scw(&n, "function", "namespace", "get", n.ID)
	got, err := w.GetNamespace(&function.GetNamespaceRequest{NamespaceID: n.ID})
	same(t, &n, got, err)
	var namespaces []*function.Namespace
	w.scw(&namespaces, "function", "namespace", "list")
	list, err := w.ListNamespaces(&function.ListNamespacesRequest{}, scw.WithAllPages())
	same(t, namespaces, list.Namespaces, err)
	w.scw(&n, "function", "namespace", "update", n.ID, "description=some of it")
	if *n.Description != "some of it" {
		t.Errorf("after the update: got namespace %+v", n)
	}

	var f, again function.Function
	w.scw(&f, "function", "function", "create", "name=orders", "namespace-id="+n.ID, "runtime=python311", "privacy=private", "max-scale=2")
	w.scw(&again, "function", "function", "get", f.ID)
	current, err := w.GetFunction(&function.GetFunctionRequest{FunctionID: f.ID})
	same(t, &again, current, err)

	var c function.Cron
	w.scw(&c, "function", "cron", "create", "function-id="+f.ID, "schedule=*/5 * * * *", "name=often")
	w.settle()
	w.scw(&c, "function", "cron", "get", c.ID)
	cron, err := w.GetCron(&function.GetCronRequest{CronID: c.ID})
	same(t, &c, cron, err)
	w.scw(&c, "function", "cron", "update", c.ID, "schedule=@daily")
	var crons []*function.Cron
	w.scw(&crons, "function", "cron", "list", "function-id="+f.ID)
	if len(crons) != 1 || crons[0].Schedule != "@daily" {
		t.Errorf("got crons %+v", crons)
	}

	var d function.Domain
	w.scw(&d, "function", "domain", "create", "function-id="+f.ID, "hostname=orders.example.com")
	w.settle()
	w.scw(&d, "function", "domain", "get", d.ID)
	domain, err := w.GetDomain(&function.GetDomainRequest{DomainID: d.ID})
	same(t, &d, domain, err)

	var r function.Trigger
	w.scw(&r, "function", "trigger", "create", "function-id="+f.ID, "name=queue", "scw-sqs-config.queue=orders", "scw-sqs-config.mnq-project-id="+w.ProjectID, "scw-sqs-config.mnq-region=fr-par")
	w.settle()
	w.scw(&r, "function", "trigger", "get", r.ID)
	trigger, err := w.GetTrigger(&function.GetTriggerRequest{TriggerID: r.ID})
	same(t, &r, trigger, err)

	var runtimes function.ListFunctionRuntimesResponse
	w.scw(&runtimes, "function", "runtime", "list")
	known, err := w.ListFunctionRuntimes(&function.ListFunctionRuntimesRequest{})
	same(t, &runtimes, known, err)

	for _, deletion := range [][]string{{"trigger", r.ID}, {"domain", d.ID}, {"cron", c.ID}, {"function", f.ID}, {"namespace", n.ID}} {
		if output, ok := w.run("function", deletion[0], "delete", deletion[1]); !ok {
			t.Errorf("delete the %s: %s", deletion[0], output)
		}
	}
	if output, ok := w.run("function", "cron", "get", c.ID); ok || !strings.Contains(output, "cron was not found") {
		t.Errorf("read a deleted cron: got %s", output)
	}
}

// The test deploys a function with one command, and calls it with a token of another
// command until the token is deleted.
func TestSCW_DeployAndToken(t *testing.T) {
	w := newWorld(t)
	var n function.Namespace
	w.scw(&n, "function", "namespace", "create", "name=deployed")
	w.settle()
	if output, ok := w.run("function", "deploy", "namespace-id="+n.ID, "name=hello", "runtime=python311", "zip-file="+archive(t, "def handle(event, context):\n    return 'hello'\n")); !ok {
		t.Fatalf("deploy: %s", output)
	}
	list, err := w.ListFunctions(&function.ListFunctionsRequest{NamespaceID: n.ID})
	if err != nil || len(list.Functions) != 1 || list.Functions[0].Status != function.FunctionStatusReady {
		t.Fatalf("got functions %+v, error %v", list, err)
	}
	f := list.Functions[0]
	if status := w.call(f, ""); status != 200 {
		t.Errorf("call of the public function: got status %d", status)
	}
	var private function.Function
	w.scw(&private, "function", "function", "update", f.ID, "privacy=private")
	w.settle()
	var token function.Token
	w.scw(&token, "function", "token", "create", "function-id="+f.ID, "description=partner")
	if status := w.call(f, token.Token); status != 200 {
		t.Errorf("call with the token: got status %d", status)
	}
	if status := w.call(f, ""); status != 403 {
		t.Errorf("call without a token: got status %d", status)
	}
	var tokens []*function.Token
	w.scw(&tokens, "function", "token", "list", "function-id="+f.ID)
	if len(tokens) != 1 || tokens[0].ID != token.ID || tokens[0].Token != "<hidden>" {
		t.Errorf("got tokens %+v", tokens)
	}
	w.scw(&token, "function", "token", "delete", token.ID)
	if status := w.call(f, tokens[0].Token); status != 403 {
		t.Errorf("call after its deletion: got status %d", status)
	}
}
