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

// nobody is a user without rights.
const nobody = 65534

// levelVariable has the test program run the engines' suite at one level only: it
// is set where the program has started itself as another user.
const levelVariable = "PROCESS_TEST_LEVEL"

// levels are those at which the suite runs here.
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

// runAsNobody runs the suite at a level that is not root's, in a copy of the test
// program that belongs to nobody.
func runAsNobody(t *testing.T, level sandbox.Level) {
	t.Helper()
	program, home := copyForNobody(t)
	c := exec.CommandContext(t.Context(), program, "-test.run=^TestSuite$", "-test.v", "-test.timeout=5m")
	c.Dir, c.Env = home, []string{levelVariable + "=" + level.String(), "HOME=" + home, "TMPDIR=" + home, "PATH=" + os.Getenv("PATH")}
	c.SysProcAttr = &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: nobody, Gid: nobody}}
	out, err := c.CombinedOutput()
	text := string(out)
	// What nobody has run must not look as if it had passed.
	if err != nil || !strings.Contains(text, "--- PASS: TestSuite/"+level.String()+"/") || strings.Contains(text, "--- SKIP") {
		t.Errorf("the suite as nobody ended with %v:\n%s", err, text)
	}
}

// copyForNobody is the test program where everybody may read it, beside a folder
// that nobody may write to.
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
	// Another program writes it: what this one writes, a child that is started
	// meanwhile holds open, and nobody can start it then.
	err = errors.Join(
		os.Chmod(dir, 0o755), exec.Command("cp", own, program).Run(), os.Chmod(program, 0o755),
		os.Mkdir(home, 0o700), os.Chown(home, nobody, nobody),
	)
	if err != nil {
		t.Fatal(err)
	}
	return program, home
}
