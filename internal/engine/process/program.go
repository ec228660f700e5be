package process

import (
	"os"
	"syscall"
	"time"

	"github.com/jeton-dev/jeton/internal/engine/printed"
)

// A program is the process of an instance, with the engine's ends of its channels.
type program struct {
	process   process
	stdout    *printed.Lines
	stderr    *printed.Lines
	readiness *os.File
	// boost is how long it may exceed the CPU limit of its revision during the start.
	boost time.Duration
}

// A process is a running process and its children.
type process interface {
	Signal(signal syscall.Signal)
	// Wait returns how the process ended, when none of its children is left.
	Wait() string
}

// wait returns how the process ended, after its output was reported.
func (p *program) wait() string {
	status := p.process.Wait()
	p.stdout.Flush()
	p.stderr.Flush()
	return status
}

// settle ends the boost: it sets the CPU limit of the revision.
func (p *program) settle() error {
	if s, ok := p.process.(interface{ settle() error }); ok {
		return s.settle()
	}
	return nil
}
