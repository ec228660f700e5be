package reconcile

import (
	"context"
	"slices"
	"sync"
)

// slots limits concurrent work. Free slots go to the waiting projects in turn, and no
// project gets more than its share, so that none waits for all the work of another.
// All methods are safe for concurrent use.
type slots struct {
	// share is the number of slots that one project may have.
	share int

	mu   sync.Mutex
	free int
	// used is the number of slots by project.
	used map[string]int
	// waiting has the waiters by project, and order the projects that have waiters,
	// the next one first.
	waiting map[string][]*waiter
	order   []string
}

type waiter struct {
	// ready is closed when the waiter has a slot.
	ready chan struct{}
}

// newSlots returns count slots. One project may have share of them. Both are at least
// one.
func newSlots(count, share int) *slots {
	return &slots{share: max(1, share), free: max(1, count), used: map[string]int{}, waiting: map[string][]*waiter{}}
}

// acquire waits for a slot, behind the other waiters of the project or, with first,
// before them. The caller calls release, which may be called several times. Returns
// the cause of ctx if that ends.
func (s *slots) acquire(ctx context.Context, project string, first bool) (release func(), err error) {
	w := &waiter{ready: make(chan struct{})}
	s.mu.Lock()
	if _, waits := s.waiting[project]; !waits {
		s.order = append(s.order, project)
	}
	if first {
		s.waiting[project] = slices.Insert(s.waiting[project], 0, w)
	} else {
		s.waiting[project] = append(s.waiting[project], w)
	}
	s.assign()
	s.mu.Unlock()
	release = sync.OnceFunc(func() { s.release(project) })
	select {
	case <-w.ready:
		return release, nil
	case <-ctx.Done():
	}
	if !s.cancel(project, w) {
		release() // The waiter got a slot at the same time.
	}
	return nil, context.Cause(ctx)
}

// cancel removes a waiter. It returns false if the waiter has a slot.
func (s *slots) cancel(project string, w *waiter) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	i := slices.Index(s.waiting[project], w)
	if i < 0 {
		return false
	}
	s.waiting[project] = slices.Delete(s.waiting[project], i, i+1)
	s.removeIdle(project)
	return true
}

// removeIdle removes a project without waiters from the order.
func (s *slots) removeIdle(project string) {
	if len(s.waiting[project]) > 0 {
		return
	}
	delete(s.waiting, project)
	if i := slices.Index(s.order, project); i >= 0 {
		s.order = slices.Delete(s.order, i, i+1)
	}
}

func (s *slots) release(project string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.free++
	if s.used[project]--; s.used[project] == 0 {
		delete(s.used, project)
	}
	s.assign()
}

// assign gives free slots to waiters.
func (s *slots) assign() {
	for s.free > 0 {
		i := slices.IndexFunc(s.order, func(project string) bool { return s.used[project] < s.share })
		if i < 0 {
			return
		}
		project := s.order[i]
		w := s.waiting[project][0]
		s.waiting[project] = s.waiting[project][1:]
		s.free--
		s.used[project]++
		close(w.ready)
		// If the project has other waiters, its next turn is after all others.
		s.order = append(slices.Delete(s.order, i, i+1), project)
		s.removeIdle(project)
	}
}
