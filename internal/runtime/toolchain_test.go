package runtime_test

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/jeton-dev/jeton/internal/runtime"
)

func TestFindToolchains_FindsAllLanguages(t *testing.T) {
	t.Parallel()
	found := runtime.FindToolchains(t.Context(), nil)
	for language, want := range map[string]string{
		runtime.Go: `^go \d+\.\d+`, runtime.Node: `^node v\d+\.\d+\.\d+$`, runtime.Python: `^python 3\.\d+\.\d+$`,
		runtime.PHP: `^php 8\.\d+\.\d+$`, runtime.Rust: `^rust 1\.\d+\.\d+$`, "COBOL": `^$`,
	} {
		if got := found.Serving(language); !regexp.MustCompile(want).MatchString(got) {
			t.Errorf("Serving(%s) = %q, want %s", language, got, want)
		}
	}
	list := found.List()
	if len(list) != 5 {
		t.Errorf("got %d languages, want 5", len(list))
	}
	for _, f := range list {
		toolchain, err := found.For(f.Language)
		if err != nil || !filepath.IsAbs(toolchain.Path) || f.Toolchain != toolchain || f.Missing != nil {
			t.Errorf("For(%s) = %+v, %v, want an absolute path, and in the list %+v", f.Language, toolchain, err, f)
		}
		if r, ok := runtime.Lookup(f.Runtimes[0]); !ok || r.Language != f.Language {
			t.Errorf("%s: got runtimes %q", f.Language, f.Runtimes)
		}
	}
}

func TestFindToolchains_ExplainsWhatIsMissing(t *testing.T) {
	t.Parallel()
	tests := map[string]struct{ script, want string }{
		"missing":        {want: "was not found"},
		"failing":        {script: "exit 3", want: "did not print its version: exit status 3"},
		"silent":         {script: "exit 0", want: "did not print its version"},
		"lacks a module": {script: "echo /bin/node; echo v22.1.0; echo /etc/node; echo the module X", want: "/bin/node lacks the module X"},
		"too old":        {script: "echo /opt/node/bin/node; echo v12.1.0", want: "/opt/node/bin/node has version 12.1.0, which is too old"},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			program := filepath.Join(t.TempDir(), "node")
			if test.script != "" {
				if err := os.WriteFile(program, []byte("#!/bin/sh\n"+test.script+"\n"), 0o700); err != nil {
					t.Fatal(err)
				}
			}
			found := runtime.FindToolchains(t.Context(), map[string]string{runtime.Node: program})
			_, err := found.For(runtime.Node)
			if err == nil || !strings.Contains(err.Error(), test.want) || !strings.Contains(err.Error(), "install Node.js") {
				t.Errorf("For(Node) = %v, want %q and what to install", err, test.want)
			}
		})
	}
}

func TestFindToolchains_UsesTheGivenPath(t *testing.T) {
	t.Parallel()
	program := filepath.Join(t.TempDir(), "shim")
	script := "#!/bin/sh\necho /opt/node/bin/node\necho v22.3.4\n"
	if err := os.WriteFile(program, []byte(script), 0o700); err != nil {
		t.Fatal(err)
	}
	found := runtime.FindToolchains(t.Context(), map[string]string{runtime.Node: program})
	want := runtime.Toolchain{Path: "/opt/node/bin/node", Version: "22.3.4"}
	if got, err := found.For(runtime.Node); err != nil || got != want {
		t.Errorf("For(Node) = %+v, %v, want %+v", got, err, want)
	}
}

func TestFindToolchains_RequiresCargoNextToRustc(t *testing.T) {
	t.Parallel()
	root := t.TempDir()
	program := filepath.Join(root, "rustc")
	script := "#!/bin/sh\nif [ $1 = --print ]; then echo " + root + "; else echo 'rustc 1.95.0 (59807616e 2026-04-14)'; fi\n"
	if err := os.WriteFile(program, []byte(script), 0o700); err != nil {
		t.Fatal(err)
	}
	find := func() (runtime.Toolchain, error) {
		return runtime.FindToolchains(t.Context(), map[string]string{runtime.Rust: program}).For(runtime.Rust)
	}
	if got, err := find(); err == nil || !strings.Contains(err.Error(), "has no cargo in its folder bin; install Rust") {
		t.Errorf("For(Rust) = %+v, %v, want an error that names cargo", got, err)
	}
	cargo := filepath.Join(root, "bin", "cargo")
	if err := os.Mkdir(filepath.Dir(cargo), 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(cargo, nil, 0o700); err != nil {
		t.Fatal(err)
	}
	want := runtime.Toolchain{Path: cargo, Version: "1.95.0"}
	if got, err := find(); err != nil || got != want {
		t.Errorf("For(Rust) = %+v, %v, want %+v", got, err, want)
	}
}
