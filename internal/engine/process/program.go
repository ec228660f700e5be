package process

import (
	"fmt"
	"os"
	"syscall"
	"time"
)

// A program is an instance's process, with the engine's ends of what it was
// given.
type program struct {
	process   process
	stdout    *lines
	stderr    *lines
	readiness *os.File
	// boost is for how long it may start faster than its limits let it.
	boost time.Duration
}

// A process can be told to go, and is waited for.
type process interface {
	Signal(signal syscall.Signal)
	// Wait returns in words how it ended, once nothing is left of it.
	Wait() string
}

// wait returns how the process ended.
func (p *program) wait() string {
	status := p.process.Wait()
	p.stdout.flush()
	p.stderr.flush()
	return status
}

// settle ends the boost: the limits hold from here on.
func (p *program) settle() error {
	if s, ok := p.process.(interface{ settle() error }); ok {
		return s.settle()
	}
	return nil
}

func describe(state *os.ProcessState) string {
	status, ok := state.Sys().(syscall.WaitStatus)
	if ok && status.Signaled() {
		return bySignal(status.Signal())
	}
	return fmt.Sprintf("exit status %d", state.ExitCode())
}

func bySignal(signal syscall.Signal) string { return fmt.Sprintf("killed by signal %d", signal) }
