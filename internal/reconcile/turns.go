package reconcile

import (
	"context"
	"slices"
	"sync"
)

// turns are places for work of which only so much may be done at once, handed out
// in turn to the projects that wait: one project never has more than its share, and
// no project waits behind all the work of another one. The zero value is not usable.
type turns struct {
	// most is how many places one project may have.
	most int

	mu   sync.Mutex
	free int
	has  map[string]int
	// waiting are those who wait for a place, by project, and order the projects
	// with any, the next one first.
	waiting map[string][]*waiter
	order   []string
}

type waiter struct {
	// ready is closed when the waiter has a place.
	ready chan struct{}
}

// newTurns returns so many places, of which a project may have at most so many.
func newTurns(places, most int) *turns {
	return &turns{most: max(1, most), free: max(1, places), has: map[string]int{}, waiting: map[string][]*waiter{}}
}

// take waits for a place, behind the others of the project or, with first, before
// them. The caller calls give once. Returns ctx's cause if that ended.
func (t *turns) take(ctx context.Context, project string, first bool) (give func(), err error) {
	w := &waiter{ready: make(chan struct{})}
	t.mu.Lock()
	if _, waits := t.waiting[project]; !waits {
		t.order = append(t.order, project)
	}
	if first {
		t.waiting[project] = slices.Insert(t.waiting[project], 0, w)
	} else {
		t.waiting[project] = append(t.waiting[project], w)
	}
	t.hand()
	t.mu.Unlock()
	give = sync.OnceFunc(func() { t.give(project) })
	select {
	case <-w.ready:
		return give, nil
	case <-ctx.Done():
	}
	if !t.leave(project, w) {
		give() // It was handed a place meanwhile.
	}
	return nil, context.Cause(ctx)
}

// leave takes a waiter out. It returns false for one that has a place.
func (t *turns) leave(project string, w *waiter) bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	i := slices.Index(t.waiting[project], w)
	if i < 0 {
		return false
	}
	t.waiting[project] = slices.Delete(t.waiting[project], i, i+1)
	t.forget(project)
	return true
}

// forget takes a project for which nobody waits out of the order.
func (t *turns) forget(project string) {
	if len(t.waiting[project]) > 0 {
		return
	}
	delete(t.waiting, project)
	if i := slices.Index(t.order, project); i >= 0 {
		t.order = slices.Delete(t.order, i, i+1)
	}
}

func (t *turns) give(project string) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.free++
	if t.has[project]--; t.has[project] == 0 {
		delete(t.has, project)
	}
	t.hand()
}

// hand hands out free places.
func (t *turns) hand() {
	for t.free > 0 {
		i := slices.IndexFunc(t.order, func(project string) bool { return t.has[project] < t.most })
		if i < 0 {
			return
		}
		project := t.order[i]
		w := t.waiting[project][0]
		t.waiting[project] = t.waiting[project][1:]
		t.free--
		t.has[project]++
		close(w.ready)
		// The project is the last one now, if it waits for more.
		t.order = append(slices.Delete(t.order, i, i+1), project)
		t.forget(project)
	}
}
