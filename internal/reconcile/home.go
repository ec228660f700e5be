package reconcile

import (
	"maps"
	"slices"
	"sync"
	"time"

	"github.com/jeton-dev/jeton/internal/functions"
	"github.com/jeton-dev/jeton/internal/scale"
)

// A place is what this node has of a function.
type place struct {
	// serving is the ID of the revision to which calls go, "" if the function has none or
	// is being deleted, and limits are those of its instances.
	serving string
	limits  scale.Limits
	// deleting means that the function is being deleted, and deleted that it does not exist.
	deleting, deleted bool
	// revisions are those that the engine of this node has, by ID.
	revisions map[string]*launched
	// failures counts the failed launches of the serving revision in a row, and failure is
	// the last one.
	failures int
	failure  error
	// queued means that the function waits in homes.order, and working that converge runs.
	queued, working, again bool
	// left is when this node was first seen not to be the home of a function that it has
	// launched.
	left time.Time
	// unleased means that the launch waits for the lease.
	unleased bool
	// outdated means that the database has another serving revision, whose change was not
	// applied yet.
	outdated bool
	// ended is closed when converge has ended or a change was applied; nil if no call waits.
	ended chan struct{}
}

// A launched revision may have instances.
type launched struct {
	// checking means that the revision belongs to a deployment in progress.
	checking bool
	limits   scale.Limits
	// retired is closed when the revision has ended after its calls; nil if it was never
	// retired. resumed means that it accepts calls again.
	retired <-chan struct{}
	resumed bool
}

// accepts reports whether the revision accepts new calls.
func (l *launched) accepts() bool { return l != nil && (l.retired == nil || l.resumed) }

// homes are the functions, and what this node has of them. All methods are safe for
// concurrent use.
type homes struct {
	// isHome reports whether this node is the home of a function.
	isHome func(functionID string) bool
	// set changes the limits of a revision.
	set func(revisionID string, limits scale.Limits)

	mu     sync.Mutex
	places map[string]*place
	// order has the functions whose place must change, the next one first.
	order []string
	wake  chan struct{}
	// moved means that all places must be compared with the homes.
	moved bool
}

func newHomes(isHome func(string) bool, set func(string, scale.Limits)) *homes {
	return &homes{isHome: isHome, set: set, places: map[string]*place{}, wake: make(chan struct{}, 1)}
}

func limitsOf(f functions.Function, revision functions.Revision) scale.Limits {
	return scale.Limits{Min: f.MinScale, Max: f.MaxScale, Memory: int64(revision.MemoryLimit) << 20, Project: f.ProjectID}
}

// apply applies a change of a function. New limits take effect at once.
func (h *homes) apply(f functions.Function, deleted bool) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.applyLocked(f, deleted)
}

func (h *homes) applyLocked(f functions.Function, deleted bool) {
	p := h.at(f.ID)
	before := p.serving
	p.outdated = false
	p.wake()
	p.serving, p.deleting, p.deleted = "", f.Status == functions.Deleting, deleted
	if f.Revision != nil && !deleted && !p.deleting {
		p.serving, p.limits = f.Revision.ID, limitsOf(f, *f.Revision)
		if l := p.revisions[p.serving]; l.accepts() {
			l.checking = false
			h.setLimits(p.serving, l, p.limits)
		}
	}
	if before != p.serving {
		p.failures, p.failure = 0, nil
	}
	h.look(f.ID, p)
}

// wake makes the calls that wait look again. It is called with mu held.
func (p *place) wake() {
	if p.ended != nil {
		close(p.ended)
		p.ended = nil
	}
}

// setLimits changes the limits of a revision if necessary. It is called with mu held.
func (h *homes) setLimits(revisionID string, l *launched, limits scale.Limits) {
	if l.limits != limits {
		l.limits = limits
		h.set(revisionID, limits)
	}
}

// at returns the place of a function. It is called with mu held.
func (h *homes) at(functionID string) *place {
	p := h.places[functionID]
	if p == nil {
		p = &place{}
		h.places[functionID] = p
	}
	return p
}

// look queues a function if its place must change. It is called with mu held.
func (h *homes) look(functionID string, p *place) {
	if p.deleted && len(p.revisions) == 0 && !p.working && !p.queued {
		// Only its logs are left at this node.
		h.push(functionID, p, false)
		return
	}
	if len(h.changes(functionID, p)) > 0 {
		h.push(functionID, p, false)
	}
}

