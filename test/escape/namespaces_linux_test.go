//go:build escape

package escape_test

import (
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"strings"
	"syscall"
	"testing"

	"github.com/vishvananda/netlink"
)

// namespacesVariable is set in a test program that runs in its own namespaces.
const namespacesVariable = "ESCAPE_TEST_NAMESPACES"

// metadata is the address of cloud metadata services.
const metadata = "169.254.169.254"

func inOwnNamespaces() bool { return os.Getenv(namespacesVariable) != "" }

func TestMain(m *testing.M) {
	if inOwnNamespaces() {
		if err := setUpNamespaces(); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
	}
	os.Exit(m.Run())
}

// runInOwnNamespaces runs the test again in new namespaces for mounts, processes,
// networks, IPC and host names: what the programs mount, trace or open without isolation
// ends with the namespaces.
func runInOwnNamespaces(t *testing.T) {
	t.Helper()
	program, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	c := exec.CommandContext(t.Context(), program, "-test.run=^"+t.Name()+"$", "-test.v", "-test.timeout=5m")
	// The programs mount a file system on /tmp: the test must not use it.
	c.Env = append(os.Environ(), namespacesVariable+"=yes", "TMPDIR=/var/tmp")
	c.SysProcAttr = &syscall.SysProcAttr{
		Pdeathsig:  syscall.SIGKILL,
		Cloneflags: syscall.CLONE_NEWPID | syscall.CLONE_NEWNET | syscall.CLONE_NEWIPC | syscall.CLONE_NEWUTS,
		// Unshareflags also make the mounts private.
		Unshareflags: syscall.CLONE_NEWNS,
	}
	out, err := c.CombinedOutput()
	text := string(out)
	if err != nil || !strings.Contains(text, "--- PASS: "+t.Name()+"/") || strings.Contains(text, "--- SKIP") {
		t.Errorf("run the test in its own namespaces: got %v:\n%s", err, text)
	}
}

// setUpNamespaces sets up /proc, the loopback interface and a metadata service in the new
// namespaces.
func setUpNamespaces() error {
	if err := syscall.Mount("proc", "/proc", "proc", 0, ""); err != nil {
		return fmt.Errorf("mount /proc: %w", err)
	}
	lo, err := netlink.LinkByName("lo")
	if err != nil {
		return err
	}
	address, err := netlink.ParseAddr(metadata + "/32")
	if err != nil {
		return err
	}
	if err := errors.Join(netlink.LinkSetUp(lo), netlink.AddrAdd(lo, address)); err != nil {
		return fmt.Errorf("bring up loopback: %w", err)
	}
	l, err := net.Listen("tcp4", net.JoinHostPort(metadata, "80"))
	if err != nil {
		return err
	}
	go acceptForever(l)
	return nil
}

// acceptForever accepts and closes connections until the program ends.
func acceptForever(l net.Listener) {
	for {
		conn, err := l.Accept()
		if err != nil {
			return
		}
		_ = conn.Close()
	}
}
