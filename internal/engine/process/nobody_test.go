package process_test

import (
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"github.com/jeton-dev/jeton/internal/sandbox"
)

// unprivileged is the ID of the user nobody.
const unprivileged = 65534

// levelVariable selects the only isolation level of TestSuite. It is set if the test
// program has started itself as another user.
const levelVariable = "PROCESS_TEST_LEVEL"

// levels returns the isolation levels at which the suite runs.
func levels(t *testing.T) []sandbox.Level {
	t.Helper()
	name := os.Getenv(levelVariable)
	if name == "" {
		return []sandbox.Level{sandbox.None, sandbox.Restricted, sandbox.User, sandbox.Full}
	}
	level, err := sandbox.ParseLevel(name)
	if err != nil {
		t.Fatal(err)
	}
	return []sandbox.Level{level}
}

// runAsNobody runs the suite at a level for unprivileged users, in a copy of the test
// program.
func runAsNobody(t *testing.T, level sandbox.Level) {
	t.Helper()
	program, home := copyForNobody(t)
	c := exec.CommandContext(t.Context(), program, "-test.run=^TestSuite$", "-test.v", "-test.timeout=5m")
	c.Dir, c.Env = home, []string{levelVariable + "=" + level.String(), "HOME=" + home, "TMPDIR=" + home, "PATH=" + os.Getenv("PATH")}
	c.SysProcAttr = &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: unprivileged, Gid: unprivileged}}
	out, err := c.CombinedOutput()
	text := string(out)
	// A suite that did not run must not pass.
	if err != nil || !strings.Contains(text, "--- PASS: TestSuite/"+level.String()+"/") || strings.Contains(text, "--- SKIP") {
		t.Errorf("the suite as unprivileged ended with %v:\n%s", err, text)
	}
}

// copyForNobody copies the test program to a folder that all users can read, with a
// home folder of the unprivileged user.
func copyForNobody(t *testing.T) (program, home string) {
	t.Helper()
	own, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	dir, err := os.MkdirTemp("/var/tmp", "engine-") //nolint:usetesting // The folder of t.TempDir is the owner's alone.
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = os.RemoveAll(dir) })
	program, home = filepath.Join(dir, "engine.test"), filepath.Join(dir, "home")
	// cp writes the copy: children of this process that start meanwhile would inherit
	// the open file, and a program that is open for writing cannot be started.
	err = errors.Join(
		os.Chmod(dir, 0o755), exec.Command("cp", own, program).Run(), os.Chmod(program, 0o755),
		os.Mkdir(home, 0o700), os.Chown(home, unprivileged, unprivileged),
	)
	if err != nil {
		t.Fatal(err)
	}
	return program, home
}
