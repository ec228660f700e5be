//go:build linux && kubernetes

package functions_test

import (
	"net/http"
	"strings"
	"testing"

	function "github.com/scaleway/scaleway-sdk-go/api/function/v1beta1"

	"github.com/jeton-dev/jeton/test/await"
)

const (
	public  = function.FunctionPrivacyPublic
	private = function.FunctionPrivacyPrivate
)

// TestLanguages_RunInPods builds and calls a function of each language that needs no download.
// Rust needs crates, which nothing inside the cluster can download.
func TestLanguages_RunInPods(t *testing.T) {
	w := newWorld(t, "languages")
	for name, test := range map[string]struct {
		runtime, handler string
		files            map[string]string
	}{
		"go": {"go126", "Handle", map[string]string{
			"go.mod": "module f\n\ngo 1.25\n",
			"f.go":   "package f\n\nimport \"net/http\"\n\nfunc Handle(w http.ResponseWriter, r *http.Request) { w.Write([]byte(\"hello \" + r.URL.Path)) }\n",
		}},
		"node": {"node20", "handler.handle", map[string]string{
			"handler.js": "exports.handle = async (event) => ({ body: 'hello ' + event.path });\n",
		}},
		"python": {"python311", "handler.handle", map[string]string{
			"handler.py": "def handle(event, context): return {'body': 'hello ' + event['path']}\n",
		}},
		"php": {"php82", "handler.handle", map[string]string{
			"handler.php": "<?php function handle($event, $context) { return ['body' => 'hello ' . $event['path']]; }\n",
		}},
	} {
		t.Run(name, func(t *testing.T) {
			f := w.deploy(t, name, test.runtime, test.handler, public, test.files)
			if status, body := w.call(t, f, "/there", ""); status != http.StatusOK || body != "hello /there" {
				t.Errorf("a call: got %d %q", status, body)
			}
			pods := w.kubectl("get", "pods", "-n", w.namespace, "-l", "jeton.dev/function="+f.ID, "-o", "name")
			if !strings.HasPrefix(pods, "pod/jeton-"+name+"-") {
				t.Errorf("the function runs in %q, want a Pod with its ID as a label", pods)
			}
		})
	}
}

func TestToken_IsRefusedAfterItsRevocation(t *testing.T) {
	w := newWorld(t, "token")
	f := w.deploy(t, "private", "node20", "handler.handle", private, map[string]string{
		"handler.js": "exports.handle = () => ({ body: 'called' });\n",
	})
	token, err := w.api.CreateToken(&function.CreateTokenRequest{FunctionID: &f.ID})
	if err != nil {
		t.Fatal(err)
	}
	want := func(token string, status int) {
		t.Helper()
		if got, body := w.call(t, f, "/", token); got != status {
			t.Errorf("got %d %q, want %d", got, body, status)
		}
	}
	want("", http.StatusForbidden)
	want(token.Token, http.StatusOK)
	if _, err := w.api.DeleteToken(&function.DeleteTokenRequest{TokenID: token.ID}); err != nil {
		t.Fatal(err)
	}
	want(token.Token, http.StatusForbidden)
}

// TestInstance_ReasonOfItsEndIsInTheLog ends instances in different ways. The next call of each
// function gets a new instance.
func TestInstance_ReasonOfItsEndIsInTheLog(t *testing.T) {
	w := newWorld(t, "ends")
	for name, test := range map[string]struct{ code, want string }{
		"exit":   {"process.exit(7)", "exit status 7"},
		"memory": {"const all = []; for (;;) all.push(Buffer.alloc(16 << 20, 1))", "out of memory"},
		"throw":  {"setImmediate(() => { throw new Error('no database') })", "no database"},
	} {
		t.Run(name, func(t *testing.T) {
			f := w.deploy(t, name, "node20", "handler.handle", public, map[string]string{
				"handler.js": "exports.handle = (event) => { if (event.path === '/end') { " + test.code + "; return new Promise(() => {}) } return { body: 'called' } };\n",
			})
			if status, body := w.call(t, f, "/end", ""); status != http.StatusBadGateway {
				t.Errorf("a call that ends the instance: got %d %q", status, body)
			}
			await.True(t, "the log has the reason", func() bool { return strings.Contains(w.log(t, f), test.want) })
			if status, body := w.call(t, f, "/", ""); status != http.StatusOK || body != "called" {
				t.Errorf("the next call: got %d %q", status, body)
			}
		})
	}
}

// TestServer_KilledLeavesNoPod kills the server, whose Pods end without it, and starts it again.
func TestServer_KilledLeavesNoPod(t *testing.T) {
	w := newWorld(t, "killed")
	f := w.deploy(t, "f", "node20", "handler.handle", public, map[string]string{
		"handler.js": "exports.handle = () => ({ body: 'called' });\n",
	})
	call := func() {
		t.Helper()
		if status, body := w.call(t, f, "/", ""); status != http.StatusOK || body != "called" {
			t.Errorf("got %d %q", status, body)
		}
	}
	call()
	before := w.pods()
	if len(before) == 0 {
		t.Error("the function runs in no Pod")
	}
	w.Kill()
	await.True(t, "all Pods have ended", func() bool { return len(w.pods()) == 0 })
	w.Restart()
	call()
	for _, name := range before {
		await.True(t, name+" is deleted", func() bool {
			return !strings.Contains(w.kubectl("get", "pods", "-n", w.namespace, "-o", "name"), name)
		})
	}
	w.Stop()
	await.True(t, "no Pod is left after a stop", func() bool {
		return !strings.Contains(w.kubectl("get", "pods", "-n", w.namespace, "-o", "name"), "pod/")
	})
}

// TestAPIServer_OutageStopsNoRunningInstance kills the API server, and later the kubelet and etcd.
func TestAPIServer_OutageStopsNoRunningInstance(t *testing.T) {
	w := newWorld(t, "outage")
	files := map[string]string{"handler.js": "exports.handle = () => ({ body: 'called' });\n"}
	call := func(f *function.Function) {
		t.Helper()
		if status, body := w.call(t, f, "/", ""); status != http.StatusOK || body != "called" {
			t.Errorf("got %d %q", status, body)
		}
	}
	f := w.deploy(t, "before", "node20", "handler.handle", public, files)
	call(f)
	w.cluster.Hold(t, "kube-apiserver")
	for range 20 {
		call(f)
	}
	w.cluster.Release(t, "kube-apiserver")
	// The watches of the server continue.
	call(w.deploy(t, "after", "node20", "handler.handle", public, files))
	for _, part := range []string{"etcd", "kubelet"} {
		w.cluster.Hold(t, part)
		call(f)
		w.cluster.Release(t, part)
		call(w.deploy(t, "after-"+part, "node20", "handler.handle", public, files))
	}
}
