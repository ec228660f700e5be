package sandbox_test

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"syscall"
	"testing"

	"github.com/jeton-dev/jeton/internal/sandbox"
	"github.com/jeton-dev/jeton/test/needs"
)

// levelVariable makes the test program a server that proves a level, and says
// what does not hold.
const levelVariable = "SANDBOX_TEST_LEVEL"

func TestMain(m *testing.M) {
	name := os.Getenv(levelVariable)
	if name == "" {
		os.Exit(m.Run())
	}
	if err := prove(context.Background(), name); err != nil {
		fmt.Println(err)
		os.Exit(1)
	}
}

func prove(ctx context.Context, name string) error {
	level, err := sandbox.ParseLevel(name)
	if err != nil {
		return err
	}
	h, err := sandbox.Open(level, fmt.Sprintf("jeton-test-%d", os.Getpid()))
	if err != nil {
		return err
	}
	report, err := h.Prove(ctx)
	return errors.Join(err, report.Err(), h.Close())
}

// nobody is a user without rights.
const nobody = 65534

// TestProve has a server prove each level, as root and as nobody.
func TestProve(t *testing.T) {
	t.Parallel()
	needs.Root(t, "makes users and cgroups")
	program := copyOfMyself(t)
	tests := map[string]struct {
		user  uint32
		level sandbox.Level
		want  string
	}{
		"full as root":         {0, sandbox.Full, ""},
		"restricted as root":   {0, sandbox.Restricted, ""},
		"user as nobody":       {nobody, sandbox.User, ""},
		"restricted as nobody": {nobody, sandbox.Restricted, ""},
		"user as root": {0, sandbox.User, "isolation level user would have instances be root outside of their namespaces: " +
			"choose --isolation=full, or run the server as another user\n"},
		"full as nobody": {nobody, sandbox.Full, "isolation level full needs root: run the server as root, or choose --isolation=user, where " +
			sandbox.User.Lacks() + "\n"},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			c := &exec.Cmd{
				Path: program, Args: []string{program}, Dir: "/", Env: []string{levelVariable + "=" + test.level.String(), "TMPDIR=/tmp"},
				SysProcAttr: &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: test.user, Gid: test.user}},
			}
			if out, _ := c.CombinedOutput(); string(out) != test.want {
				t.Errorf("the server says %.500q, want %q", out, test.want)
			}
		})
	}
}

// TestProveNotices leaves out one layer after the other, which the probe must
// notice, and only that or what goes with it.
func TestProveNotices(t *testing.T) {
	t.Parallel()
	h, err := sandbox.Open(sandbox.Full, fmt.Sprintf("jeton-test-%d", os.Getpid()))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := h.Close(); err != nil {
			t.Error(err)
		}
	})
	besides := map[string][]string{
		"capabilities": {"user"}, "files": {"sockets"}, "processes": {"files"}, "network": {"sockets"}, "seccomp": {"profile"}, "sockets": {"network"},
	}
	for _, layer := range sandbox.Layers() {
		t.Run(layer, func(t *testing.T) {
			report, err := h.ProveWithout(t.Context(), layer)
			if err != nil {
				t.Fatal(err)
			}
			for _, other := range sandbox.Layers() {
				want := other != layer && !slices.Contains(besides[layer], other)
				if got := report.Holds(other); got != want {
					t.Errorf("without %s, %s is taken to hold: %v, want %v (%v)", layer, other, got, want, report.Err())
				}
			}
		})
	}
}

// copyOfMyself is the test program where everybody may read it.
func copyOfMyself(t *testing.T) string {
	t.Helper()
	program, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	dir, err := os.MkdirTemp("/var/tmp", "sandbox-") //nolint:usetesting // The folder of t.TempDir is the owner's alone.
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = os.RemoveAll(dir) })
	path := filepath.Join(dir, "server")
	// Another program writes it: what this one writes, a child that is started
	// meanwhile holds open, and nobody can start it then.
	err = errors.Join(os.Chmod(dir, 0o755), exec.Command("cp", program, path).Run(), os.Chmod(path, 0o755))
	if err != nil {
		t.Fatal(err)
	}
	return path
}
