package scale

import (
	"cmp"
	"errors"
	"fmt"
	"slices"
	"time"
)

// ErrNoMemory is returned for a call that found no instance of its revision, and
// no memory for one, for as long as Config.MemoryWait.
var ErrNoMemory = errors.New("no memory is free for an instance")

// DefaultMemoryWait is how long a revision without instances waits for memory.
const DefaultMemoryWait = 10 * time.Second

// shareFactor bounds a project: its instances take at most so many times what
// stays free for all others. One project alone gets 4/5 of the budget, two get 4/9
// each, and so on, so that something is always free for the next one.
const shareFactor = 4

// A usage is what instances have reserved, in bytes: each its memory limit, until
// the engine reports that it is gone.
type usage struct {
	// total is of all projects, project of one, and leaving is what of total is
	// being stopped.
	total, project, leaving int64
}

// reserved is what the instances of a revision hold of the budget.
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

// add counts one instance more.
func (u *usage) add(memory int64) {
	u.total += memory
	u.project += memory
}

// shortage is how much memory must be given back before an instance may start,
// and whether by its own project: zero if it may start now. The first instance of
// a project needs no more than room.
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
// For the first that may not, it has idle ones stopped, and the revision is looked
// at again when one is gone.
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

// block notes that a revision waits for memory. Calls without any instance to wait
// for are told so after a while.
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

// freed has the revisions that wait for memory looked at again, because an instance
// is gone or idle.
func (s *Scaler) freed() {
	for r := range s.blocked {
		s.touch(r)
	}
}

// evict stops the instances that were idle for the longest time, until they give
// so many bytes back: those of the revision's own project, or of all. No revision
// gets below its minimum.
func (s *Scaler) evict(r *revision, bytes int64, own bool) {
	for bytes > 0 {
		victim := s.longestIdle(r, own)
		if victim == nil {
			return
		}
		in := victim.idle[0]
		victim.idle = victim.idle[1:]
		in.phase = leaving
		victim.leaving = append(victim.leaving, in)
		s.touch(victim)
		bytes -= victim.limits.Memory
	}
}

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

// oldestFirst sorts revisions by how long they have waited for memory; those that
// do not wait come first.
func oldestFirst(revisions []*revision) {
	slices.SortFunc(revisions, func(a, b *revision) int {
		return cmp.Or(a.blockedSince.Compare(b.blockedSince), cmp.Compare(a.id, b.id))
	})
}
