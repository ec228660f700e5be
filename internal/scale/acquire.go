package scale

import (
	"context"
	"slices"
	"time"
)

// Acquire returns an idle instance of the revision, or waits for one. The caller
// returns it with Release or Discard, once. Returns ErrUnknownRevision,
// ErrQueueFull, ErrNoMemory, a *StartError, ErrClosed or ctx's error.
func (s *Scaler) Acquire(ctx context.Context, revisionID string) (*Instance, error) {
	s.mu.Lock()
	r, err := s.active(revisionID)
	if err != nil {
		s.mu.Unlock()
		return nil, err
	}
	if in := r.take(); in != nil {
		s.mu.Unlock()
		return in, nil
	}
	if len(r.queue) >= s.config.Queue {
		s.mu.Unlock()
		return nil, ErrQueueFull
	}
	w := newWaiter()
	r.queue = append(r.queue, w)
	s.touch(r)
	s.mu.Unlock()
	return s.wait(ctx, r, w)
}

// TryAcquire returns an idle instance of the revision like Acquire, or nil if Acquire
// would wait or fail.
func (s *Scaler) TryAcquire(revisionID string) *Instance {
	s.mu.Lock()
	defer s.mu.Unlock()
	r, err := s.active(revisionID)
	if err != nil {
		return nil
	}
	return r.take()
}

// Warm returns when an instance of the revision is ready, and starts one if there
// is none. It returns the errors of Acquire except ErrQueueFull.
func (s *Scaler) Warm(ctx context.Context, revisionID string) error {
	s.mu.Lock()
	r, err := s.active(revisionID)
	if err != nil || r.ready() {
		s.mu.Unlock()
		return err
	}
	w := newWaiter()
	r.warming = append(r.warming, w)
	s.touch(r)
	s.mu.Unlock()
	_, err = s.wait(ctx, r, w)
	return err
}

// Release returns an instance after a call. It does nothing for an instance that is
// gone or was returned before.
func (s *Scaler) Release(in *Instance) {
	s.mu.Lock()
	defer s.mu.Unlock()
	r := in.revision
	if in.phase == departing {
		r.remove(in)
		r.leave(in)
		s.touch(r)
		return
	}
	if in.phase != busy {
		return
	}
	r.busy--
	in.cold = false
	now := time.Now()
	r.offer(in, now)
	if in.phase != idle {
		return
	}
	s.freed()
	if s.idleNeedsWake(r, now) {
		s.touch(r)
	}
}

// Discard returns an instance that must not serve again, because its call timed
// out or its connection broke. The instance is stopped immediately.
func (s *Scaler) Discard(in *Instance) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if in.phase != busy && in.phase != departing {
		return
	}
	r := in.revision
	r.remove(in)
	r.leave(in)
	in.stopping = true
	r.discarded = append(r.discarded, in.ID)
	s.touch(r)
}

// active returns a revision that accepts new calls.
func (s *Scaler) active(revisionID string) (*revision, error) {
	if s.closed {
		return nil, ErrClosed
	}
	r := s.revisions[revisionID]
	if r == nil || r.retired {
		return nil, ErrUnknownRevision
	}
	return r, nil
}

func (s *Scaler) wait(ctx context.Context, r *revision, w *waiter) (*Instance, error) {
	select {
	case o := <-w.outcome:
		return o.instance, o.err
	case <-ctx.Done():
	}
	if !s.giveUp(r, w) {
		// An outcome was sent before giveUp: its instance must not be lost.
		if o := <-w.outcome; o.instance != nil {
			s.Release(o.instance)
		}
	}
	return nil, ctx.Err()
}

// giveUp removes a waiter, and returns false if an outcome was sent to it before.
func (s *Scaler) giveUp(r *revision, w *waiter) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	before := len(r.queue) + len(r.warming)
	is := func(other *waiter) bool { return other == w }
	r.queue = slices.DeleteFunc(r.queue, is)
	r.warming = slices.DeleteFunc(r.warming, is)
	s.touch(r)
	return len(r.queue)+len(r.warming) < before
}

// idleNeedsWake reports whether an instance that became idle now may have to be
// stopped before the next scheduled decision. Under steady load it never has, so
// that Release costs no more than a lock.
func (s *Scaler) idleNeedsWake(r *revision, now time.Time) bool {
	switch n := r.live(); {
	case r.retired, n > r.limits.Max:
		return true
	case n <= r.limits.Min:
		return false
	default:
		return r.wakeAt.IsZero() || n > 1 && r.wakeAt.After(now.Add(s.config.IdleToOne))
	}
}
