package scale

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"time"

	"github.com/jeton-dev/jeton/internal/engine"
)

// The pause before a watch is resumed doubles from shortestResume up to
// longestResume. A watch that lasted longer than longestResume resets the pause.
const (
	shortestResume = 100 * time.Millisecond
	longestResume  = 30 * time.Second
)

// lostReason is the reason of an instance that a resumed watch does not report.
const lostReason = "the engine does not report it any more"

var errWatchEnded = errors.New("the engine ended the watch")

// watch follows the engine until ctx ends. Between two watches, instances that
// were known before stay in use.
func (s *Scaler) watch(ctx context.Context) {
	for failures := 0; ; failures++ {
		begun := time.Now()
		err := s.watchOnce(ctx)
		if ctx.Err() != nil {
			return
		}
		if time.Since(begun) > longestResume {
			failures = 0
		}
		pause := backoff(failures, shortestResume, longestResume)
		s.logger.WarnContext(ctx, "watch of instances ended and will be resumed", "after", pause, "error", err)
		select {
		case <-time.After(pause):
		case <-ctx.Done():
			return
		}
	}
}

// watchOnce follows one watch until it ends.
func (s *Scaler) watchOnce(ctx context.Context) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	events, err := s.engine.Watch(ctx)
	if err != nil {
		return fmt.Errorf("watch the engine: %w", err)
	}
	// existing collects the instances before Synced: the state of the scaler
	// changes only when all of them are known.
	existing := map[string]engine.Event{}
	for event := range events {
		switch {
		case existing == nil:
			s.observe(event)
		case event.State == engine.Synced:
			s.replace(existing)
			existing = nil
		case event.State == engine.Gone:
			delete(existing, event.InstanceID)
		default:
			existing[event.InstanceID] = event
		}
	}
	return errWatchEnded
}

// replace makes the instances that exist the only ones. Other instances are gone.
func (s *Scaler) replace(existing map[string]engine.Event) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, r := range s.revisions {
		for id := range maps.Clone(r.instances) {
			if event, ok := existing[id]; !ok || event.RevisionID != r.id {
				s.apply(r, engine.Event{RevisionID: r.id, InstanceID: id, State: engine.Gone, Reason: lostReason})
			}
		}
	}
	for _, event := range existing {
		if r := s.revisions[event.RevisionID]; r != nil {
			s.apply(r, event)
		}
	}
	for _, r := range s.revisions {
		if r.pending > 0 || r.live() != r.asked {
			// Instances that were requested may have come and gone without an event:
			// request the number again.
			r.pending, r.asked = 0, -1
		}
		s.touch(r)
	}
	s.freed()
}

// observe applies an event of the engine.
func (s *Scaler) observe(event engine.Event) {
	s.mu.Lock()
	defer s.mu.Unlock()
	r := s.revisions[event.RevisionID]
	if r == nil {
		return
	}
	s.apply(r, event)
	s.freed()
	s.touch(r)
}

// apply applies an event to its revision. The caller holds the mutex and touches
// the revision.
func (s *Scaler) apply(r *revision, event engine.Event) {
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
			s.config.Observer.Started(r.id, now.Sub(in.startedAt), cold)
		}
	case engine.Leaving:
		r.depart(in)
	case engine.Gone:
		if in.phase == starting {
			s.config.Observer.StartFailed(r.id)
		}
		if reason := r.end(in, event, time.Now()); reason != "" {
			s.logger.Warn("instance ended", "revision", r.id, "instance", in.ID, "reason", reason)
		}
	}
}

// backoff returns the pause after a number of consecutive failures. It doubles from
// shortest up to longest.
func backoff(failures int, shortest, longest time.Duration) time.Duration {
	if failures >= 16 {
		return longest
	}
	return min(shortest<<failures, longest)
}
