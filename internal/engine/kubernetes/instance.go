package kubernetes

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"strings"
	"time"

	"github.com/jeton-dev/jeton/internal/agent/parcel"
	"github.com/jeton-dev/jeton/internal/agent/wire"
	"github.com/jeton-dev/jeton/internal/engine"
	"github.com/jeton-dev/jeton/internal/engine/printed"
)

// killTimeout is how long an agent has to report the end of an instance that was killed. After that
// the Pod is deleted.
const killTimeout = 5 * time.Second

// An instance is one Pod that serves a function, from its request to its end.
type instance struct {
	id       string
	revision *revision

	// The engine's mutex guards the following fields.
	stopping bool
	ready    bool
	leaving  bool
	session  *session

	// starting ends when the instance is stopped: until then it waits for a Pod.
	starting       context.Context
	stopStart      context.CancelFunc
	stops          chan wire.Kind
	stdout, stderr *printed.Lines
	became         chan struct{}
	// ended is closed after the event Gone.
	ended chan struct{}
}

func newInstance(ctx context.Context, id string, r *revision) *instance {
	in := &instance{
		id: id, revision: r, stops: make(chan wire.Kind, 8), became: make(chan struct{}, 1), ended: make(chan struct{}),
		stdout: printed.New(func(string) {}), stderr: printed.New(func(string) {}),
	}
	in.starting, in.stopStart = context.WithCancel(ctx)
	return in
}

// terminate stops the instance gracefully. The caller holds the engine's mutex.
func (in *instance) terminate() { in.stopWith(wire.Terminate) }

// kill stops the instance immediately. The caller holds the engine's mutex.
func (in *instance) kill() { in.stopWith(wire.Kill) }

func (in *instance) stopWith(kind wire.Kind) {
	in.stopping = true
	in.stopStart()
	select {
	case in.stops <- kind:
	default: // It is being stopped already.
	}
}

func (in *instance) event(state engine.State) engine.Event {
	event := engine.Event{RevisionID: in.revision.ID, InstanceID: in.id, State: state}
	if state == engine.Ready {
		event.Address = engine.MustParseAddress(engine.InstanceNetwork + ":" + in.id)
	}
	return event
}

