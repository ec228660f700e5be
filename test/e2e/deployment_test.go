package e2e_test

import (
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	function "github.com/scaleway/scaleway-sdk-go/api/function/v1beta1"

	"github.com/jeton-dev/jeton/internal/server"
	"github.com/jeton-dev/jeton/test/await"
)

// begin uploads an archive and starts its deployment, without waiting for it.
func (w *world) begin(id string, files map[string]string) {
	w.t.Helper()
	w.upload(id, zipOf(w.t, files))
	must[*function.Function](w.t)(w.DeployFunction(&function.DeployFunctionRequest{FunctionID: id}))
}

// A change of the function during a deployment, or after a failed one, keeps the code
// of the deployment.
func TestDeployment_SurvivesChangeOfFunction(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	f := w.function(python(w.namespace("keeps").ID, "f"), pythonHandler("return '1'"))
	w.begin(f.ID, pythonHandler("return '2'"))
	must[*function.Function](t)(w.UpdateFunction(&function.UpdateFunctionRequest{FunctionID: f.ID, Description: pointer("changed")}))
	w.settled(f.ID)
	if status, body := w.call(f, "/", ""); status != 200 || body != "2" {
		t.Errorf("got %d %s: the deployment was lost", status, body)
	}
	if f = w.deploy(f.ID, zipOf(t, map[string]string{"handler.py": "def handle(:\n"})); f.Status != function.FunctionStatusError {
		t.Errorf("broken code: got status %s", f.Status)
	}
	must[*function.Function](t)(w.UpdateFunction(&function.UpdateFunctionRequest{FunctionID: f.ID, Description: pointer("again")}))
	if f = w.settled(f.ID); f.Status != function.FunctionStatusError {
		t.Errorf("a change after the failed deployment: got status %s", f.Status)
	}
	if status, body := w.call(f, "/", ""); status != 200 || body != "2" {
		t.Errorf("got %d %s", status, body)
	}
}

// A function whose deployment began before a change of the namespace's variables gets
// the new variables.
func TestDeployment_GetsVariablesChangedMeanwhile(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	n := w.namespace("reach")
	handler := pythonHandler("return os.environ.get('A', '')")
	f := w.function(python(n.ID, "f"), handler)
	w.begin(f.ID, map[string]string{"handler.py": "import time\ntime.sleep(0.5)\n" + handler["handler.py"]})
	must[*function.Namespace](t)(w.UpdateNamespace(&function.UpdateNamespaceRequest{NamespaceID: n.ID, EnvironmentVariables: &map[string]string{"A": "new"}}))
	await.True(t, "the namespace is ready", func() bool {
		n := must[*function.Namespace](t)(w.GetNamespace(&function.GetNamespaceRequest{NamespaceID: n.ID}))
		return n.Status == function.NamespaceStatusReady
	})
	w.settled(f.ID)
	if status, body := w.call(f, "/", ""); status != 200 || body != "new" {
		t.Errorf("got %d %q", status, body)
	}
}

// Files of a revision are removed only when no instance can read them any more.
func TestDeployment_KeepsFilesOfServingRevision(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	lazy := func(version, top string) map[string]string {
		return map[string]string{
			"handler.py": "import time\n" + top + "\ndef handle(event, context):\n    if event['path'] == '/slow': time.sleep(2)\n    import lazy\n    return lazy.version\n",
			"lazy.py":    "version = '" + version + "'\n",
		}
	}
	f := w.function(python(w.namespace("files").ID, "f"), lazy("1", ""))
	slow := make(chan string)
	go func() {
		_, body := w.call(f, "/slow", "")
		slow <- body
	}()
	w.deploy(f.ID, zipOf(t, lazy("2", "")))
	w.begin(f.ID, lazy("3", "time.sleep(3)"))
	if body := <-slow; body != "1" && body != "2" {
		t.Errorf("the slow call: got %q", body)
	}
	w.settled(f.ID)
	if status, body := w.call(f, "/", ""); status != 200 || body != "3" {
		t.Errorf("got %d %s", status, body)
	}
	await.True(t, "one artifact is left", func() bool {
		left, err := os.ReadDir(filepath.Join(w.DataDir, "artifacts", f.ID))
		return err == nil && len(left) == 1
	})
}

// A deployment or a restart repairs a function whose files were lost.
func TestDeployment_BuildsLostFilesAgain(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	f := w.function(python(w.namespace("lost").ID, "f"), pythonHandler("return 'hello'"))
	lose := func() {
		w.Stop()
		if err := os.RemoveAll(filepath.Join(w.DataDir, "artifacts", f.ID)); err != nil {
			t.Fatal(err)
		}
		w.restart()
	}
	lose()
	if f = w.settled(f.ID); f.Status != function.FunctionStatusReady {
		t.Errorf("after a restart: got status %s: %v", f.Status, f.ErrorMessage)
	}
	if status, body := w.call(f, "/", ""); status != 200 || body != "hello" {
		t.Errorf("after a restart: got %d %s", status, body)
	}
	if err := os.RemoveAll(filepath.Join(w.DataDir, "artifacts", f.ID)); err != nil {
		t.Fatal(err)
	}
	must[*function.Function](t)(w.DeployFunction(&function.DeployFunctionRequest{FunctionID: f.ID}))
	if f = w.settled(f.ID); f.Status != function.FunctionStatusReady {
		t.Errorf("after a deployment: got status %s: %v", f.Status, f.ErrorMessage)
	}
	if status, body := w.call(f, "/", ""); status != 200 || body != "hello" {
		t.Errorf("after a deployment: got %d %s", status, body)
	}
}

