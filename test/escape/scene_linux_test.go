//go:build escape

package escape_test

import (
	"context"
	"os"
	"path/filepath"
	"strings"
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

// scene is a server at one level of isolation, with a function whose code others
// must not see, and bait.
type scene struct {
	api         *function.API
	gatewayURL  string
	namespaceID string
	bait        *escape.Bait
}

// newScene is a server within this process, which is root's.
func newScene(t *testing.T, level sandbox.Level, options ...jetontest.Option) (*scene, *jetontest.Jeton) {
	t.Helper()
	wantRoot(t)
	jeton := jetontest.Start(t, append([]jetontest.Option{func(c *server.Config) {
		c.Isolation, c.Spare = level.String(), process.DefaultSpare
		crates(t, c)
	}}, options...)...)
	s := &scene{api: function.NewAPI(jeton.Client()), gatewayURL: jeton.GatewayURL}
	s.addNamespace(t)
	s.layBait(t, jeton.DataDir, jeton.APIURL, os.Getpid())
	return s, jeton
}

func wantRoot(t *testing.T) {
	t.Helper()
	needs.Root(t, "isolates at level full, makes namespaces and becomes another user")
}

func (s *scene) addNamespace(t *testing.T) {
	t.Helper()
	n, err := s.api.CreateNamespace(&function.CreateNamespaceRequest{Name: "escape"})
	if err != nil {
		t.Fatal(err)
	}
	poll := 20 * time.Millisecond
	if _, err := s.api.WaitForNamespace(&function.WaitForNamespaceRequest{NamespaceID: n.ID, RetryInterval: &poll}); err != nil {
		t.Fatal(err)
	}
	s.namespaceID = n.ID
}

// layBait deploys a function whose code others must not see, and opens the sockets.
// The server's process is pid.
func (s *scene) layBait(t *testing.T, dataDir, apiURL string, pid int) {
	t.Helper()
	victim := s.deploy(t, "victim", "python314", "handler.handle", map[string]string{"handler.py": "def handle(event, context):\n    return 'mine'\n"})
	code, err := filepath.Glob(filepath.Join(dataDir, "artifacts", victim.ID, "*"))
	if err != nil || len(code) == 0 {
		t.Fatalf("the code of another function is not where it is looked for: %v, %v", code, err)
	}
	// The path of a socket must be short, and open to every user: what keeps
	// programs from it is not to be whose it is.
	dir, err := os.MkdirTemp("/var/tmp", "jb") //nolint:usetesting // See above.
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = os.RemoveAll(dir) })
	if err := os.Chmod(dir, 0o755); err != nil {
		t.Fatal(err)
	}
	if s.bait, err = escape.NewBait(dir, filepath.Join(dataDir, "jeton.db"), code[0], strings.TrimPrefix(apiURL, "http://"), pid); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = s.bait.Close() })
}

// crates has Rust functions take their crates from where make puts them.
func crates(t *testing.T, c *server.Config) {
	t.Helper()
	folder, err := filepath.Abs(filepath.Join("..", "crates", "registry"))
	if err != nil {
		t.Fatal(err)
	}
	c.Crates = folder
	// These tests' functions trust each other.
	c.ShareRustBuilds = true
}

// try deploys a program, and has it make attempts.
func (s *scene) try(t *testing.T, p escape.Program, attempts []string) []escape.Outcome {
	t.Helper()
	return s.call(t, p, s.deployProgram(t, p), attempts)
}

func (s *scene) deployProgram(t *testing.T, p escape.Program) *function.Function {
	t.Helper()
	files, err := p.Files()
	if err != nil {
		t.Fatal(err)
	}
	return s.deploy(t, "escape-"+p.Language, p.Runtime, p.Handler, files)
}

// call has a program that is deployed make attempts.
func (s *scene) call(t *testing.T, p escape.Program, f *function.Function, attempts []string) []escape.Outcome {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 3*time.Minute)
	defer cancel()
	outcomes, err := escape.Try(ctx, p, attempts, s.gatewayURL, f.DomainName, s.bait.Query())
	if err != nil {
		t.Fatal(err)
	}
	return outcomes
}

func (s *scene) deploy(t *testing.T, name, runtime, handler string, files map[string]string) *function.Function {
	t.Helper()
	memory := uint32(256)
	f, err := deploy.Function(t.Context(), s.api, &function.CreateFunctionRequest{
		NamespaceID: s.namespaceID, Name: name, Runtime: function.FunctionRuntime(runtime), Handler: &handler,
		Privacy: function.FunctionPrivacyPublic, MemoryLimit: &memory,
	}, files)
	if err != nil {
		t.Fatal(err)
	}
	return f
}