// run runs an instance from its start to its end.
func (e *Engine) run(in *instance) {
	defer in.stopStart()
	reason := e.unasked(in, e.execute(in))
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

// errStopped is the result of an instance that was stopped before it had a Pod.
var errStopped = errors.New("it was stopped")

// unasked returns the reason of an end, or "" if the instance ended because it was stopped: a caller
// who noticed a crash may have stopped the instance first.
func (e *Engine) unasked(in *instance, reason string) string {
	e.mu.Lock()
	defer e.mu.Unlock()
	status, _, _ := strings.Cut(reason, ":")
	switch status {
	case "exit status 0", "killed by signal 15", "killed by signal 9", errStopped.Error():
		if in.stopping {
			return ""
		}
	}
	return reason
}

// execute runs the function in a Pod, and returns why it ended.
func (e *Engine) execute(in *instance) string {
	s, err := e.obtain(in)
	if in.starting.Err() != nil {
		if s != nil {
			e.discard(s)
		}
		return errStopped.Error()
	}
	if err != nil {
		return "no Pod: " + in.revision.secrets.Redact(err.Error())
	}
	defer e.discard(s)
	e.bind(in, s)
	e.mu.Lock()
	in.session = s
	e.mu.Unlock()
	sent := make(chan error, 1)
	go func() { sent <- e.order(in, s) }()
	return e.supervise(in, s, sent)
}

// obtain returns a warm Pod, or a new one.
func (e *Engine) obtain(in *instance) (*session, error) {
	for s := e.pool.claim(in.revision.kind); s != nil; s = e.pool.claim(in.revision.kind) {
		if s.stays() {
			return s, nil
		}
		e.discard(s)
	}
	return e.open(in.starting, in.revision.kind, func(text string) { e.outputOf(in, engine.System)(text) })
}

// discard ends a Pod.
func (e *Engine) discard(s *session) {
	s.close()
	e.dispose(s.name, s.uid, 1)
}

// bind attributes what the launcher reports to an instance.
func (e *Engine) bind(in *instance, s *session) {
	rate := printed.NewRate(e.config.Now)
	in.stdout.Bind(in.revision.secrets, e.outputOf(in, engine.Stdout), new(printed.LastLine), rate)
	in.stderr.Bind(in.revision.secrets, e.outputOf(in, engine.Stderr), e.config.Cause(in.revision.kind.language), rate)
	s.bind(func(kind wire.Kind, payload []byte) error {
		switch kind {
		case wire.Stdout:
			_, err := in.stdout.Write(payload)
			return err
		case wire.Stderr:
			_, err := in.stderr.Write(payload)
			return err
		case wire.Ready:
			select {
			case in.became <- struct{}{}:
				return nil
			default:
				return errors.New("the instance is ready twice")
			}
		}
		return fmt.Errorf("unexpected frame %q of an instance", byte(kind))
	})
}

// order sends the order of an instance, and its artifact.
func (e *Engine) order(in *instance, s *session) error {
	if err := s.conn.SendJSON(wire.Order, in.revision.task()); err != nil {
		return err
	}
	return s.conn.SendArchive(func(w io.Writer) error { return parcel.Pack(in.starting, in.revision.dir, w) })
}

// supervise stops an instance as requested until it has ended, and returns why it ended.
func (e *Engine) supervise(in *instance, s *session, sent <-chan error) string {
	overdue := time.NewTimer(e.config.PodTimeout)
	defer overdue.Stop()
	var grace, forced <-chan time.Time
	failure, ready, leaving := "", false, s.leaving
	kill := func() {
		_ = s.conn.Send(wire.Kill, nil)
		if forced == nil {
			forced = time.After(killTimeout)
		}
	}
	for {
		select {
		case err := <-sent:
			if sent = nil; err == nil {
				if !ready {
					overdue.Reset(e.config.ReadyTimeout)
				}
				go s.warm(in.starting)
				continue
			}
			if failure = "send the order: " + err.Error(); in.starting.Err() != nil {
				failure = errStopped.Error()
			}
			_ = s.conn.Close()
		case <-in.became:
			ready = true
			overdue.Stop()
			e.becomeReady(in)
			go e.describe(in, s)
			if leaving == nil {
				e.leave(in)
			}
		case <-leaving:
			if leaving = nil; ready {
				e.leave(in)
			}
		case <-overdue.C:
			failure = fmt.Sprintf("did not start listening within %v", e.config.ReadyTimeout)
			kill()
		case stop := <-in.stops:
			if stop == wire.Kill {
				kill()
			} else if grace == nil {
				grace = time.After(e.config.Grace)
				_ = s.conn.Send(wire.Terminate, nil)
			}
		case <-grace:
			kill()
		case <-forced:
			_ = s.conn.Close()
		case <-s.ended:
			return e.reason(in, s, failure)
		}
	}
}

// reason returns why an instance ended whose session has ended.
func (e *Engine) reason(in *instance, s *session, failure string) string {
	in.stdout.Flush()
	in.stderr.Flush()
	e.mu.Lock()
	ready := in.ready
	e.mu.Unlock()
	reason := failure
	if reason == "" {
		reason = e.status(in, s)
	}
	if why := in.stderr.Why(ready); why != "" {
		reason += ": " + why
	}
	return reason
}

// deleted is the reason of an instance whose Pod was deleted by others.
const deleted = "the Pod was deleted: its Kubernetes node is drained or gone, or someone has deleted it"

// status returns how the program of an instance ended.
func (e *Engine) status(in *instance, s *session) string {
	limit := fmt.Sprintf("out of memory: it took more than the limit of %d MB", in.revision.MemoryLimit)
	if s.exit != nil {
		switch {
		case s.exit.OutOfMemory:
			return limit
		case s.exit.Failure != "":
			return in.revision.secrets.Redact(s.exit.Failure)
		}
		return s.exit.Status
	}
	// The status of the container says more than the connection, but comes later.
	changes, end := e.view.watch(s.name)
	defer end()
	ctx, cancel := context.WithTimeout(e.ctx, statusDelay)
	defer cancel()
	pod, err := e.view.await(ctx, e.config.Namespace, s.name, s.uid, changes, ended)
	switch {
	case err == nil && outOfMemory(pod):
		return limit
	case err == nil && pod.DeletionTimestamp != nil:
		return deleted + disruption(pod)
	case err == nil:
		return "the Pod has ended: " + endOf(pod)
	}
	pod = e.view.get(e.config.Namespace, s.name, s.uid)
	if pod == nil || pod.DeletionTimestamp != nil {
		return deleted + disruption(pod)
	}
	return fmt.Sprintf("the connection to the Pod %s is lost: %v", s.name, s.err)
}

func (e *Engine) becomeReady(in *instance) {
	e.mu.Lock()
	defer e.mu.Unlock()
	in.ready = true
	e.feed.Emit(in.event(engine.Ready))
}

// leave reports that Kubernetes ends the Pod of a ready instance.
func (e *Engine) leave(in *instance) {
	e.outputOf(in, engine.System)("the Pod is being ended: the instance gets no more calls")
	e.mu.Lock()
	defer e.mu.Unlock()
	in.leaving = true
	e.feed.Emit(in.event(engine.Leaving))
}

// outputOf returns the function that reports the lines of a stream.
func (e *Engine) outputOf(in *instance, stream string) func(string) {
	logger := e.config.Log.With(
		"function_id", in.revision.FunctionID, "revision", in.revision.ID, "instance", in.id, "stream", stream,
	)
	line := engine.Line{FunctionID: in.revision.FunctionID, RevisionID: in.revision.ID, InstanceID: in.id, Stream: stream}
	return func(text string) {
		if receive := e.output.Load(); receive != nil {
			line := line
			line.Text = text
			(*receive)(line)
		}
		logger.LogAttrs(context.Background(), slog.LevelDebug, text)
	}
}
