package process

import (
	"fmt"
	"sync/atomic"
	"syscall"
	"time"

	"github.com/jeton-dev/jeton/internal/engine"
	"github.com/jeton-dev/jeton/internal/engine/instances"
	"github.com/jeton-dev/jeton/internal/engine/printed"
)

// An instance is one child process, from its request to its end.
type instance struct {
	*instances.Instance
	revision *revision
	// address is where the instance serves, once it was spawned.
	address engine.Address
	// sandboxed is its sandbox, once a program runs in it; nil without sandboxes.
	sandboxed atomic.Pointer[sandboxedProcess]
	// evicted receives why the engine ends the instance, at most once.
	evicted chan string
}

func newInstance(base *instances.Instance, r *revision) *instance {
	return &instance{Instance: base, revision: r, evicted: make(chan string, 1)}
}

// evict stops the instance immediately, with a reason for its log.
func (in *instance) evict(reason string) {
	select {
	case in.evicted <- reason:
	default: // It has a reason already.
	}
}

// run runs an instance until it has ended, and returns why.
func (e *Engine) run(in *instance) string {
	reason := e.execute(in)
	if err := e.folder.removeInstance(in.ID); err != nil {
		e.logger.Warn("remove folder of an instance failed", "instance", in.ID, "error", err)
	}
	return reason
}

// execute starts the process, waits for its end, and returns the reason.
func (e *Engine) execute(in *instance) string {
	program, err := e.spawn(in)
	if err != nil {
		return err.Error()
	}
	defer program.readiness.Close()
	ready := make(chan struct{})
	go func() {
		if n, _ := program.readiness.Read(make([]byte, 1)); n == 1 {
			close(ready)
		}
	}()
	exited := make(chan string, 1)
	go func() { exited <- program.wait() }()

	failure, status := e.supervise(in, program, ready, exited)
	reason := status
	if failure != "" {
		reason = failure
	}
	if why := program.stderr.Why(in.Ready()); why != "" {
		reason += ": " + why
	}
	return reason
}

// settlingTime is the delay between readiness and the CPU limit of the revision, so
// that the waiting call is sent first.
const settlingTime = 2 * time.Millisecond

// supervise signals a process as requested until it has exited. It returns why the
// engine killed it, if it did, and how it exited.
func (e *Engine) supervise(in *instance, p *program, ready <-chan struct{}, exited <-chan string) (failure, status string) {
	terminated, killed := in.Terminated(), in.Killed()
	overdue := time.NewTimer(e.config.ReadyTimeout)
	defer overdue.Stop()
	var grace, settled <-chan time.Time
	boost := e.newBooster(in.revision.source.FunctionID, p.boost)
	defer boost.end()
	for {
		select {
		case <-boost.over:
			if !boost.renew() {
				settled = time.After(0)
			}
		case <-ready:
			ready = nil
			overdue.Stop()
			boost.end()
			in.BecomeReady(in.address)
			settled = time.After(settlingTime)
		case <-settled:
			if err := p.settle(); err != nil {
				failure = err.Error()
				p.process.Signal(syscall.SIGKILL)
			}
		case <-overdue.C:
			failure = fmt.Sprintf("did not start listening within %v", e.config.ReadyTimeout)
			p.process.Signal(syscall.SIGKILL)
		case <-terminated:
			terminated = nil
			grace = time.After(e.config.Grace)
			p.process.Signal(syscall.SIGTERM)
		case <-grace:
			p.process.Signal(syscall.SIGKILL)
		case failure = <-in.evicted:
			p.process.Signal(syscall.SIGKILL)
		case <-killed:
			killed = nil
			p.process.Signal(syscall.SIGKILL)
		case status = <-exited:
			return failure, status
		}
	}
}

// bindOutput attributes what is printed on two streams to an instance.
func (e *Engine) bindOutput(in *instance, stdout, stderr *printed.Lines) {
	r := printed.NewRate(e.config.Now)
	stdout.Bind(in.revision.secrets, in.Output(engine.Stdout), new(printed.LastLine), r)
	stderr.Bind(in.revision.secrets, in.Output(engine.Stderr), e.config.Cause(in.revision.language), r)
}
