package e2e_test

import (
	"io/fs"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"

	function "github.com/scaleway/scaleway-sdk-go/api/function/v1beta1"

	"github.com/jeton-dev/jeton/internal/server"
	"github.com/jeton-dev/jeton/test/await"
	"github.com/jeton-dev/jeton/test/jetontest"
)

// alive tells whether a process of this machine is there.
func alive(pid string) bool {
	number, err := strconv.Atoi(pid)
	return err == nil && syscall.Kill(number, 0) == nil
}

func exists(path string) bool {
	_, err := os.Stat(path)
	return err == nil
}

// TestRestart stops the server and starts it over the same data: what served
// serves, what opened opens, and what was revoked stays so.
func TestRestart(t *testing.T) {
	t.Parallel()
	w := newWorld(t, seenFromOutside)
	n := w.namespace("restart")
	request := python(n.ID, "f")
	request.Privacy = function.FunctionPrivacyPrivate
	f := w.function(request, pythonHandler("return str(os.getpid())"))
	token := must[*function.Token](t)(w.CreateToken(&function.CreateTokenRequest{FunctionID: &f.ID}))
	revoked := must[*function.Token](t)(w.CreateToken(&function.CreateTokenRequest{NamespaceID: &n.ID}))
	status, instance := w.call(f, "/", revoked.Token)
	wantStatus(t, "a token before it is revoked", status, 200)
	must[*function.Token](t)(w.DeleteToken(&function.DeleteTokenRequest{TokenID: revoked.ID}))
	status, _ = w.call(f, "/", revoked.Token)
	wantStatus(t, "a revoked token", status, 403)

	w.restart()
	if alive(instance) {
		t.Errorf("the instance %s outlives its server", instance)
	}
	status, _ = w.call(f, "/", token.Token)
	wantStatus(t, "the token after a restart", status, 200)
	status, _ = w.call(f, "/", revoked.Token)
	wantStatus(t, "the revoked token after a restart", status, 403)
	status, _ = w.call(f, "/", "")
	wantStatus(t, "no token after a restart", status, 403)
	again := must[*function.Function](t)(w.GetFunction(&function.GetFunctionRequest{FunctionID: f.ID}))
	if !again.CreatedAt.Equal(*f.CreatedAt) || again.Status != f.Status || again.DomainName != f.DomainName {
		t.Errorf("after a restart the function is %+v, was %+v", again, f)
	}
}

// TestRestartGoesOn stops the server while work is under way: after the start
// it is done.
func TestRestartGoesOn(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	n := w.namespace("goes-on")
	f := w.function(python(n.ID, "f"), nil)
	doomed := w.namespace("doomed")
	w.function(python(doomed.ID, "f"), pythonHandler("return 'x'"))
	w.upload(f.ID, zipOf(t, pythonHandler("return 'deployed'")))
	must[*function.Function](t)(w.DeployFunction(&function.DeployFunctionRequest{FunctionID: f.ID}))
	must[*function.Namespace](t)(w.DeleteNamespace(&function.DeleteNamespaceRequest{NamespaceID: doomed.ID}))
	late := must[*function.Namespace](t)(w.CreateNamespace(&function.CreateNamespaceRequest{Name: "late"}))

	w.restart()
	if f = w.settled(f.ID); f.Status != function.FunctionStatusReady {
		t.Errorf("the deployment ends in %s: %v", f.Status, f.ErrorMessage)
	}
	if status, body := w.call(f, "/", ""); status != 200 || body != "deployed" {
		t.Errorf("%d %s", status, body)
	}
	ready := must[*function.Namespace](t)(w.WaitForNamespace(&function.WaitForNamespaceRequest{NamespaceID: late.ID, RetryInterval: often}))
	if ready.Status != function.NamespaceStatusReady {
		t.Errorf("the new namespace is %s", ready.Status)
	}
	await.True(t, "the namespace is deleted", func() bool {
		_, err := w.GetNamespace(&function.GetNamespaceRequest{NamespaceID: doomed.ID})
		return notFound(err)
	})
}

