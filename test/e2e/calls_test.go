package e2e_test

import (
	"errors"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	function "github.com/scaleway/scaleway-sdk-go/api/function/v1beta1"
	"github.com/scaleway/scaleway-sdk-go/scw"

	"github.com/jeton-dev/jeton/internal/server"
	"github.com/jeton-dev/jeton/test/await"
	"github.com/jeton-dev/jeton/test/jetontest"
)

func notFound(err error) bool {
	e, ok := errors.AsType[*scw.ResponseError](err)
	return ok && e.StatusCode == http.StatusNotFound
}

// The caller of a faulty function gets an error, and the next call succeeds.
func TestCall_OfFaultyFunction(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	n := w.namespace("faults")
	request := python(n.ID, "faults")
	request.Timeout = &scw.Duration{Seconds: 3}
	f := w.function(request, pythonHandler(
		"path = event['path']",
		"if path == '/crash': os._exit(3)",
		"if path == '/hang': time.sleep(60)",
		"if path == '/throw': raise ValueError('on purpose')",
		"return str(os.getpid())",
	))
	if f.Status != function.FunctionStatusReady {
		t.Fatalf("got status %s: %v", f.Status, f.ErrorMessage)
	}
	for _, test := range []struct {
		path   string
		status int
		logged string
	}{
		{"/", 200, ""},
		{"/crash", 502, "exit status 3"},
		{"/", 200, ""},
		{"/hang", 504, "did not answer in time"},
		{"/", 200, ""},
		{"/throw", 500, ""},
		{"/", 200, ""},
	} {
		status, body := w.call(f, test.path, "")
		if status != test.status {
			t.Errorf("%s: got status %d, want %d: %s", test.path, status, test.status, body)
		}
		await.True(t, "the log contains "+test.logged, func() bool { return strings.Contains(w.Log.String(), test.logged) })
	}
}

// A deployment whose instance never listens fails with a clear message, and the old
// revision continues to serve.
func TestDeployment_FailsIfInstanceNeverListens(t *testing.T) {
	t.Parallel()
	w := newWorld(t, func(c *server.Config) { c.StartTimeout = 5 * time.Second })
	n := w.namespace("never")
	f := w.function(python(n.ID, "f"), pythonHandler("return 'first'"))
	if status, body := w.call(f, "/", ""); status != 200 || body != "first" {
		t.Fatalf("call: got %d %s", status, body)
	}
	f = w.deploy(f.ID, zipOf(t, map[string]string{"handler.py": "import time\ntime.sleep(60)\n"}))
	if f.Status != function.FunctionStatusError || f.ErrorMessage == nil || !strings.Contains(*f.ErrorMessage, "did not start listening") {
		t.Errorf("got status %s: %v", f.Status, f.ErrorMessage)
	}
	if status, body := w.call(f, "/", ""); status != 200 || body != "first" {
		t.Errorf("the old revision: got %d %s", status, body)
	}
}

func TestCall_OfFunctionThatNoLongerStarts(t *testing.T) {
	t.Parallel()
	w := newWorld(t, seenFromOutside)
	o := newOutside(t)
	n := w.namespace("stops")
	f := w.function(python(n.ID, "f"), map[string]string{
		"handler.py": o.python() + "import os\n" +
			"if meet('start').number != '1': os._exit(4)\n" +
			"def handle(event, context):\n    os._exit(5)\n",
	})
	status, _ := w.call(f, "/", "")
	wantStatus(t, "the call that crashes", status, 502)
	status, body := w.call(f, "/", "")
	wantStatus(t, "the call that finds no instance", status, 502)
	if strings.Contains(body, "exit status") {
		t.Errorf("got body %q, which contains details for the operator", body)
	}
}

// An instance serves one of the concurrent calls at a time, and there are max_scale
// instances.
func TestScale_ConcurrentCalls(t *testing.T) {
	t.Parallel()
	w := newWorld(t, seenFromOutside)
	o := newOutside(t)
	n := w.namespace("scale")
	request := python(n.ID, "f")
	request.MaxScale = pointer(uint32(3))
	f := w.function(request, o.handler(
		"global busy",
		"busy = globals().get('busy', 0) + 1",
		"meet('call').wait()",
		"busy -= 1",
		"return instance.number + ' ' + str(busy)",
	))
	var mu sync.Mutex
	instances := map[string]bool{}
	var calls sync.WaitGroup
	for range 9 {
		calls.Go(func() {
			status, body := w.call(f, "/", "")
			instance, busy, _ := strings.Cut(body, " ")
			mu.Lock()
			defer mu.Unlock()
			if status != 200 || busy != "0" {
				t.Errorf("got %d %s: an instance served two calls at once", status, body)
			}
			instances[instance] = true
		})
	}
	await.True(t, "three calls are served at once", func() bool { return o.count("call") == 3 })
	o.release()
	calls.Wait()
	if len(instances) != 3 {
		t.Errorf("got %d instances, want 3", len(instances))
	}
}

