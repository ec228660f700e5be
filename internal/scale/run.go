package scale

import (
	"context"
	"fmt"
	"slices"
	"sync"
	"time"
)

// Run watches the engine and scales revisions until ctx ends. It returns ctx's error;
// waiting calls get ErrClosed.
func (s *Scaler) Run(ctx context.Context) error {
	var working sync.WaitGroup
	defer working.Wait()
	defer s.close()
	working.Go(func() { s.watch(ctx) })
	for {
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-s.wake:
			for _, o := range s.takeOrders() {
				// A slow engine call for one revision delays no other revision.
				working.Go(func() { s.execute(ctx, o) })
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

// An order is what to request of the engine for one revision, without the mutex.
type order struct {
	revision *revision
	// kill are the IDs of instances to stop immediately.
	kill []string
	// scale reports whether to request n instances, of which started are new, and
	// to stop victims.
	scale   bool
	n       int
	started int
	victims []string
	// chosen are the victims that no earlier order stopped.
	chosen []string
	// forget reports whether to delete the revision.
	forget bool
}

// takeOrders decides about the touched revisions, those that have waited longest
// for memory first. Revisions whose previous order is being executed stay touched:
// there is one order of a revision at a time.
func (s *Scaler) takeOrders() []order {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closed {
		return nil
	}
	var touched []*revision
	for r := range s.touched {
		if !r.executing {
			touched = append(touched, r)
		}
	}
	oldestFirst(touched)
	var orders []order
	now := time.Now()
	for _, r := range touched {
		delete(s.touched, r)
		if o := s.orderFor(r, now); o.scale || o.forget || len(o.kill) > 0 {
			r.executing = true
			orders = append(orders, o)
		}
	}
	return orders
}

// mayStartInterval is the time after which Config.MayStart is asked again.
const mayStartInterval = time.Second

// orderFor decides about a revision and returns the order that follows.
func (s *Scaler) orderFor(r *revision, now time.Time) order {
	d := decide(r.state(now), s.config)
	if d.start > 0 && s.config.MayStart != nil && !s.config.MayStart() {
		d.start, d.again = 0, earliest(d.again, now.Add(mayStartInterval))
	}
	d.start = s.grant(r, d.start, now)
	for _, in := range r.idle[:d.stop] {
		r.leave(in)
	}
	r.idle = r.idle[d.stop:]
	r.pending += d.start
	s.wakeAt(r, d.again)

	o := order{revision: r, kill: r.discarded, n: r.live(), started: d.start}
	r.discarded = nil
	o.forget = r.retired && o.n == 0 && len(r.instances) == 0 && len(r.queue) == 0
	r.deleting = r.deleting || o.forget
	for _, in := range r.leaving {
		o.victims = append(o.victims, in.ID)
		if !in.stopping {
			o.chosen = append(o.chosen, in.ID)
		}
	}
	o.scale = !o.forget && (o.n != r.asked || d.start > 0 || len(o.chosen) > 0)
	r.asked = o.n
	return o
}

// execute requests an order of the engine, and then allows the next order of the
// revision.
func (s *Scaler) execute(ctx context.Context, o order) {
	err := s.request(ctx, &o)
	s.mu.Lock()
	defer s.mu.Unlock()
	r := o.revision
	r.executing = false
	switch {
	case err != nil && ctx.Err() == nil:
		s.engineFailed(r, o, err)
	case err == nil && o.forget && s.revisions[r.id] == r:
		s.forget(r)
		close(r.forgotten)
	case err == nil && o.scale:
		for _, id := range o.chosen {
			if in := r.instances[id]; in != nil {
				in.stopping = true
			}
		}
	}
	if _, ok := s.touched[r]; ok {
		s.touch(r)
	}
}

// request requests an order of the engine. Instances are killed before the number
// is set, and the number is not set if one of them cannot be killed: the engine
// stops counting an instance when it is stopped. What was done is removed from
// the order.
func (s *Scaler) request(ctx context.Context, o *order) error {
	for len(o.kill) > 0 {
		if err := s.engine.Stop(ctx, o.kill[0]); err != nil {
			return fmt.Errorf("stop instance %s: %w", o.kill[0], err)
		}
		o.kill = o.kill[1:]
	}
	if o.scale {
		if err := s.engine.SetScale(ctx, o.revision.id, o.n, o.victims); err != nil {
			return fmt.Errorf("request %d instances: %w", o.n, err)
		}
	}
	if o.forget {
		if err := s.engine.Delete(ctx, o.revision.id); err != nil {
			return fmt.Errorf("delete revision: %w", err)
		}
	}
	return nil
}

// engineFailed reverts the part of an order that the engine did not execute, and
// schedules the next try. Victims of the order are killed then: the engine may
// count them as serving until they are gone, and SetScale does not stop them if
// the number has grown meanwhile.
func (s *Scaler) engineFailed(r *revision, o order, err error) {
	s.logger.Warn("engine failed", "revision", r.id, "error", err)
	r.asked = -1
	r.discarded = slices.Concat(r.discarded, o.kill, o.chosen)
	r.pending = max(r.pending-o.started, 0)
	if o.started > 0 {
		s.freed()
	}
	for range o.started {
		r.startFailed(&StartError{Reason: err.Error()})
	}
	r.pause(time.Now())
	s.wakeAt(r, r.notBefore)
}

// wakeAt schedules the next decision about a revision, unless one is scheduled
// earlier. The zero time means never.
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
