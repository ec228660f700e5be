//go:build escape

package escape_test

import (
	"context"
	"os"
	"path/filepath"
	"testing"
	"time"

	function "github.com/scaleway/scaleway-sdk-go/api/function/v1beta1"

	"github.com/jeton-dev/jeton/internal/engine/process"
	"github.com/jeton-dev/jeton/internal/sandbox"
	"github.com/jeton-dev/jeton/internal/server"
	"github.com/jeton-dev/jeton/test/deploy"
	"github.com/jeton-dev/jeton/test/escape"
	"github.com/jeton-dev/jeton/test/jetontest"
	"github.com/jeton-dev/jeton/test/needs"
)

// A fixture is a server with one isolation level, and the targets of the programs.
type fixture struct {
	api         *function.API
	gatewayURL  string
	namespaceID string
	targets     *escape.Targets
}

// newFixture starts a server in this process, as root.
func newFixture(t *testing.T, level sandbox.Level, options ...jetontest.Option) (*fixture, *jetontest.Jeton) {
	t.Helper()
	wantRoot(t)
	jeton := jetontest.Start(t, append([]jetontest.Option{func(c *server.Config) {
		c.Isolation, c.WarmPool = level.String(), process.DefaultWarmPool
		crates(t, c)
	}}, options...)...)
	f := &fixture{api: function.NewAPI(jeton.Client()), gatewayURL: jeton.GatewayURL}
	f.addNamespace(t)
	f.addTargets(t, escape.Server{DataDir: jeton.DataDir, APIURL: jeton.APIURL, PID: os.Getpid()})
	return f, jeton
}

func wantRoot(t *testing.T) {
	t.Helper()
	needs.Root(t, "isolates at level full, makes namespaces and switches to another user")
}

func (f *fixture) addNamespace(t *testing.T) {
	t.Helper()
	n, err := f.api.CreateNamespace(&function.CreateNamespaceRequest{Name: "escape"})
	if err != nil {
		t.Fatal(err)
	}
	poll := 20 * time.Millisecond
	if _, err := f.api.WaitForNamespace(&function.WaitForNamespaceRequest{NamespaceID: n.ID, RetryInterval: &poll}); err != nil {
		t.Fatal(err)
	}
	f.namespaceID = n.ID
}

// addTargets deploys a function as the victim, and opens the sockets.
func (f *fixture) addTargets(t *testing.T, s escape.Server) {
	t.Helper()
	handler := "handler.handle"
	victim, err := deploy.Function(t.Context(), f.api, &function.CreateFunctionRequest{
		NamespaceID: f.namespaceID, Name: "victim", Runtime: "python314", Handler: &handler, Privacy: function.FunctionPrivacyPublic,
	}, map[string]string{"handler.py": "def handle(event, context):\n    return 'mine'\n"})
	if err != nil {
		t.Fatal(err)
	}
	// The path of a socket must be short. Every user may enter the folder, so that
	// isolation alone prevents access.
	dir, err := os.MkdirTemp("/var/tmp", "jb") //nolint:usetesting // See above.
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = os.RemoveAll(dir) })
	if err := os.Chmod(dir, 0o755); err != nil {
		t.Fatal(err)
	}
	if f.targets, err = escape.NewTargets(dir, s, victim.ID); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = f.targets.Close() })
}

// crates makes Rust builds use the crates in test/crates/registry.
func crates(t *testing.T, c *server.Config) {
	t.Helper()
	folder, err := filepath.Abs(filepath.Join("..", "crates", "registry"))
	if err != nil {
		t.Fatal(err)
	}
	c.Crates = folder
	// The functions of these tests may share builds.
	c.ShareRustBuilds = true
}

// try deploys a program and makes its attempts.
func (f *fixture) try(t *testing.T, p escape.Program, attempts []string) []escape.Outcome {
	t.Helper()
	return f.call(t, p, f.deploy(t, p), attempts)
}

func (f *fixture) deploy(t *testing.T, p escape.Program) *function.Function {
	t.Helper()
	deployed, err := escape.Deploy(t.Context(), f.api, f.namespaceID, p)
	if err != nil {
		t.Fatal(err)
	}
	return deployed
}

// call makes the attempts of a deployed program.
func (f *fixture) call(t *testing.T, p escape.Program, deployed *function.Function, attempts []string) []escape.Outcome {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 3*time.Minute)
	defer cancel()
	outcomes, err := escape.Try(ctx, p, attempts, f.gatewayURL, deployed.DomainName, f.targets)
	if err != nil {
		t.Fatal(err)
	}
	return outcomes
}
