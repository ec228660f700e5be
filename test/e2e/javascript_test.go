package e2e_test

import (
	"os"
	"os/exec"
	"path/filepath"
	"testing"

	function "github.com/scaleway/scaleway-sdk-go/api/function/v1beta1"
)

// npmModule returns the path of a file of an npm package in test/npm.
func npmModule(t *testing.T, path string) string {
	t.Helper()
	path, err := filepath.Abs(filepath.Join("..", "npm", "node_modules", path))
	if err == nil {
		_, err = os.Stat(path)
	}
	if err != nil {
		t.Fatalf("run npm ci in test/npm first, as make test does: %v", err)
	}
	return path
}

// The test program creates, uses and deletes a token.
func TestJavaScriptSDK_Token(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	npmModule(t, "@scaleway/sdk/package.json")
	request := python(w.namespace("javascript").ID, "f")
	request.Privacy = function.FunctionPrivacyPrivate
	f := w.function(request, pythonHandler("return 'hello'"))
	command := exec.CommandContext(t.Context(), "node", "tokens.mjs", f.ID, f.DomainName, w.GatewayURL)
	command.Dir = filepath.Join("..", "npm")
	command.Env = os.Environ()
	for name, value := range w.Env() {
		command.Env = append(command.Env, name+"="+value)
	}
	if output, err := command.CombinedOutput(); err != nil {
		t.Errorf("%v\n%s", err, output)
	}
}
