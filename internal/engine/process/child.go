package process

import (
	"fmt"
	"os"
	"os/exec"
	"sync"
	"syscall"
)

// A child is a process that runs, with the parent's ends of what it was given.
type child struct {
	cmd       *exec.Cmd
	stdout    *lines
	stderr    *lines
	readiness *os.File

	mu     sync.Mutex
	reaped bool
}

// signal sends a signal to the process and all others of its group. A process
// that is reaped gets none: its number may be another's by now.
func (c *child) signal(signal syscall.Signal) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if !c.reaped {
		// The only error is that there is no such process any more.
		_ = syscall.Kill(-c.cmd.Process.Pid, signal)
	}
}

// wait returns how the process ended, after the end of its whole group.
func (c *child) wait() string {
	exitSeen := awaitExit(c.cmd.Process.Pid)
	if exitSeen {
		c.endGroup()
	}
	// An exit status other than 0 is an error of Wait; the state tells more.
	_ = c.cmd.Wait()
	if !exitSeen {
		c.endGroup()
	}
	c.stdout.flush()
	c.stderr.flush()
	return describe(c.cmd.ProcessState)
}

// endGroup kills what is left of the process's group.
func (c *child) endGroup() {
	c.signal(syscall.SIGKILL)
	c.mu.Lock()
	defer c.mu.Unlock()
	c.reaped = true
}

func describe(state *os.ProcessState) string {
	status, ok := state.Sys().(syscall.WaitStatus)
	if ok && status.Signaled() {
		return bySignal(status.Signal())
	}
	return fmt.Sprintf("exit status %d", state.ExitCode())
}

func bySignal(signal syscall.Signal) string { return fmt.Sprintf("killed by signal %d", signal) }