// During a deployment no call fails, and after it the old revision serves no call.
func TestDeployment_ReplacesRevisionWithoutFailedCalls(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	n := w.namespace("revision")
	f := w.function(python(n.ID, "f"), pythonHandler("return '1'"))
	stop := make(chan struct{})
	var calls sync.WaitGroup
	count := 0
	calls.Go(func() {
		for {
			select {
			case <-stop:
				return
			default:
			}
			count++
			if status, body := w.call(f, "/", ""); status != 200 || body != "1" && body != "2" {
				t.Errorf("a call: got %d %s", status, body)
			}
		}
	})
	w.deploy(f.ID, zipOf(t, pythonHandler("return '2'")))
	if status, body := w.call(f, "/", ""); status != 200 || body != "2" {
		t.Errorf("after the deployment: got %d %s", status, body)
	}
	close(stop)
	calls.Wait()
	if count < 10 {
		t.Errorf("got only %d calls", count)
	}
}

func TestEnvironment_OfFunction(t *testing.T) {
	t.Setenv("OPERATORS_SECRET", "not for functions")
	w := newWorld(t)
	created := must[*function.Namespace](t)(w.CreateNamespace(&function.CreateNamespaceRequest{
		Name: "variables", EnvironmentVariables: &map[string]string{"A": "namespace", "B": "namespace"},
		SecretEnvironmentVariables: []*function.Secret{{Key: "S", Value: pointer("namespace " + jetontest.SecretMark)}},
	}))
	must[*function.Namespace](t)(w.WaitForNamespace(&function.WaitForNamespaceRequest{NamespaceID: created.ID, RetryInterval: often}))
	request := python(created.ID, "f")
	request.EnvironmentVariables = &map[string]string{"B": "function"}
	request.SecretEnvironmentVariables = []*function.Secret{{Key: "T", Value: pointer("function " + jetontest.SecretMark)}}
	f := w.function(request, pythonHandler("return '\\n'.join(k + '=' + v for k, v in os.environ.items())"))
	_, body := w.call(f, "/", "")
	for _, line := range []string{
		"A=namespace", "B=function", "S=namespace " + jetontest.SecretMark, "T=function " + jetontest.SecretMark, "SCW_PUBLIC=true", "SCW_NAMESPACE_ID=" + created.ID,
		"SCW_APPLICATION_ID=" + f.ID, "SCW_APPLICATION_NAME=f", "SCW_APPLICATION_MEMORY=256", "SCW_PUBLIC_KEY=-----BEGIN RSA PUBLIC KEY-----",
		"PORT=8080", "SCW_HANDLER_NAME=handle", "SCW_HANDLER_IS_BINARY=false", "SCW_PAYLOAD_MAX_SIZE=6291456",
	} {
		if !strings.Contains("\n"+body+"\n", "\n"+line+"\n") {
			t.Errorf("the environment does not contain %s:\n%s", line, body)
		}
	}
	if !strings.Contains(body, "/function/handler\n") || !strings.Contains(body, "SCW_RUNTIME_BINARY=/") {
		t.Errorf("the environment does not contain the file and the interpreter:\n%s", body)
	}
	if strings.Contains(body, "OPERATORS_SECRET") || strings.Contains(body, w.SecretKey) {
		t.Errorf("the environment contains variables of the operator:\n%s", body)
	}

	must[*function.Namespace](t)(w.UpdateNamespace(&function.UpdateNamespaceRequest{
		NamespaceID: created.ID, EnvironmentVariables: &map[string]string{"A": "changed"},
	}))
	await.True(t, "the function has the namespace's new variables", func() bool {
		_, body := w.call(f, "/", "")
		return strings.Contains("\n"+body+"\n", "\nA=changed\n") && strings.Contains(body, "S=namespace")
	})
}

// The last instance is stopped after a time without calls, and the next call starts a
// new one.
func TestScale_ToZero(t *testing.T) {
	t.Parallel()
	w := newWorld(t, seenFromOutside, func(c *server.Config) { c.Scale.IdleToZero = 300 * time.Millisecond })
	n := w.namespace("idle")
	o := newOutside(t)
	f := w.function(python(n.ID, "f"), o.handler("return instance.number"))
	_, first := w.call(f, "/", "")
	await.True(t, "the instance is stopped", func() bool { return !o.alive(first) })
	if status, second := w.call(f, "/", ""); status != 200 || second == first {
		t.Errorf("got %d %s, want another instance than %s", status, second, first)
	}
}
