package main

import (
	"math"
	"sync"
)

// A use is one call with a token: when it was sent and answered, in nanoseconds since
// 1970, and whether it was admitted.
type use struct {
	sent, answered int64
	admitted       bool
}

// An interval is when a change was requested and answered.
type interval struct{ sent, answered int64 }

// A history is the life of one token as clients have seen it. It is safe for concurrent
// use.
type history struct {
	mu              sync.Mutex
	created, delete interval
	uses            []use
}

func (h *history) add(u use) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.uses = append(h.uses, u)
}

// regular reports whether no call was admitted that was sent after the answer to the
// deletion or answered before the request for the creation, and none was refused that was
// sent after the answer to the creation and answered before the request for the deletion.
// While a change is in progress, nodes may differ.
func (h *history) regular() bool {
	h.mu.Lock()
	defer h.mu.Unlock()
	for _, u := range h.uses {
		if u.admitted && (u.sent > h.delete.answered || u.answered < h.created.sent) {
			return false
		}
		if !u.admitted && u.sent > h.created.answered && u.answered < h.delete.sent {
			return false
		}
	}
	return true
}

// linearizable reports whether there are one instant of creation and one of deletion,
// each between its request and its answer, such that every call that was admitted, and
// every call that was refused, has an instant between its own request and answer at which
// the token existed, or did not.
func (h *history) linearizable() bool {
	h.mu.Lock()
	defer h.mu.Unlock()
	// An admitted call needs an instant after the creation and before the deletion.
	latestCreation, earliestDeletion := h.created.answered, h.delete.sent
	for _, u := range h.uses {
		if u.admitted {
			latestCreation, earliestDeletion = min(latestCreation, u.answered), max(earliestDeletion, u.sent)
		}
	}
	// The latest creation is the best: each refused call that was sent before it needs no
	// more. The others must be answered after the deletion.
	latestDeletion := h.delete.answered
	for _, u := range h.uses {
		if !u.admitted && u.sent >= latestCreation {
			latestDeletion = min(latestDeletion, u.answered)
		}
	}
	return h.created.sent <= latestCreation && earliestDeletion <= latestDeletion && h.created.sent <= latestDeletion
}

// pending is the answer of a change that was not answered.
const pending = math.MaxInt64