// TestNothingSecretIsKept looks for every secret of a busy server in all that
// it has written.
func TestNothingSecretIsKept(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	n := w.namespace("secrets")
	const variable = "the value of a secret variable, " + jetontest.SecretMark
	request := python(n.ID, "f")
	request.Privacy = function.FunctionPrivacyPrivate
	request.SecretEnvironmentVariables = []*function.Secret{{Key: "S", Value: pointer(variable)}}
	f := w.function(request, pythonHandler("return os.environ['S']"))
	secrets := map[string]string{"the secret key": w.SecretKey, "a secret variable": variable}
	for range 3 {
		token := must[*function.Token](t)(w.CreateToken(&function.CreateTokenRequest{FunctionID: &f.ID}))
		secrets["token "+token.ID] = token.Token
		if status, body := w.call(f, "/", token.Token); status != 200 || body != variable {
			t.Errorf("%d %s", status, body)
		}
	}
	w.Stop()
	searched := 0
	err := filepath.WalkDir(w.DataDir, func(path string, entry fs.DirEntry, err error) error {
		if err != nil || !entry.Type().IsRegular() {
			return err
		}
		content, err := os.ReadFile(path)
		searched++
		for name, secret := range secrets {
			// A part of a token is enough to know that it is there.
			if strings.Contains(string(content), secret[:min(len(secret), 200)]) {
				t.Errorf("%s stands in %s", name, path)
			}
		}
		return err
	})
	if err != nil || searched < 4 {
		t.Errorf("searched %d files, %v", searched, err)
	}
	for name, secret := range secrets {
		if strings.Contains(w.Log.String(), secret[:min(len(secret), 200)]) {
			t.Errorf("%s stands in the log", name)
		}
	}
}

// TestRelativeFolders has the server keep its data in a folder that is named
// from where it was started.
func TestRelativeFolders(t *testing.T) {
	dir := t.TempDir()
	t.Chdir(dir)
	cache := must[string](t)(filepath.Rel(dir, server.DefaultCacheDir(dir)))
	w := newWorld(t, func(c *server.Config) { c.DataDir, c.CacheDir = "data", cache })
	f := w.function(python(w.namespace("relative").ID, "f"), pythonHandler("return 'hello'"))
	if status, body := w.call(f, "/", ""); status != 200 || body != "hello" {
		t.Errorf("%d %s", status, body)
	}
	g := w.function(&function.CreateFunctionRequest{NamespaceID: f.NamespaceID, Name: "g", Runtime: "go126", Privacy: function.FunctionPrivacyPublic},
		map[string]string{"go.mod": goMod, "f.go": "package f\n\nimport \"net/http\"\n\nfunc Handle(w http.ResponseWriter, r *http.Request) { w.Write([]byte(\"go\")) }\n"})
	if status, body := w.call(g, "/", ""); status != 200 || body != "go" {
		t.Errorf("%d %s %v", status, body, g.ErrorMessage)
	}
}

// TestSecretsAreNotInErrors has a function fail to start with its secrets in
// the reason.
func TestSecretsAreNotInErrors(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	request := python(w.namespace("reasons").ID, "f")
	request.EnvironmentVariables = &map[string]string{"PLAIN": "cannot"}
	request.SecretEnvironmentVariables = []*function.Secret{
		{Key: "A", Value: pointer("abcdef")}, {Key: "B", Value: pointer("abcdefTOPSECRET")}, {Key: "C", Value: pointer("first line\nsecond line of it")},
	}
	f := w.function(request, map[string]string{"handler.py": "import os\nraise Exception('cannot ' + os.environ['B'] + ' ' + os.environ['C'].split('\\n')[1])\n"})
	if f.ErrorMessage == nil || !strings.Contains(*f.ErrorMessage, "cannot [redacted]") {
		t.Fatalf("%v", f.ErrorMessage)
	}
	for _, secret := range []string{"TOPSECRET", "abcdef", "second line"} {
		if strings.Contains(*f.ErrorMessage, secret) || strings.Contains(w.Log.String(), secret) {
			t.Errorf("%q is told: %s", secret, *f.ErrorMessage)
		}
	}
}
