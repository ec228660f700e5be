package child

import (
	"fmt"
	"os"
	"syscall"
)

// Status returns how a process ended, as users read it: its exit status or the signal that
// killed it.
func Status(state *os.ProcessState) string {
	if status, ok := state.Sys().(syscall.WaitStatus); ok && status.Signaled() {
		return Killed(status.Signal())
	}
	return Exited(state.ExitCode())
}

// Exited is the text of Status for a process that has exited.
func Exited(code int) string { return fmt.Sprintf("exit status %d", code) }

// Killed is the text of Status for a process that a signal has killed.
func Killed(signal syscall.Signal) string { return fmt.Sprintf("killed by signal %d", signal) }
