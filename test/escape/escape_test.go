package escape_test

import (
	"archive/zip"
	"bytes"
	"context"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	function "github.com/scaleway/scaleway-sdk-go/api/function/v1beta1"

	"github.com/jeton-dev/jeton/internal/sandbox"
	"github.com/jeton-dev/jeton/internal/server"
	"github.com/jeton-dev/jeton/test/escape"
	"github.com/jeton-dev/jeton/test/jetontest"
)

// controls are attempts that do no harm to the machine where nothing stops them.
var controls = strings.Fields("file code proc kill tcp host udp path abstract forks disk memory")

// TestEscape has each program try everything, and get nowhere.
func TestEscape(t *testing.T) {
	t.Parallel()
	s := newScene(t, sandbox.Full)
	for _, p := range escape.Programs() {
		t.Run(p.Language, func(t *testing.T) {
			for _, o := range s.try(t, p, p.Attempts) {
				t.Logf("%-9s %s", o.Attempt, o.Met)
				if o.Open {
					t.Errorf("%s had success", o.Attempt)
				}
				if o.Honest != "" {
					t.Errorf("the call behind %s was answered with %s", o.Attempt, o.Honest)
				}
			}
		})
	}
	if log := s.Log.String(); !strings.Contains(log, "out of memory: it took more than the limit of 256 MB") {
		t.Error("the log does not tell of the memory that was taken")
	}
}

// TestNothingStopsThem runs the same programs without walls: they must find what
// is open, or the test above would find nothing either.
func TestNothingStopsThem(t *testing.T) {
	t.Parallel()
	s := newScene(t, sandbox.None)
	for _, p := range escape.Programs() {
		t.Run(p.Language, func(t *testing.T) {
			attempts := slices.DeleteFunc(slices.Clone(controls), func(a string) bool { return !slices.Contains(p.Attempts, a) })
			for _, o := range s.try(t, p, attempts) {
				if !o.Open {
					t.Errorf("%s had no success: %s", o.Attempt, o.Met)
				}
			}
		})
	}
}

// scene is a server at one level of isolation, with a function whose code others
// must not see, and bait.
type scene struct {
	*jetontest.Jeton
	api         *function.API
	namespaceID string
	bait        *escape.Bait
}

func newScene(t *testing.T, level sandbox.Level) *scene {
	t.Helper()
	if os.Geteuid() != 0 {
		t.Fatal("these tests isolate at level full: run them as root")
	}
	jeton := jetontest.Start(t, func(c *server.Config) {
		c.Isolation = level.String()
		crates(t, c)
	})
	s := &scene{Jeton: jeton, api: function.NewAPI(jeton.Client())}
	n, err := s.api.CreateNamespace(&function.CreateNamespaceRequest{Name: "escape"})
	if err != nil {
		t.Fatal(err)
	}
	poll := 20 * time.Millisecond
	if _, err := s.api.WaitForNamespace(&function.WaitForNamespaceRequest{NamespaceID: n.ID, RetryInterval: &poll}); err != nil {
		t.Fatal(err)
	}
	s.namespaceID = n.ID
	victim := s.deploy(t, "victim", "python314", "handler.handle", map[string]string{"handler.py": "def handle(event, context):\n    return 'mine'\n"})
	code, err := filepath.Glob(filepath.Join(s.DataDir, "artifacts", victim.ID, "*"))
	if err != nil || len(code) == 0 {
		t.Fatalf("the code of another function is not where it is looked for: %v, %v", code, err)
	}
	dir, err := os.MkdirTemp("/tmp", "jb") //nolint:usetesting // The path of a socket must be short.
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = os.RemoveAll(dir) })
	api := strings.TrimPrefix(s.APIURL, "http://")
	if s.bait, err = escape.NewBait(dir, filepath.Join(s.DataDir, "jeton.db"), code[0], api, os.Getpid()); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = s.bait.Close() })
	return s
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
	files, err := p.Files()
	if err != nil {
		t.Fatal(err)
	}
	f := s.deploy(t, "escape-"+p.Language, p.Runtime, p.Handler, files)
	ctx, cancel := context.WithTimeout(t.Context(), 3*time.Minute)
	defer cancel()
	outcomes, err := escape.Try(ctx, p, attempts, s.GatewayURL, f.DomainName, s.bait.Query())
	if err != nil {
		t.Fatal(err)
	}
	return outcomes
}

func (s *scene) deploy(t *testing.T, name, runtime, handler string, files map[string]string) *function.Function {
	t.Helper()
	memory := uint32(256)
	f, err := s.api.CreateFunction(&function.CreateFunctionRequest{
		NamespaceID: s.namespaceID, Name: name, Runtime: function.FunctionRuntime(runtime), Handler: &handler,
		Privacy: function.FunctionPrivacyPublic, MemoryLimit: &memory,
	})
	if err != nil {
		t.Fatal(err)
	}
	var archive bytes.Buffer
	writer := zip.NewWriter(&archive)
	for file, text := range files {
		entry, err := writer.Create(file)
		if err == nil {
			_, err = entry.Write([]byte(text))
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	if err := writer.Close(); err != nil {
		t.Fatal(err)
	}
	target, err := s.api.GetFunctionUploadURL(&function.GetFunctionUploadURLRequest{FunctionID: f.ID, ContentLength: uint64(archive.Len())})
	if err != nil {
		t.Fatal(err)
	}
	request, err := http.NewRequestWithContext(t.Context(), http.MethodPut, target.URL, &archive)
	if err != nil {
		t.Fatal(err)
	}
	request.Header.Set("Content-Type", "application/octet-stream")
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		t.Fatal(err)
	}
	response.Body.Close()
	if _, err := s.api.DeployFunction(&function.DeployFunctionRequest{FunctionID: f.ID}); err != nil {
		t.Fatal(err)
	}
	poll, limit := 50*time.Millisecond, 5*time.Minute
	f, err = s.api.WaitForFunction(&function.WaitForFunctionRequest{FunctionID: f.ID, RetryInterval: &poll, Timeout: &limit})
	if err != nil {
		t.Fatal(err)
	}
	if f.Status != function.FunctionStatusReady {
		t.Fatalf("%s is %s: %s", name, f.Status, *f.ErrorMessage)
	}
	return f
}
