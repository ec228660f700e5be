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

// TestHelperNeedsRoot is run as another user by the test below.
func TestHelperNeedsRoot(t *testing.T) {
	if os.Getenv("NEEDS_TEST") == "" {
		return
	}
	needs.Root(t, "creates users")
	t.Log("it ran")
}

func TestRoot_FailsTestUnlessItsSkipIsListed(t *testing.T) {
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
		c := exec.CommandContext(t.Context(), program, "-test.v", "-test.run=^TestHelperNeedsRoot$")
		c.Env, c.Dir = append(environment, "NEEDS_TEST=1"), dir
		if os.Geteuid() == 0 {
			c.SysProcAttr = &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: 65534, Gid: 65534}}
		}
		output, err := c.CombinedOutput()
		return string(output), err
	}
	if output, err := run(); err == nil || !strings.Contains(output, "run it as root, or run make test") || strings.Contains(output, "it ran") {
		t.Errorf("without make test: got error %v, want a failure:\n%s", err, output)
	}
	if output, err := run("JETON_TEST_LEFT_OUT=" + list); err != nil || strings.Contains(output, "it ran") {
		t.Errorf("under make test: got error %v, want a skip:\n%s", err, output)
	}
	listed, err := os.ReadFile(list)
	if want := "TestHelperNeedsRoot: it creates users\n"; err != nil || string(listed) != want {
		t.Errorf("listed %q, error %v, want %q", listed, err, want)
	}
}
