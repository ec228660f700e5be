package runtime_test

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/jeton-dev/jeton/internal/runtime"
)

func TestFindToolchains(t *testing.T) {
	t.Parallel()
	found := runtime.FindToolchains(t.Context(), nil)
	tests := map[string]struct{ runtime, want string }{
		"available":      {"go126", `^served by go \d+\.\d+`},
		"an end of life": {"go118", `^Runtime has reached its end of life\. .* \(served by go \d+\.\d+\S*\)$`},
		"node":           {"node24", `^served by node v\d+\.\d+\.\d+$`},
		"python":         {"python314", `^served by python 3\.\d+\.\d+$`},
		"no support":     {"php85", `does not build PHP functions`},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			r, ok := runtime.Lookup(test.runtime)
			if !ok {
				t.Fatalf("there is no runtime %s", test.runtime)
			}
			if got := found.Served(r); !regexp.MustCompile(test.want).MatchString(got) {
				t.Errorf("Served(%s) = %q, want %s", test.runtime, got, test.want)
			}
		})
	}
	for _, language := range []string{runtime.Go, runtime.Node, runtime.Python} {
		toolchain, err := found.For(language)
		if err != nil || !filepath.IsAbs(toolchain.Path) {
			t.Errorf("For(%s) = %+v, %v, want an absolute path", language, toolchain, err)
		}
	}
}

func TestFindToolchainsMissing(t *testing.T) {
	t.Parallel()
	tests := map[string]struct{ script, want string }{
		"not there":    {want: "was not found"},
		"it fails":     {script: "exit 3", want: "did not tell its version: exit status 3"},
		"it is silent": {script: "exit 0", want: "did not tell its version"},
		"too old":      {script: "echo /opt/node/bin/node; echo v12.1.0", want: "/opt/node/bin/node has version 12.1.0, which is too old"},
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
				t.Errorf("For(Node) = %v, want that it %s and what to install", err, test.want)
			}
		})
	}
}

func TestFindToolchainsAtAPath(t *testing.T) {
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
