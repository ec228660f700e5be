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

// levelVariable makes the test program test an isolation level, and print the layers
// that do not hold.
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

// nobodyID is the id of the unprivileged user nobody.
const nobodyID = 65534

func TestProve_HoldsForEachLevelAndUser(t *testing.T) {
	t.Parallel()
	needs.Root(t, "makes users and cgroups")
	program := readableCopy(t)
	tests := map[string]struct {
		user  uint32
		level sandbox.Level
		want  string
	}{
		"full as root":         {0, sandbox.Full, ""},
		"restricted as root":   {0, sandbox.Restricted, ""},
		"user as nobody":       {nobodyID, sandbox.User, ""},
		"restricted as nobody": {nobodyID, sandbox.Restricted, ""},
		"user as root": {0, sandbox.User, "isolation level user would run instances as root outside of their namespaces: " +
			"choose --isolation=full, or run the server as another user\n"},
		"full as nobody": {nobodyID, sandbox.Full, "isolation level full needs root: run the server as root, or choose --isolation=user, where " +
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
				t.Errorf("got output %.500q, want %q", out, test.want)
			}
		})
	}
}

// TestProveWithout_DetectsTheMissingLayer leaves out one layer at a time. The report must
// name that layer, and no others except those that depend on it.
func TestProveWithout_DetectsTheMissingLayer(t *testing.T) {
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
	dependents := map[string][]string{
		"capabilities": {"user"}, "files": {"sockets"}, "processes": {"files"}, "network": {"sockets"}, "seccomp": {"profile"}, "sockets": {"network"},
	}
	for _, layer := range sandbox.Layers() {
		t.Run(layer, func(t *testing.T) {
			report, err := h.ProveWithout(t.Context(), layer)
			if err != nil {
				t.Fatal(err)
			}
			for _, other := range sandbox.Layers() {
				want := other != layer && !slices.Contains(dependents[layer], other)
				if got := report.Holds(other); got != want {
					t.Errorf("without %s: Holds(%s) = %v, want %v (%v)", layer, other, got, want, report.Err())
				}
			}
		})
	}
}

// readableCopy copies the test program to a folder that every user may read.
func readableCopy(t *testing.T) string {
	t.Helper()
	program, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	dir, err := os.MkdirTemp("/var/tmp", "sandbox-") //nolint:usetesting // Only its owner may enter the folder of t.TempDir.
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = os.RemoveAll(dir) })
	path := filepath.Join(dir, "server")
	// cp writes the copy. A child of this process that starts at the same time would
	// inherit an open file for writing, and exec would fail with ETXTBSY.
	err = errors.Join(os.Chmod(dir, 0o755), exec.Command("cp", program, path).Run(), os.Chmod(path, 0o755))
	if err != nil {
		t.Fatal(err)
	}
	return path
}
