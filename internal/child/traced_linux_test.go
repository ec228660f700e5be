package child_test

import (
	"fmt"
	"os"
	"os/exec"
	"runtime"
	"strings"
	"syscall"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/jeton-dev/jeton/internal/child"
)

// tracedVariable makes the test program a traced child that stops at a signal and is
// never continued.
const tracedVariable = "CHILD_TEST_TRACED"

func init() {
	if os.Getenv(tracedVariable) == "" {
		return
	}
	runtime.LockOSThread()
	if _, _, errno := unix.RawSyscall(unix.SYS_PTRACE, unix.PTRACE_TRACEME, 0, 0); errno != 0 {
		fmt.Fprintln(os.Stderr, "ptrace:", errno)
		os.Exit(1)
	}
	_ = unix.Tgkill(os.Getpid(), unix.Gettid(), unix.SIGWINCH)
	os.Exit(1)
}

// TestWait_DoesNotReturnForAStoppedTracedChild stops a child, and then kills it.
func TestWait_DoesNotReturnForAStoppedTracedChild(t *testing.T) {
	t.Parallel()
	cmd := &exec.Cmd{Path: program(t), Env: []string{tracedVariable + "=1"}, Stderr: os.Stderr}
	group, err := child.Start(cmd)
	if err != nil {
		t.Fatal(err)
	}
	ended := make(chan error, 1)
	go func() { ended <- group.Wait() }()
	tick := time.NewTicker(5 * time.Millisecond)
	defer tick.Stop()
	for stopped := 0; stopped < 20; {
		select {
		case err := <-ended:
			t.Fatalf("Wait() = %v for a stopped child, want it to block", err)
		case <-tick.C:
		}
		if stateOf(cmd.Process.Pid) == "t" {
			stopped++
		}
	}
	group.Signal(syscall.SIGKILL)
	if err := <-ended; err == nil || !strings.Contains(err.Error(), "killed") {
		t.Errorf("Wait() = %v, want killed", err)
	}
}

// stateOf returns the state letter of a process from /proc.
func stateOf(pid int) string {
	text, _ := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	_, fields, _ := strings.Cut(string(text), ") ")
	state, _, _ := strings.Cut(fields, " ")
	return state
}
