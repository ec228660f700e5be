package scale

import "time"

// An Observer watches instances start. It is called within the Scaler's lock:
// it must be quick, and not use the Scaler.
type Observer interface {
	// Started is told of an instance that became ready, how long that took, and
	// whether it was a cold start: a call has waited for it.
	Started(revisionID string, took time.Duration, cold bool)
	// StartFailed is told of an instance that ended before it was ready.
	StartFailed(revisionID string)
}

type nobody struct{}

func (nobody) Started(string, time.Duration, bool) {}
func (nobody) StartFailed(string)                  {}

// A Census counts what there is of one revision at one moment.
type Census struct {
	RevisionID string
	// Waiting is how many calls wait for an instance.
	Waiting int
	// Starting, Idle, Busy and Leaving count the instances by state. Those that
	// were asked for and are not there yet are among those that start.
	Starting, Idle, Busy, Leaving int
}

// Census counts every revision, in no order.
func (s *Scaler) Census() []Census {
	s.mu.Lock()
	defer s.mu.Unlock()
	all := make([]Census, 0, len(s.revisions))
	for _, r := range s.revisions {
		all = append(all, Census{
			RevisionID: r.id, Waiting: len(r.queue),
			Starting: r.coming(), Idle: len(r.idle), Busy: r.busy, Leaving: len(r.leaving),
		})
	}
	return all
}
