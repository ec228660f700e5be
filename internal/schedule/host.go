package schedule

import (
	"sync"

	"github.com/jeton-dev/jeton/internal/functions"
)

// hosts maps the IDs of functions to their hostnames. The zero value is empty. All
// methods are safe for concurrent use.
type hosts struct {
	mu   sync.Mutex
	byID map[string]string
}

func (h *hosts) apply(f functions.Function, deleted bool) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if deleted {
		delete(h.byID, f.ID)
		return
	}
	if h.byID == nil {
		h.byID = map[string]string{}
	}
	h.byID[f.ID] = f.DomainName
}

// replace replaces the whole map.
func (h *hosts) replace(byID map[string]string) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.byID = byID
}

// of returns the hostname of a function, or "" if it is unknown.
func (h *hosts) of(functionID string) string {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.byID[functionID]
}
