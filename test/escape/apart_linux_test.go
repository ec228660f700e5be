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

// apartVariable is set where the test program has started itself in namespaces that
// end with it.
const apartVariable = "ESCAPE_TEST_APART"

// metadata is where clouds tell machines about themselves.
const metadata = "169.254.169.254"

func isApart() bool { return os.Getenv(apartVariable) != "" }

func TestMain(m *testing.M) {
	if isApart() {
		if err := settleApart(); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
	}
	os.Exit(m.Run())
}

// runApart runs the test again in namespaces for mounts, processes, networks, IPC
// and host names that are its own: what is mounted, traced or opened there by
// programs without walls ends with them.
func runApart(t *testing.T) {
	t.Helper()
	program, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	c := exec.CommandContext(t.Context(), program, "-test.run=^"+t.Name()+"$", "-test.v", "-test.timeout=5m")
	// Not /tmp, on which the programs mount something else.
	c.Env = append(os.Environ(), apartVariable+"=yes", "TMPDIR=/var/tmp")
	c.SysProcAttr = &syscall.SysProcAttr{
		Pdeathsig:  syscall.SIGKILL,
		Cloneflags: syscall.CLONE_NEWPID | syscall.CLONE_NEWNET | syscall.CLONE_NEWIPC | syscall.CLONE_NEWUTS,
		// Mounts of its own are private, too, if they are made in this way.
		Unshareflags: syscall.CLONE_NEWNS,
	}
	out, err := c.CombinedOutput()
	text := string(out)
	if err != nil || !strings.Contains(text, "--- PASS: "+t.Name()+"/") || strings.Contains(text, "--- SKIP") {
		t.Errorf("without walls, the test ended with %v:\n%s", err, text)
	}
}

// settleApart makes the new namespaces look like a machine: with the processes of
// theirs, a network that reaches itself, and a metadata service.
func settleApart() error {
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
		return fmt.Errorf("set loopback up: %w", err)
	}
	l, err := net.Listen("tcp4", net.JoinHostPort(metadata, "80"))
	if err != nil {
		return err
	}
	go acceptForever(l)
	return nil
}

// acceptForever has connections succeed, until the program ends.
func acceptForever(l net.Listener) {
	for {
		conn, err := l.Accept()
		if err != nil {
			return
		}
		_ = conn.Close()
	}
}
