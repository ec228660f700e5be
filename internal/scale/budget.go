package scale

import (
	"cmp"
	"errors"
	"fmt"
	"slices"
	"time"
)

// ErrNoMemory is returned for a call whose revision had no instance, and no memory
// for one, for Config.MemoryWait.
var ErrNoMemory = errors.New("no memory is free for an instance")

// DefaultMemoryWait is the default of Config.MemoryWait.
const DefaultMemoryWait = 10 * time.Second

// shareFactor bounds the memory of a project: at most this many times the memory
// that stays free for all others. One project alone gets 4/5 of the budget, two
// projects get 4/9 each, and so on, so that a further project always finds memory.
const shareFactor = 4

// A usage is the memory that instances reserve, in bytes: each its memory limit,
// from the request until the engine reports that it is gone.
type usage struct {
	// total is the memory of all projects, project that of one project, and
	// leaving the part of total whose instances are being stopped.
	total, project, leaving int64
}

// reserved returns the memory that the instances of a revision reserve.
func (r *revision) reserved() int64 {
	return r.limits.Memory * int64(len(r.instances)+r.pending)
}

func (s *Scaler) usage(project string) usage {
	var u usage
	for _, r := range s.revisions {
		u.total += r.reserved()
		u.leaving += r.limits.Memory * int64(len(r.leaving))
		if r.limits.Project == project {
			u.project += r.reserved()
		}
	}
	return u
}

// add adds one instance.
func (u *usage) add(memory int64) {
	u.total += memory
	u.project += memory
}

// shortage returns how much memory must be freed before an instance may start, and
// whether its own project must free it; zero if the instance may start now. The
// share of a project does not bound its first instance.
func (u usage) shortage(memory, budget int64) (bytes int64, own bool) {
	over := u.project + memory - shareFactor*(budget-u.total-memory)
	switch {
	case u.total+memory > budget && u.project == 0:
		return u.total + memory - budget, false
	case u.project > 0 && over > 0:
		return (over + shareFactor) / (shareFactor + 1), true
	}
	return 0, false
}

// grant returns how many of n instances of a revision may start within the budget.
// If that is fewer than n, it stops idle instances, and the revision is decided
// about again when one is gone.
func (s *Scaler) grant(r *revision, n int, now time.Time) int {
	memory := r.limits.Memory
	if s.config.Memory <= 0 || memory <= 0 || n == 0 {
		s.unblock(r)
		return n
	}
	if memory > s.config.Memory {
		r.endWaiting(&StartError{Reason: fmt.Sprintf("its memory limit of %d MB is above the %d MB that all instances may take together: "+
			"lower it, or raise --instances-memory", memory>>20, s.config.Memory>>20)})
		return 0
	}
	u := s.usage(r.limits.Project)
	for granted := range n {
		short, own := u.shortage(memory, s.config.Memory)
		if short > 0 {
			s.block(r, now)
			if len(r.queue)+len(r.warming) > 0 {
				s.evict(r, short-u.leaving, own)
			}
			return granted
		}
		u.add(memory)
	}
	s.unblock(r)
	return n
}

// block records that a revision waits for memory. If it has no instances, its
// calls get ErrNoMemory after Config.MemoryWait.
func (s *Scaler) block(r *revision, now time.Time) {
	if r.blockedSince.IsZero() {
		r.blockedSince = now
		s.blocked[r] = struct{}{}
	}
	if r.live() > 0 {
		return
	}
	if until := r.blockedSince.Add(s.config.MemoryWait); now.Before(until) {
		s.wakeAt(r, until)
		return
	}
	r.endWaiting(ErrNoMemory)
	s.unblock(r)
}

func (s *Scaler) unblock(r *revision) {
	r.blockedSince = time.Time{}
	delete(s.blocked, r)
}

// freed touches the revisions that wait for memory, because an instance is gone or
// idle.
func (s *Scaler) freed() {
	if len(s.blocked) == 0 {
		return
	}
	for r := range s.blocked {
		s.touch(r)
	}
}

// evict stops instances, those that were idle longest first, until they free the
// given number of bytes: instances of the revision's own project, or of all
// projects. No revision gets below its minimum.
func (s *Scaler) evict(r *revision, bytes int64, own bool) {
	for bytes > 0 {
		victim := s.longestIdle(r, own)
		if victim == nil {
			return
		}
		in := victim.idle[0]
		victim.idle = victim.idle[1:]
		victim.leave(in)
		s.touch(victim)
		bytes -= victim.limits.Memory
	}
}

// longestIdle returns the revision, other than r, with the instance that was idle
// longest and may be stopped; nil if there is none.
func (s *Scaler) longestIdle(r *revision, own bool) *revision {
	var found *revision
	for _, other := range s.revisions {
		switch {
		case other == r, len(other.idle) == 0, other.limits.Memory == 0, own && other.limits.Project != r.limits.Project:
		case other.live() <= other.limits.Min && !other.retired:
		case found == nil, other.idle[0].idleSince.Before(found.idle[0].idleSince):
			found = other
		}
	}
	return found
}

// oldestFirst sorts revisions by the time since which they wait for memory; those
// that do not wait come first.
func oldestFirst(revisions []*revision) {
	slices.SortFunc(revisions, func(a, b *revision) int {
		return cmp.Or(a.blockedSince.Compare(b.blockedSince), cmp.Compare(a.id, b.id))
	})
}
