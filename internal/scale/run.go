package scale

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"time"

	"github.com/jeton-dev/jeton/internal/engine"
)

// errWatchEnded is returned by Run if the engine gave up before its context.
var errWatchEnded = errors.New("the engine no longer reports its instances")

// Run follows the engine and keeps the number of instances right until ctx ends
// or the engine's watch does. Whoever waits then gets ErrClosed.
func (s *Scaler) Run(ctx context.Context) error {
	defer s.close()
	ctx, cancel := context.WithCancelCause(ctx)
	events, err := s.engine.Watch(ctx)
	if err != nil {
		cancel(nil)
		return fmt.Errorf("watch the engine: %w", err)
	}
	// Events are taken in beside the calls to the engine, for those may wait
	// for a network.
	var following sync.WaitGroup
	following.Go(func() {
		for event := range events {
			s.observe(event)
		}
		cancel(errWatchEnded)
	})
	defer following.Wait()
	defer cancel(nil)
	return s.settleTouched(ctx)
}

func (s *Scaler) settleTouched(ctx context.Context) error {
	for {
		select {
		case <-ctx.Done():
			return context.Cause(ctx)
		case <-s.wake:
			for _, r := range s.takeTouched() {
				s.settle(ctx, r)
			}
		}
	}
}

func (s *Scaler) close() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.closed = true
	for _, r := range s.revisions {
		r.endWaiting(ErrClosed)
		if r.timer != nil {
			r.timer.Stop()
		}
	}
}

func (s *Scaler) takeTouched() []*revision {
	s.mu.Lock()
	defer s.mu.Unlock()
	touched := make([]*revision, 0, len(s.touched))
	for r := range s.touched {
		touched = append(touched, r)
	}
	clear(s.touched)
	oldestFirst(touched)
	return touched
}

// An order is what to ask of the engine, after its lock has been left.
type order struct {
	// kill are instances to stop whatever they do.
	kill []string
	// scale tells whether to ask for n instances, started more than before,
	// and to have those in spare stopped.
	scale   bool
	n       int
	started int
	spare   []string
	// left are those in spare that were not there before.
	left   []string
	forget bool
}

// settle decides about a revision and asks the engine for what was decided. The
// engine never counts an instance that it was asked to stop, so instances are
// killed before the number is set, and the number is not set while one lives
// that was to be killed.
func (s *Scaler) settle(ctx context.Context, r *revision) {
	o, ok := s.order(r)
	if !ok {
		return
	}
	for len(o.kill) > 0 {
		if err := s.engine.Stop(ctx, o.kill[0]); err != nil {
			s.engineFailed(ctx, r, o, fmt.Errorf("stop instance %s: %w", o.kill[0], err))
			return
		}
		o.kill = o.kill[1:]
	}
	if o.scale {
		if err := s.engine.SetScale(ctx, r.id, o.n, o.spare); err != nil {
			s.engineFailed(ctx, r, o, fmt.Errorf("ask for %d instances: %w", o.n, err))
			return
		}
	}
	if o.forget {
		s.delete(ctx, r)
	}
}

func (s *Scaler) order(r *revision) (order, bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closed || s.revisions[r.id] != r {
		return order{}, false
	}
	now := time.Now()
	d := decide(r.state(now), s.config)
	d.start = s.grant(r, d.start, now)
	var left []string
	for _, in := range r.idle[:d.stop] {
		in.phase = leaving
		r.leaving = append(r.leaving, in)
		left = append(left, in.ID)
	}
	r.idle = r.idle[d.stop:]
	r.pending += d.start
	s.wakeAt(r, d.again)

	o := order{kill: r.discarded, n: r.live(), started: d.start, left: left}
	r.discarded = nil
	o.forget = r.retired && o.n == 0 && len(r.instances) == 0 && len(r.queue) == 0
	o.scale = !o.forget && (o.n != r.asked || d.start > 0 || d.stop > 0)
	r.asked = o.n
	for _, in := range r.leaving {
		o.spare = append(o.spare, in.ID)
	}
	return o, true
}

func (s *Scaler) delete(ctx context.Context, r *revision) {
	if err := s.engine.Delete(ctx, r.id); err != nil {
		s.engineFailed(ctx, r, order{}, fmt.Errorf("delete revision: %w", err))
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.revisions[r.id] == r {
		s.forget(r)
		close(r.forgotten)
	}
}

// engineFailed takes back what the engine did not do of an order, and has it tried
// again after a pause. What was to leave is killed then: the engine may count it
// among those that serve until it is gone, and a number that is set does not end
// it where calls have come in the meantime.
func (s *Scaler) engineFailed(ctx context.Context, r *revision, o order, err error) {
	if ctx.Err() != nil {
		return
	}
	s.logger.WarnContext(ctx, "engine failed", "revision", r.id, "error", err)
	s.mu.Lock()
	defer s.mu.Unlock()
	r.asked = -1
	r.discarded = slices.Concat(r.discarded, o.kill, o.left)
	r.pending = max(r.pending-o.started, 0)
	s.freed()
	for range o.started {
		r.startFailed(&StartError{Reason: err.Error()})
	}
	r.pause(time.Now())
	s.wakeAt(r, r.notBefore)
}

// wakeAt has the revision decided about at a time, unless that happens earlier
// anyway; the zero time is never.
func (s *Scaler) wakeAt(r *revision, at time.Time) {
	if at.IsZero() || !r.wakeAt.IsZero() && !at.Before(r.wakeAt) {
		return
	}
	r.wakeAt = at
	if r.timer == nil {
		r.timer = time.AfterFunc(time.Until(at), func() { s.wakeUp(r) })
		return
	}
	r.timer.Reset(time.Until(at))
}

func (s *Scaler) wakeUp(r *revision) {
	s.mu.Lock()
	defer s.mu.Unlock()
	r.wakeAt = time.Time{}
	s.touch(r)
}

// observe takes in what the engine reports.
func (s *Scaler) observe(event engine.Event) {
	s.mu.Lock()
	defer s.mu.Unlock()
	r := s.revisions[event.RevisionID]
	if r == nil {
		return
	}
	in := r.instances[event.InstanceID]
	if in == nil {
		if event.State == engine.Gone {
			return
		}
		in = r.begin(event.InstanceID, time.Now())
	}
	switch event.State {
	case engine.Ready:
		now := time.Now()
		if started, cold := r.becomeReady(in, event.Address, now); started {
			s.config.Observer.Started(r.id, now.Sub(in.begunAt), cold)
		}
	case engine.Gone:
		if in.phase == starting {
			s.config.Observer.StartFailed(r.id)
		}
		if reason := r.end(in, event, time.Now()); reason != "" {
			s.logger.Warn("instance ended", "revision", r.id, "instance", in.ID, "reason", reason)
		}
	}
	s.freed()
	s.touch(r)
}
