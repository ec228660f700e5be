package process

import (
	"context"
	"fmt"
	"log/slog"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"time"

	"github.com/jeton-dev/jeton/internal/engine"
	"github.com/jeton-dev/jeton/internal/engine/printed"
)

// An instance is one child process, from its request to its end.
type instance struct {
	id       string
	revision *revision
	// address is where the instance serves, once it was spawned.
	address engine.Address
	// sandboxed is its sandbox, once a program runs in it; nil without sandboxes.
	sandboxed atomic.Pointer[sandboxedProcess]

	// The engine's mutex guards the following fields.
	stopping bool
	ready    bool

	// terminated and killed are closed to stop the instance.
	terminated, killed chan struct{}
	terminateOnce      sync.Once
	// evicted receives why the engine ends the instance, at most once.
	evicted  chan string
	killOnce sync.Once
	// ended is closed when the process is reaped and its folder removed.
	ended chan struct{}
}

func newInstance(id string, r *revision) *instance {
	return &instance{
		id:         id,
		revision:   r,
		terminated: make(chan struct{}),
		killed:     make(chan struct{}),
		evicted:    make(chan string, 1),
		ended:      make(chan struct{}),
	}
}

// terminate stops the instance gracefully. The caller holds the engine's mutex.
func (in *instance) terminate() {
	in.stopping = true
	in.terminateOnce.Do(func() { close(in.terminated) })
}

// kill stops the instance immediately. The caller holds the engine's mutex.
func (in *instance) kill() {
	in.stopping = true
	in.killOnce.Do(func() { close(in.killed) })
}

// evict stops the instance immediately, with a reason for its log.
func (in *instance) evict(reason string) {
	select {
	case in.evicted <- reason:
	default: // It has a reason already.
	}
}

func (in *instance) event(state engine.State) engine.Event {
	event := engine.Event{RevisionID: in.revision.id, InstanceID: in.id, State: state}
	if state == engine.Ready {
		event.Address = in.address
	}
	return event
}

// run runs an instance from its start to its end.
func (e *Engine) run(in *instance) {
	reason := e.execute(in)
	if err := e.folder.removeInstance(in.id); err != nil {
		e.logger.Warn("remove folder of an instance failed", "instance", in.id, "error", err)
	}
	reason = e.unasked(in, reason)
	if reason != "" {
		e.outputOf(in, engine.System)("the instance ended: " + reason)
	}
	e.mu.Lock()
	defer e.mu.Unlock()
	event := in.event(engine.Gone)
	event.Reason = reason
	delete(e.instances, in.id)
	in.revision.drop()
	e.feed.Emit(event)
	close(in.ended)
}

// unasked returns the reason of an end, or "" if the instance ended because it was stopped.
func (e *Engine) unasked(in *instance, reason string) string {
	e.mu.Lock()
	defer e.mu.Unlock()
	if in.stopping && stoppedOnly(reason) {
		return ""
	}
	return reason
}

// stoppedOnly reports whether an instance that was stopped ended for that reason, and
// not by a crash: a caller who noticed a crash may have stopped the instance first.
func stoppedOnly(reason string) bool {
	status, _, _ := strings.Cut(reason, ":")
	return status == "exit status 0" || status == bySignal(syscall.SIGTERM) || status == bySignal(syscall.SIGKILL)
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
	if why := program.stderr.Why(in.ready); why != "" {
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
	terminated, killed := in.terminated, in.killed
	overdue := time.NewTimer(e.config.ReadyTimeout)
	defer overdue.Stop()
	var grace, settled <-chan time.Time
	boost := e.newBooster(in.revision.functionID, p.boost)
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
			e.becomeReady(in)
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

func (e *Engine) becomeReady(in *instance) {
	e.mu.Lock()
	defer e.mu.Unlock()
	in.ready = true
	e.feed.Emit(in.event(engine.Ready))
}

// bindOutput attributes what is printed on two streams to an instance.
func (e *Engine) bindOutput(in *instance, stdout, stderr *printed.Lines) {
	r := printed.NewRate(e.config.Now)
	stdout.Bind(in.revision.secrets, e.outputOf(in, engine.Stdout), new(printed.LastLine), r)
	stderr.Bind(in.revision.secrets, e.outputOf(in, engine.Stderr), e.config.Cause(in.revision.language), r)
}

// outputOf returns the function that reports the lines of a stream.
func (e *Engine) outputOf(in *instance, stream string) func(string) {
	logger := e.logger.With(
		"function_id", in.revision.functionID, "revision", in.revision.id, "instance", in.id, "stream", stream,
	)
	line := engine.Line{FunctionID: in.revision.functionID, RevisionID: in.revision.id, InstanceID: in.id, Stream: stream}
	return func(text string) {
		if receive := e.output.Load(); receive != nil {
			line := line
			line.Text = text
			(*receive)(line)
		}
		logger.LogAttrs(context.Background(), slog.LevelDebug, text)
	}
}