// push queues a function or, with first, makes it the next one. It is called with mu held.
func (h *homes) push(functionID string, p *place, first bool) {
	switch {
	case p.working:
		p.again = true
		return
	case p.queued && !first:
		return
	case p.queued:
		h.order = slices.DeleteFunc(h.order, func(id string) bool { return id == functionID })
	}
	p.queued = true
	if first {
		h.order = slices.Insert(h.order, 0, functionID)
	} else {
		h.order = append(h.order, functionID)
	}
	h.signal()
}

func (h *homes) signal() {
	select {
	case h.wake <- struct{}{}:
	default:
	}
}

// An action changes what this node has of a function.
type action struct {
	do         verb
	revisionID string
}

type verb int

const (
	// launch launches the serving revision, or resumes it.
	launch verb = iota
	// retire ends a revision when its calls have ended, and remove at once.
	retire
	remove
)

// changes returns what must change at this node. The deployment of a function at its home
// replaces revisions itself, and its deletion removes them. It is called with mu held.
func (h *homes) changes(functionID string, p *place) []action {
	home := h.isHome(functionID)
	departed := h.departed(functionID, p, home)
	var all []action
	if home && p.serving != "" && !p.revisions[p.serving].accepts() {
		all = append(all, action{launch, p.serving})
	}
	for _, id := range slices.Sorted(maps.Keys(p.revisions)) {
		l := p.revisions[id]
		switch {
		case p.deleted, p.deleting && !home:
			all = append(all, action{remove, id})
		case l.accepts() && (departed || home && p.serving != "" && id != p.serving && !l.checking):
			all = append(all, action{retire, id})
		}
	}
	return all
}

// departure is how long a node that is not the home any more accepts calls: those that had
// reached it before may still send their bodies.
const departure = 5 * time.Second

// departed reports whether revisions must be retired because another node is the home. It is
// called with mu held.
func (h *homes) departed(functionID string, p *place, home bool) bool {
	if home || len(p.revisions) == 0 {
		p.left = time.Time{}
		return false
	}
	if p.left.IsZero() {
		p.left = time.Now()
		h.lookAfter(functionID, departure)
	}
	return time.Since(p.left) >= departure
}

// lookAfter looks at a function again after a while.
func (h *homes) lookAfter(functionID string, after time.Duration) {
	time.AfterFunc(after, func() {
		h.mu.Lock()
		defer h.mu.Unlock()
		if p := h.places[functionID]; p != nil {
			h.look(functionID, p)
		}
	})
}

// homesChanged makes the next call of next compare all places.
func (h *homes) homesChanged() {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.moved = true
	h.signal()
}

// leaseChecked queues the functions whose launch waits for the lease.
func (h *homes) leaseChecked() {
	h.mu.Lock()
	defer h.mu.Unlock()
	for id, p := range h.places {
		if p.unleased {
			p.unleased = false
			h.look(id, p)
		}
	}
}

// next returns a function whose place must change, and what must change. It returns false
// if there is none.
func (h *homes) next() (functionID string, all []action, ok bool) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.moved {
		h.moved = false
		for id, p := range h.places {
			h.look(id, p)
		}
	}
	if len(h.order) == 0 {
		return "", nil, false
	}
	functionID = h.order[0]
	h.order = h.order[1:]
	p := h.places[functionID]
	p.queued, p.working, p.again = false, true, false
	if len(h.order) > 0 {
		h.signal()
	}
	return functionID, h.changes(functionID, p), true
}

// done ends the work on a function, which next has returned.
func (h *homes) done(functionID string) {
	h.mu.Lock()
	defer h.mu.Unlock()
	p := h.places[functionID]
	p.working = false
	p.wake()
	switch {
	case p.again:
		p.again = false
		h.look(functionID, p)
	case p.deleted && len(p.revisions) == 0:
		delete(h.places, functionID)
	}
}

// replace applies all functions of a snapshot. Other functions are deleted.
func (h *homes) replace(all []functions.Function) {
	h.mu.Lock()
	defer h.mu.Unlock()
	exists := make(map[string]bool, len(all))
	for _, f := range all {
		exists[f.ID] = true
		h.applyLocked(f, false)
	}
	for id := range maps.Clone(h.places) {
		if !exists[id] {
			h.applyLocked(functions.Function{ID: id}, true)
		}
	}
}

// count returns the number of functions of which this node is the home.
func (h *homes) count() int {
	h.mu.Lock()
	defer h.mu.Unlock()
	n := 0
	for id, p := range h.places {
		if !p.deleted && h.isHome(id) {
			n++
		}
	}
	return n
}