// Functions that start slowly do not delay other work.
func TestReconciler_SlowStartsDelayNothingElse(t *testing.T) {
	t.Parallel()
	w := newWorld(t, func(c *server.Config) { c.StartTimeout = 2 * patience })
	n := w.namespace("slow")
	for _, name := range []string{"a", "b", "c", "d", "e", "f", "g", "h", "i", "j"} {
		f := w.function(python(n.ID, name), nil)
		w.begin(f.ID, map[string]string{"handler.py": "import time\ntime.sleep(1000)\n"})
	}
	began := time.Now()
	w.namespace("quick")
	if took := time.Since(began); took > patience {
		t.Errorf("a new namespace took %v", took)
	}
	for f := range strings.SplitSeq("a b", " ") {
		found := must[*function.ListFunctionsResponse](t)(w.ListFunctions(&function.ListFunctionsRequest{NamespaceID: n.ID, Name: &f}))
		must[*function.Function](t)(w.DeleteFunction(&function.DeleteFunctionRequest{FunctionID: found.Functions[0].ID}))
	}
	await.True(t, "two functions are deleted", func() bool {
		found := must[*function.ListFunctionsResponse](t)(w.ListFunctions(&function.ListFunctionsRequest{NamespaceID: n.ID}))
		return found.TotalCount == 8
	})
	if took := time.Since(began); took > patience {
		t.Errorf("the deletion of a starting function took %v", took)
	}
}

// An upload fails if its function is deleted meanwhile.
func TestUpload_OfDeletedFunction(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	f := w.function(python(w.namespace("gone").ID, "f"), nil)
	archive := zipOf(t, pythonHandler("return 'x'"))
	target := must[*function.UploadURL](t)(w.GetFunctionUploadURL(&function.GetFunctionUploadURLRequest{FunctionID: f.ID, ContentLength: uint64(len(archive))}))
	must[*function.Function](t)(w.DeleteFunction(&function.DeleteFunctionRequest{FunctionID: f.ID}))
	await.True(t, "the function is deleted", func() bool {
		_, err := w.GetFunction(&function.GetFunctionRequest{FunctionID: f.ID})
		return notFound(err)
	})
	status, _, body := w.send(http.MethodPut, target.URL, archive, nil)
	if status != 404 || body != `{"message":"Function was not found"}` {
		t.Errorf("got %d %s", status, body)
	}
	if left, err := os.ReadDir(filepath.Join(w.DataDir, "archives")); err != nil || len(left) > 0 {
		t.Errorf("got files %v, error %v, want none", left, err)
	}
}

// A deployment of a function in status error builds the code again, without the stored
// build, and repeats the start check.
func TestDeployment_OfFunctionInErrorBuildsAgain(t *testing.T) {
	t.Parallel()
	w := newWorld(t, seenFromOutside)
	n := w.namespace("again")
	o := newOutside(t)
	code := map[string]string{"handler.py": o.python() + "assert meet('start').word == 'needed'\n" + pythonHandler("return 'started'")["handler.py"]}
	f := w.function(python(n.ID, "f"), code)
	if f.Status != function.FunctionStatusError || !strings.Contains(*f.ErrorMessage, "does not start") {
		t.Fatalf("got status %s, want error", f.Status)
	}
	again := func(deploy func() (*function.Function, error)) *function.Function {
		t.Helper()
		must[*function.Function](t)(deploy())
		return w.settled(f.ID)
	}
	post := func() (*function.Function, error) {
		return w.DeployFunction(&function.DeployFunctionRequest{FunctionID: f.ID})
	}
	if f = again(post); f.Status != function.FunctionStatusError || f.ErrorMessage == nil {
		t.Errorf("still failing: got status %s, want error", f.Status)
	}
	if text := w.buildLog(f); strings.Contains(text, "was built before") {
		t.Errorf("the build that failed to start was used again:\n%s", text)
	}
	o.say("needed")
	if f = again(post); f.Status != function.FunctionStatusReady || f.ErrorMessage != nil {
		t.Errorf("starting now: got status %s, want ready", f.Status)
	}
	if _, body := w.call(f, "/", ""); body != "started" {
		t.Errorf("got body %q", body)
	}
	// A change with redeploy does the same.
	o.say("missing")
	redeploy := func() (*function.Function, error) {
		return w.UpdateFunction(&function.UpdateFunctionRequest{FunctionID: f.ID, Redeploy: pointer(true)})
	}
	if f = again(redeploy); f.Status != function.FunctionStatusError {
		t.Errorf("failing again: got status %s, want error", f.Status)
	}
	o.say("needed")
	if f = again(redeploy); f.Status != function.FunctionStatusReady {
		t.Errorf("starting again: got status %s, want ready", f.Status)
	}
}
