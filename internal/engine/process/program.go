package process

import (
	"fmt"
	"os"
	"os/exec"
	"syscall"

	"github.com/jeton-dev/jeton/internal/child"
)

// A program is an instance's process, with the engine's ends of what it was
// given.
type program struct {
	cmd       *exec.Cmd
	group     *child.Group
	stdout    *lines
	stderr    *lines
	readiness *os.File
}

// wait returns how the process ended, after the end of its whole group.
func (p *program) wait() string {
	// An exit status other than 0 is an error of Wait; the state tells more.
	_ = p.group.Wait()
	p.stdout.flush()
	p.stderr.flush()
	return describe(p.cmd.ProcessState)
}

func describe(state *os.ProcessState) string {
	status, ok := state.Sys().(syscall.WaitStatus)
	if ok && status.Signaled() {
		return bySignal(status.Signal())
	}
	return fmt.Sprintf("exit status %d", state.ExitCode())
}

func bySignal(signal syscall.Signal) string { return fmt.Sprintf("killed by signal %d", signal) }
