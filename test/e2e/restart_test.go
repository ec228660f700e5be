package e2e_test

import (
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"

	function "github.com/scaleway/scaleway-sdk-go/api/function/v1beta1"

	"github.com/jeton-dev/jeton/internal/server"
	"github.com/jeton-dev/jeton/test/await"
	"github.com/jeton-dev/jeton/test/jetontest"
)

func exists(path string) bool {
	_, err := os.Stat(path)
	return err == nil
}

// After a restart with the same data, functions serve, tokens are valid, and revoked
// tokens stay revoked.
func TestRestart_KeepsFunctionsAndRevocations(t *testing.T) {
	t.Parallel()
	w := newWorld(t, seenFromOutside)
	n := w.namespace("restart")
	request := python(n.ID, "f")
	request.Privacy = function.FunctionPrivacyPrivate
	o := newOutside(t)
	f := w.function(request, o.handler("return instance.number"))
	token := must[*function.Token](t)(w.CreateToken(&function.CreateTokenRequest{FunctionID: &f.ID}))
	revoked := must[*function.Token](t)(w.CreateToken(&function.CreateTokenRequest{NamespaceID: &n.ID}))
	status, instance := w.call(f, "/", revoked.Token)
	wantStatus(t, "a token before it is revoked", status, 200)
	must[*function.Token](t)(w.DeleteToken(&function.DeleteTokenRequest{TokenID: revoked.ID}))
	status, _ = w.call(f, "/", revoked.Token)
	wantStatus(t, "a revoked token", status, 403)

	w.restart()
	await.True(t, "the instance of the stopped server has ended", func() bool { return !o.alive(instance) })
	status, _ = w.call(f, "/", token.Token)
	wantStatus(t, "the token after a restart", status, 200)
	status, _ = w.call(f, "/", revoked.Token)
	wantStatus(t, "the revoked token after a restart", status, 403)
	status, _ = w.call(f, "/", "")
	wantStatus(t, "no token after a restart", status, 403)
	again := must[*function.Function](t)(w.GetFunction(&function.GetFunctionRequest{FunctionID: f.ID}))
	if !again.CreatedAt.Equal(*f.CreatedAt) || again.Status != f.Status || again.DomainName != f.DomainName {
		t.Errorf("after a restart: got function %+v, want %+v", again, f)
	}
}

// After a restart the server completes a deployment, a deletion and a creation that were
// in progress.
func TestRestart_CompletesPendingWork(t *testing.T) {
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
		t.Errorf("the deployment: got status %s: %v", f.Status, f.ErrorMessage)
	}
	if status, body := w.call(f, "/", ""); status != 200 || body != "deployed" {
		t.Errorf("got %d %s", status, body)
	}
	ready := must[*function.Namespace](t)(w.WaitForNamespace(&function.WaitForNamespaceRequest{NamespaceID: late.ID, RetryInterval: often}))
	if ready.Status != function.NamespaceStatusReady {
		t.Errorf("the new namespace: got status %s", ready.Status)
	}
	await.True(t, "the namespace is deleted", func() bool {
		_, err := w.GetNamespace(&function.GetNamespaceRequest{NamespaceID: doomed.ID})
		return notFound(err)
	})
}

// The test searches all files and the log of a server for its secrets.
func TestDataFolder_ContainsNoSecrets(t *testing.T) {
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
			t.Errorf("got %d %s", status, body)
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
			// A part of a token shows that the file contains it.
			if strings.Contains(string(content), secret[:min(len(secret), 200)]) {
				t.Errorf("%s contains %s", path, name)
			}
		}
		return err
	})
	if err != nil || searched < 4 {
		t.Errorf("searched %d files, error %v", searched, err)
	}
	for name, secret := range secrets {
		if strings.Contains(w.Log.String(), secret[:min(len(secret), 200)]) {
			t.Errorf("the log contains %s", name)
		}
	}
}

func TestDataFolder_MayBeRelative(t *testing.T) {
	dir := t.TempDir()
	t.Chdir(dir)
	cache := must[string](t)(filepath.Rel(dir, server.DefaultCacheDir(dir)))
	w := newWorld(t, func(c *server.Config) { c.DataDir, c.CacheDir = "data", cache })
	f := w.function(python(w.namespace("relative").ID, "f"), pythonHandler("return 'hello'"))
	if status, body := w.call(f, "/", ""); status != 200 || body != "hello" {
		t.Errorf("got %d %s", status, body)
	}
	g := w.function(&function.CreateFunctionRequest{NamespaceID: f.NamespaceID, Name: "g", Runtime: "go126", Privacy: function.FunctionPrivacyPublic},
		map[string]string{"go.mod": goMod, "f.go": "package f\n\nimport \"net/http\"\n\nfunc Handle(w http.ResponseWriter, r *http.Request) { w.Write([]byte(\"go\")) }\n"})
	if status, body := w.call(g, "/", ""); status != 200 || body != "go" {
		t.Errorf("got %d %s %v", status, body, g.ErrorMessage)
	}
}

// A function fails to start with an exception that contains its secrets.
func TestErrorMessage_ContainsNoSecrets(t *testing.T) {
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
			t.Errorf("the message or the log contains %q: %s", secret, *f.ErrorMessage)
		}
	}
}
