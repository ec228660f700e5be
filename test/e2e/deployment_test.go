package e2e_test

import (
	"fmt"
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

// begin uploads an archive and asks for its deployment, and does not wait.
func (w *world) begin(id string, files map[string]string) {
	w.t.Helper()
	w.upload(id, zipOf(w.t, files))
	must[*function.Function](w.t)(w.DeployFunction(&function.DeployFunctionRequest{FunctionID: id}))
}

// A change while a deployment is under way, or after one that failed, keeps
// the code that was asked for.
func TestChangeKeepsTheDeployment(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	f := w.function(python(w.namespace("keeps").ID, "f"), pythonHandler("return '1'"))
	w.begin(f.ID, pythonHandler("return '2'"))
	must[*function.Function](t)(w.UpdateFunction(&function.UpdateFunctionRequest{FunctionID: f.ID, Description: pointer("changed")}))
	w.settled(f.ID)
	if status, body := w.call(f, "/", ""); status != 200 || body != "2" {
		t.Errorf("%d %s: the deployment was lost", status, body)
	}
	if f = w.deploy(f.ID, zipOf(t, map[string]string{"handler.py": "def handle(:\n"})); f.Status != function.FunctionStatusError {
		t.Errorf("broken code is %s", f.Status)
	}
	must[*function.Function](t)(w.UpdateFunction(&function.UpdateFunctionRequest{FunctionID: f.ID, Description: pointer("again")}))
	if f = w.settled(f.ID); f.Status != function.FunctionStatusError {
		t.Errorf("a change hides the failed deployment: %s", f.Status)
	}
	if status, body := w.call(f, "/", ""); status != 200 || body != "2" {
		t.Errorf("%d %s", status, body)
	}
}

// A namespace's variables reach a function whose deployment has begun with the
// old ones.
func TestVariablesReachADeployment(t *testing.T) {
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
		t.Errorf("%d %q", status, body)
	}
}

// Files stay as long as an instance may read them.
func TestFilesStayWhileTheyServe(t *testing.T) {
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
		t.Errorf("the slow call is answered with %q", body)
	}
	w.settled(f.ID)
	if status, body := w.call(f, "/", ""); status != 200 || body != "3" {
		t.Errorf("%d %s", status, body)
	}
	await.True(t, "one artifact is left", func() bool {
		left, err := os.ReadDir(filepath.Join(w.DataDir, "artifacts", f.ID))
		return err == nil && len(left) == 1
	})
}

// A deployment mends a function whose files were lost, as does a restart.
func TestLostFilesAreBuiltAgain(t *testing.T) {
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
		t.Errorf("after a restart: %s %v", f.Status, f.ErrorMessage)
	}
	if status, body := w.call(f, "/", ""); status != 200 || body != "hello" {
		t.Errorf("after a restart: %d %s", status, body)
	}
	if err := os.RemoveAll(filepath.Join(w.DataDir, "artifacts", f.ID)); err != nil {
		t.Fatal(err)
	}
	must[*function.Function](t)(w.DeployFunction(&function.DeployFunctionRequest{FunctionID: f.ID}))
	if f = w.settled(f.ID); f.Status != function.FunctionStatusReady {
		t.Errorf("after a deployment: %s %v", f.Status, f.ErrorMessage)
	}
	if status, body := w.call(f, "/", ""); status != 200 || body != "hello" {
		t.Errorf("after a deployment: %d %s", status, body)
	}
}

// Functions that are slow to start hold up nothing else.
func TestSlowStartsHoldUpNothing(t *testing.T) {
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
		t.Errorf("a new namespace waits %v", took)
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
		t.Errorf("the deletion of a function that is starting takes %v", took)
	}
}

// An upload for a function that is deleted meanwhile is told so.
func TestUploadToADeletedFunction(t *testing.T) {
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
		t.Errorf("%d %s", status, body)
	}
	if left, err := os.ReadDir(filepath.Join(w.DataDir, "archives")); err != nil || len(left) > 0 {
		t.Errorf("%v is left, %v", left, err)
	}
}

// TestDeploy_RepeatsWhatFailed: a deployment of a function in error builds its code and
// proves that it starts once more, and takes nothing of the build that was kept.
func TestDeploy_RepeatsWhatFailed(t *testing.T) {
	t.Parallel()
	w := newWorld(t, seenFromOutside)
	n := w.namespace("again")
	needed := filepath.Join(t.TempDir(), "needed")
	code := map[string]string{"handler.py": fmt.Sprintf("open(%q)\n", needed) + pythonHandler("return 'started'")["handler.py"]}
	f := w.function(python(n.ID, "f"), code)
	if f.Status != function.FunctionStatusError || !strings.Contains(*f.ErrorMessage, "does not start") {
		t.Fatalf("the function becomes %s", f.Status)
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
		t.Errorf("what still fails becomes %s", f.Status)
	}
	if text := w.buildLog(f); strings.Contains(text, "was built before") {
		t.Errorf("the build that failed to start was taken once more:\n%s", text)
	}
	if err := os.WriteFile(needed, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	if f = again(post); f.Status != function.FunctionStatusReady || f.ErrorMessage != nil {
		t.Errorf("what starts now becomes %s", f.Status)
	}
	if _, body := w.call(f, "/", ""); body != "started" {
		t.Errorf("the function answers %q", body)
	}
	// So does a change that asks for it.
	if err := os.Remove(needed); err != nil {
		t.Fatal(err)
	}
	redeploy := func() (*function.Function, error) {
		return w.UpdateFunction(&function.UpdateFunctionRequest{FunctionID: f.ID, Redeploy: pointer(true)})
	}
	if f = again(redeploy); f.Status != function.FunctionStatusError {
		t.Errorf("what does not start becomes %s", f.Status)
	}
	if err := os.WriteFile(needed, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	if f = again(redeploy); f.Status != function.FunctionStatusReady {
		t.Errorf("what starts again becomes %s", f.Status)
	}
}
