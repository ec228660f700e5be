package scale

import "time"

// An Observer is notified of starts of instances. The Scaler calls it with its
// mutex held: an Observer returns quickly and does not call the Scaler.
type Observer interface {
	// Started reports an instance that became ready, the duration of its start,
	// and whether a call waited for it (a cold start).
	Started(revisionID string, took time.Duration, cold bool)
	// StartFailed reports an instance that ended before it was ready.
	StartFailed(revisionID string)
}

type noObserver struct{}

func (noObserver) Started(string, time.Duration, bool) {}
func (noObserver) StartFailed(string)                  {}

// Counts are the waiting calls and the instances of one revision.
type Counts struct {
	RevisionID string
	// Waiting is the number of calls that wait for an instance.
	Waiting int
	// Starting, Idle, Busy and Leaving are the numbers of instances by state.
	// Starting includes instances that were requested and are not reported yet;
	// Leaving are the instances that are being stopped, or are after their present call.
	Starting, Idle, Busy, Leaving int
}

// Counts returns the counts of all revisions, in no particular order.
func (s *Scaler) Counts() []Counts {
	s.mu.Lock()
	defer s.mu.Unlock()
	all := make([]Counts, 0, len(s.revisions))
	for _, r := range s.revisions {
		all = append(all, Counts{
			RevisionID: r.id, Waiting: len(r.queue),
			Starting: r.notReady(), Idle: len(r.idle), Busy: r.busy, Leaving: r.departing + len(r.leaving),
		})
	}
	return all
}
