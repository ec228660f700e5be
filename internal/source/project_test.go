package source_test

import (
	"errors"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/jeton-dev/jeton/internal/source"
)

// folder returns a new folder with files, given as path and content.
func folder(t testing.TB, files map[string]string) string {
	t.Helper()
	dir := t.TempDir()
	for name, content := range files {
		write(t, dir, name, content)
	}
	return dir
}

func write(t testing.TB, dir, name, content string) {
	t.Helper()
	path := filepath.Join(dir, name)
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, []byte(content), 0o644); err != nil {
		t.Fatal(err)
	}
}

func TestProject_IsLoadedAsSaved(t *testing.T) {
	t.Parallel()
	two := uint32(2)
	want := source.Project{
		Namespace: "demo", Region: "nl-ams",
		Functions: map[string]source.Function{
			"a": {Dir: "a", Runtime: "node24", Handler: "handler.handle", Privacy: "public", Memory: 512, Timeout: 90 * time.Second, MaxScale: &two},
			"b": {Runtime: "go126", Handler: "Handle", Env: map[string]string{"X": "1"}, Secrets: []string{"TOKEN"}, Description: "second"},
		},
	}
	dir := t.TempDir()
	if err := want.Save(dir); err != nil {
		t.Fatal(err)
	}
	got, err := source.LoadProject(dir)
	if err != nil || !reflect.DeepEqual(got, want) {
		t.Errorf("got %+v, %v, want %+v", got, err, want)
	}
	if _, err := source.LoadProject(t.TempDir()); !errors.Is(err, source.ErrNoProject) {
		t.Errorf("a folder without a file: got %v, want ErrNoProject", err)
	}
}

func TestParseProject_RefusesInvalidFiles(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct{ content, want string }{
		"empty":          {"", "no functions"},
		"no functions":   {"namespace: x\n", "no functions"},
		"unknown key":    {"functions: {a: {runtim: node24}}\n", "runtim"},
		"no YAML":        {"functions: [\n", "["},
		"parent folder":  {"functions: {a: {dir: ../b}}\n", "below the project file"},
		"wrong privacy":  {"functions: {a: {privacy: secret}}\n", "public or private"},
		"wrong duration": {"functions: {a: {timeout: soon}}\n", "soon"},
	} {
		if got, err := source.ParseProject([]byte(test.content)); err == nil || !strings.Contains(err.Error(), test.want) {
			t.Errorf("%s: got %+v, %v, want an error with %q", name, got, err, test.want)
		}
	}
}

func FuzzParseProject(f *testing.F) {
	f.Add([]byte("namespace: x\nfunctions:\n  a:\n    runtime: node24\n    timeout: 30s\n"))
	f.Fuzz(func(t *testing.T, content []byte) {
		p, err := source.ParseProject(content)
		if err == nil && len(p.Names()) == 0 {
			t.Error("got a project without functions, want an error")
		}
	})
}

func TestFunctionName_IsValid(t *testing.T) {
	t.Parallel()
	for dir, want := range map[string]string{
		"/a/hello": "hello", "/a/Hello World_2": "hello-world-2", "/a/--x--": "x", "/a/été": "t", "/a/日本": "function",
		"/a/" + strings.Repeat("x", 33) + "-y": strings.Repeat("x", 33),
	} {
		if got := source.FunctionName(dir); got != want {
			t.Errorf("FunctionName(%q): got %q, want %q", dir, got, want)
		}
	}
}
