//go:build slow

package readme_test

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"github.com/jeton-dev/jeton/test/needs"
)

// The same commands work for an unprivileged user, whose first function builds the
// standard library. The programs are built before.
func TestSlowUseIt_AsUnprivilegedUser(t *testing.T) {
	t.Parallel()
	needs.Root(t, "becomes another user")
	commands, lines := console(t, readme(t), "Use it")
	dir, home := checkout(t), t.TempDir()
	build, path, found := strings.Cut(commands[0], " && ")
	if !found {
		t.Fatalf("the first command does not build and set PATH: %s", commands[0])
	}
	typed(t, dir, append(environment(t.TempDir()), goEnvironment(t)...), []string{build}, nil)
	const nobody = 65534
	if output, err := exec.CommandContext(t.Context(), "chown", "-R", "65534:65534", dir, home).CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, output)
	}
	for _, parent := range []string{dir, home} {
		for ; strings.HasPrefix(parent, os.TempDir()+"/"); parent = filepath.Dir(parent) {
			if err := os.Chmod(parent, 0o755); err != nil {
				t.Fatal(err)
			}
		}
	}
	commands[0] = path
	wantLines(t, typed(t, dir, append(environment(home), "GOPATH="+filepath.Join(home, "go"), "GOCACHE="+filepath.Join(home, "cache"),
		"PATH=/usr/local/go/bin:/usr/local/bin:/usr/bin:/bin:"+filepath.Dir(goProgram(t))), commands, &syscall.Credential{Uid: nobody, Gid: nobody}), lines)
}

func goProgram(t *testing.T) string {
	t.Helper()
	program, err := exec.LookPath("go")
	if err != nil {
		t.Fatal(err)
	}
	return program
}
