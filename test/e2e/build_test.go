package e2e_test

import (
	"fmt"
	"net/http"
	"path/filepath"
	"strings"
	"testing"

	function "github.com/scaleway/scaleway-sdk-go/api/function/v1beta1"

	"github.com/jeton-dev/jeton/internal/output"
	"github.com/jeton-dev/jeton/internal/server"
)

func (w *world) buildLog(f *function.Function) string {
	w.t.Helper()
	text, ok, err := output.BuildLog(filepath.Join(w.DataDir, output.Dir), f.ID)
	if err != nil || !ok {
		w.t.Fatalf("read the build log of %s: %v", f.Name, err)
	}
	return text
}

const builtBefore = "The same archive was built before"

// The same archive is built once, also for another function and after a restart.
// Slightly different code is built again.
func TestBuild_SameCodeIsBuiltOnce(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	n := w.namespace("builds")
	source := map[string]string{
		"go.mod":  goMod,
		"f.go":    "package f\n\nimport \"net/http\"\n\nfunc Handle(w http.ResponseWriter, r *http.Request) { w.Write([]byte(\"one\")) }\n",
		"more.go": "package f\n\nimport \"net/http\"\n\nfunc Other(w http.ResponseWriter, r *http.Request) { w.Write([]byte(\"two\")) }\n",
	}
	archive := zipOf(t, source)
	made := func(name, handler string) *function.Function {
		request := python(n.ID, name)
		request.Runtime, request.Handler = function.FunctionRuntimeGo124, &handler
		return must[*function.Function](t)(w.CreateFunction(request))
	}
	deployed := func(f *function.Function, archive []byte, before bool, answer string) {
		t.Helper()
		f = w.deploy(f.ID, archive)
		if f.Status != function.FunctionStatusReady {
			t.Fatalf("%s: got status %s: %v", f.Name, f.Status, *f.ErrorMessage)
		}
		if log := w.buildLog(f); strings.Contains(log, builtBefore) != before || !strings.Contains(log, "The build succeeded.") {
			t.Errorf("%s: want built before: %t, got log:\n%s", f.Name, before, log)
		}
		if status, body := w.call(f, "/", ""); status != http.StatusOK || body != answer {
			t.Errorf("%s: got %d %q, want %q", f.Name, status, body, answer)
		}
	}
	one, two, three := made("one", "Handle"), made("two", "Handle"), made("three", "Other")
	deployed(one, archive, false, "one")
	deployed(one, archive, true, "one")
	deployed(two, archive, true, "one")
	deployed(three, archive, false, "two")
	// The deletion of a function does not remove builds that others use.
	must[*function.Function](t)(w.DeleteFunction(&function.DeleteFunctionRequest{FunctionID: one.ID}))
	if _, err := w.WaitForFunction(&function.WaitForFunctionRequest{FunctionID: one.ID, RetryInterval: often}); !notFound(err) {
		t.Fatal(err)
	}
	if _, ok, err := output.BuildLog(filepath.Join(w.DataDir, output.Dir), one.ID); ok || err != nil {
		t.Errorf("the build log of the deleted function: got %t, error %v", ok, err)
	}
	w.restart()
	deployed(two, archive, true, "one")
	source["f.go"] = strings.ReplaceAll(source["f.go"], "one", "other")
	deployed(two, zipOf(t, source), false, "other")
}

func TestBuildLog_ContainsOutputOfFailedBuild(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	f := must[*function.Function](t)(w.CreateFunction(func() *function.CreateFunctionRequest {
		request := python(w.namespace("log").ID, "f")
		request.Runtime, request.Handler = function.FunctionRuntimeGo124, nil
		return request
	}()))
	var mistakes strings.Builder
	for i := range 9 {
		fmt.Fprintf(&mistakes, "var _ = missing%d\n", i)
	}
	f = w.deploy(f.ID, zipOf(t, map[string]string{
		"go.mod": goMod, "f.go": "package f\n\nimport \"net/http\"\n\nfunc Handle(w http.ResponseWriter, r *http.Request) {}\n\n" + mistakes.String(),
	}))
	log := w.buildLog(f)
	for _, want := range []string{"runtime go124, handler Handle, archive ", "missing0", "missing8", "The build failed: "} {
		if !strings.Contains(log, want) {
			t.Errorf("the log does not contain %q:\n%s", want, log)
		}
	}
}

func TestBuild_EndsAboveDiskLimit(t *testing.T) {
	t.Parallel()
	w := newWorld(t, func(c *server.Config) { c.BuildDisk = 1 << 20 })
	f := w.function(python(w.namespace("disk").ID, "f"), nil)
	f = w.deploy(f.ID, zipOf(t, map[string]string{
		"handler.py": "def handle(event, context): return 'x'\n", "large.txt": strings.Repeat("x", 1<<20),
	}))
	if f.Status != function.FunctionStatusError || !strings.Contains(*f.ErrorMessage, "the build used more than 1 MiB of disk") {
		t.Errorf("got status %s: %v", f.Status, f.ErrorMessage)
	}
}
