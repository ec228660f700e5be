package reconcile

import (
	"time"

	"github.com/jeton-dev/jeton/internal/functions"
)

// launched records that the engine has a revision.
func (h *homes) launched(f functions.Function, revision functions.Revision, checking bool) {
	h.mu.Lock()
	defer h.mu.Unlock()
	p := h.at(f.ID)
	limits := limitsOf(f, revision)
	if p.serving == revision.ID {
		// The limits of a newer change must not be replaced.
		limits, checking = p.limits, false
		p.failures, p.failure = 0, nil
	}
	if p.revisions == nil {
		p.revisions = map[string]*launched{}
	}
	if !p.revisions[revision.ID].accepts() {
		p.revisions[revision.ID] = &launched{checking: checking}
	}
	h.setLimits(revision.ID, p.revisions[revision.ID], limits)
	h.look(f.ID, p)
}

// retired returns the channel of a revision that is being retired, nil otherwise.
func (h *homes) retired(functionID, revisionID string) <-chan struct{} {
	h.mu.Lock()
	defer h.mu.Unlock()
	p := h.places[functionID]
	if p == nil || p.revisions[revisionID] == nil || p.revisions[revisionID].accepts() {
		return nil
	}
	return p.revisions[revisionID].retired
}

// resumed records that a retired revision accepts calls again.
func (h *homes) resumed(functionID, revisionID string) {
	h.mu.Lock()
	defer h.mu.Unlock()
	p := h.at(functionID)
	l := p.revisions[revisionID]
	if l == nil {
		return
	}
	l.resumed = true
	if p.serving == revisionID {
		h.setLimits(revisionID, l, p.limits)
	}
	h.look(functionID, p)
}

// retire records that a revision is retired by end, which returns a channel that is closed
// when the revision has ended. Retire returns the channel the first time only.
func (h *homes) retire(functionID, revisionID string, end func(revisionID string) <-chan struct{}) (*launched, <-chan struct{}) {
	h.mu.Lock()
	defer h.mu.Unlock()
	p := h.at(functionID)
	l := p.revisions[revisionID]
	if l == nil {
		return nil, end(revisionID)
	}
	if !l.accepts() {
		return l, nil
	}
	before := l.retired
	l.retired, l.resumed = end(revisionID), false
	if before == l.retired {
		return l, nil
	}
	return l, l.retired
}

// ended records that a retired revision has ended, unless it was launched again.
func (h *homes) ended(functionID, revisionID string, l *launched) bool {
	h.mu.Lock()
	defer h.mu.Unlock()
	p := h.places[functionID]
	if p == nil || p.revisions[revisionID] != l {
		return p == nil
	}
	delete(p.revisions, revisionID)
	h.look(functionID, p)
	return true
}

// removed records that a revision was removed.
func (h *homes) removed(functionID, revisionID string) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if p := h.places[functionID]; p != nil {
		delete(p.revisions, revisionID)
		h.look(functionID, p)
	}
}

// failed records that the serving revision could not be launched. It returns the number of
// failures in a row, 0 if the revision does not serve any more, and when it is tried again.
func (h *homes) failed(functionID, revisionID string, err error) (failures int, retryIn time.Duration) {
	h.mu.Lock()
	defer h.mu.Unlock()
	p := h.at(functionID)
	if p.serving != revisionID {
		return 0, 0
	}
	retryIn = min(firstRetry<<min(p.failures, 10), lastRetry)
	p.failures++
	p.failure = err
	h.lookAfter(functionID, retryIn)
	return p.failures, retryIn
}

// waitForChange records that the database has another serving revision than the one that
// was to be launched. Its change is about to be applied.
func (h *homes) waitForChange(functionID, revisionID string) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if p := h.at(functionID); p.serving == revisionID {
		p.outdated = true
	}
}

// waitForLease makes the next call of leaseChecked look at a function again.
func (h *homes) waitForLease(functionID string) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.at(functionID).unleased = true
}

// await returns nil if the serving revision of a function accepts calls, if there is none,
// or, with an error, if it could not be launched. Otherwise the function is the next one,
// and await returns a channel that is closed when the work on it has ended.
func (h *homes) await(functionID string) (<-chan struct{}, error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	p := h.places[functionID]
	switch {
	case p == nil, p.serving == "", p.revisions[p.serving].accepts():
		return nil, nil
	case p.failure != nil && !p.working && !p.queued:
		return nil, p.failure
	}
	if !p.working && !p.outdated {
		h.push(functionID, p, true)
	}
	if p.ended == nil {
		p.ended = make(chan struct{})
	}
	return p.ended, nil
}

// deletedElsewhere reports whether another node has deleted a function.
func (h *homes) deletedElsewhere(functionID string) bool {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.places[functionID].deleted && !h.isHome(functionID)
}

// all returns the IDs of the functions of which this node is the home.
func (h *homes) all() []string {
	h.mu.Lock()
	defer h.mu.Unlock()
	var all []string
	for id, p := range h.places {
		if !p.deleted && !p.deleting && h.isHome(id) {
			all = append(all, id)
		}
	}
	return all
}
