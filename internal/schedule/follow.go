package schedule

import (
	"context"
	"sync"
	"time"

	"github.com/jeton-dev/jeton/internal/functions"
)

// hosts are where functions are called. The zero value is empty.
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

// replace puts other hosts in the place of all.
func (h *hosts) replace(byID map[string]string) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.byID = byID
}

func (h *hosts) of(functionID string) string {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.byID[functionID]
}

// wake tells a loop that sleeps in rest that there is something to do.
func wake(changed chan<- struct{}) {
	select {
	case changed <- struct{}{}:
	default:
	}
}

// rest waits for the time to pass, for a change, or for the end of ctx.
func rest(ctx context.Context, d time.Duration, changed <-chan struct{}) {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
	case <-changed:
	case <-ctx.Done():
	}
}
