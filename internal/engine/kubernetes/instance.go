package kubernetes

import (
	"errors"
	"fmt"
	"io"
	"sync/atomic"
	"time"

	"github.com/jeton-dev/jeton/internal/agent/parcel"
	"github.com/jeton-dev/jeton/internal/agent/wire"
	"github.com/jeton-dev/jeton/internal/engine"
	"github.com/jeton-dev/jeton/internal/engine/instances"
	"github.com/jeton-dev/jeton/internal/engine/printed"
)

// killTimeout is how long an agent has to report the end of an instance that was killed. After that
// the Pod is deleted.
const killTimeout = 5 * time.Second

// An instance is one Pod that serves a function, from its request to its end.
type instance struct {
	*instances.Instance
	revision *revision
	// session is that of its Pod, once it has one.
	session        atomic.Pointer[session]
	stdout, stderr *printed.Lines
	became         chan struct{}
	usage          usage
}

func newInstance(base *instances.Instance, r *revision) *instance {
	return &instance{
		Instance: base, revision: r, became: make(chan struct{}, 1),
		stdout: printed.New(func(string) {}), stderr: printed.New(func(string) {}),
	}
}

// address is where an instance is dialled: the engine knows its Pod.
func (in *instance) address() engine.Address {
	return engine.MustParseAddress(engine.InstanceNetwork + ":" + in.ID)
}

// execute runs the function in a Pod, and returns why it ended.
func (e *Engine) execute(in *instance) string {
	s, err := e.obtain(in)
	if in.Starting().Err() != nil {
		if s != nil {
			e.discard(s)
		}
		return instances.Stopped
	}
	if err != nil {
		return "no Pod: " + in.revision.secrets.Redact(err.Error())
	}
	defer e.discard(s)
	e.bind(in, s)
	in.session.Store(s)
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
	return e.open(in.Starting(), in.revision.kind, in.Output(engine.System))
}

// discard ends a Pod.
func (e *Engine) discard(s *session) {
	s.close()
	e.dispose(s.name, s.uid, 1)
}

// bind attributes what the launcher reports to an instance.
func (e *Engine) bind(in *instance, s *session) {
	rate := printed.NewRate(e.config.Now)
	in.stdout.Bind(in.revision.secrets, in.Output(engine.Stdout), new(printed.LastLine), rate)
	in.stderr.Bind(in.revision.secrets, in.Output(engine.Stderr), e.config.Cause(in.revision.kind.language), rate)
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
		case wire.Usage:
			return in.usage.answer(payload, containerMemory(in.revision.kind))
		}
		return fmt.Errorf("unexpected frame %q of an instance", byte(kind))
	})
}

// order sends the order of an instance, and its artifact.
func (e *Engine) order(in *instance, s *session) error {
	if err := s.conn.SendJSON(wire.Order, in.revision.task()); err != nil {
		return err
	}
	return s.conn.SendArchive(func(w io.Writer) error { return parcel.Pack(in.Starting(), in.revision.dir, w) })
}

// supervise stops an instance as requested until it has ended, and returns why it ended.
func (e *Engine) supervise(in *instance, s *session, sent <-chan error) string {
	overdue := time.NewTimer(e.config.PodTimeout)
	defer overdue.Stop()
	measure := time.NewTicker(measureInterval)
	defer measure.Stop()
	terminated, killed := in.Terminated(), in.Killed()
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
				go s.warm(in.Starting())
				continue
			}
			if failure = "send the order: " + err.Error(); in.Starting().Err() != nil {
				failure = instances.Stopped
			}
			_ = s.conn.Close()
		case <-in.became:
			ready = true
			overdue.Stop()
			in.BecomeReady(in.address())
			go e.describe(in, s)
			if leaving == nil {
				in.Leave()
			}
		case <-leaving:
			in.Output(engine.System)("the Pod is being ended: the instance gets no more calls")
			if leaving = nil; ready {
				in.Leave()
			}
		case <-measure.C:
			if ready {
				in.usage.ask(s)
			}
		case <-overdue.C:
			failure = fmt.Sprintf("did not start listening within %v", e.config.ReadyTimeout)
			kill()
		case <-terminated:
			terminated = nil
			grace = time.After(e.config.Grace)
			_ = s.conn.Send(wire.Terminate, nil)
		case <-killed:
			killed = nil
			kill()
		case <-grace:
			kill()
		case <-forced:
			_ = s.conn.Close()
		case <-s.ended:
			if leaving == nil && s.exit != nil {
				e.explain(in, s)
			}
			return e.reason(in, s, failure)
		}
	}
}

// reason returns why an instance ended whose session has ended.
func (e *Engine) reason(in *instance, s *session, failure string) string {
	in.stdout.Flush()
	in.stderr.Flush()
	reason := failure
	if reason == "" {
		reason = e.status(in, s)
	}
	if why := in.stderr.Why(in.Ready()); why != "" {
		reason += ": " + why
	}
	return reason
}

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
	reason, outOfMemory := e.lost(s)
	if outOfMemory {
		return limit
	}
	return reason
}
