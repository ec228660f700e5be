package needs_test

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"github.com/jeton-dev/jeton/test/needs"
)

// TestForNobody is run by TestRoot as another user.
func TestForNobody(t *testing.T) {
	if os.Getenv("NEEDS_TEST") == "" {
		return
	}
	needs.Root(t, "makes users")
	t.Log("it ran")
}

// A test that needs root fails without it, unless somebody says at the end that it
// was left out.
func TestRoot(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	for path := dir; strings.HasPrefix(path, os.TempDir()+"/"); path = filepath.Dir(path) {
		if err := os.Chmod(path, 0o755); err != nil {
			t.Fatal(err)
		}
	}
	self, err := os.ReadFile("/proc/self/exe")
	if err != nil {
		t.Fatal(err)
	}
	program, list := filepath.Join(dir, "program"), filepath.Join(dir, "list")
	if err := os.WriteFile(program, self, 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(list, nil, 0o666); err != nil {
		t.Fatal(err)
	}
	if err := os.Chmod(list, 0o666); err != nil {
		t.Fatal(err)
	}
	run := func(environment ...string) (string, error) {
		c := exec.CommandContext(t.Context(), program, "-test.v", "-test.run=^TestForNobody$")
		c.Env, c.Dir = append(environment, "NEEDS_TEST=1"), dir
		if os.Geteuid() == 0 {
			c.SysProcAttr = &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: 65534, Gid: 65534}}
		}
		output, err := c.CombinedOutput()
		return string(output), err
	}
	if output, err := run(); err == nil || !strings.Contains(output, "run it as root, or by make test") || strings.Contains(output, "it ran") {
		t.Errorf("by itself: %v\n%s", err, output)
	}
	if output, err := run("JETON_TEST_LEFT_OUT=" + list); err != nil || strings.Contains(output, "it ran") {
		t.Errorf("under make test: %v\n%s", err, output)
	}
	noted, err := os.ReadFile(list)
	if want := "TestForNobody: it makes users\n"; err != nil || string(noted) != want {
		t.Errorf("noted is %q, %v, want %q", noted, err, want)
	}
}
