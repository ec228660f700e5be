package process

import (
	"sync"
	"time"
)

const (
	// boostCPU is the CPU limit of a starting instance, in thousandths of a CPU, if the
	// limit of its revision is lower: a start uses one CPU.
	boostCPU = 1000
	// boostTime bounds the boosts of all instances of a function within boostWindow.
	// Later starts have the limit of the revision.
	boostTime = 10 * time.Second
	// boostPart is the part of boostTime that an instance reserves at a time.
	boostPart   = 250 * time.Millisecond
	boostWindow = time.Minute
	// mostBoosts is the number of functions at which expired windows are removed.
	mostBoosts = 4096
)

// boosts counts the boost time of each function in its current window.
type boosts struct {
	now func() time.Time

	mu    sync.Mutex
	spent map[string]*boost
}

// A boost is the time that a function has used since the beginning of its window.
type boost struct {
	since time.Time
	spent time.Duration
}

// take reserves a part of a function's boost time for an instance, or 0 if none is
// left. The caller returns the unused time with giveBack.
func (b *boosts) take(functionID string) time.Duration {
	b.mu.Lock()
	defer b.mu.Unlock()
	now := b.now()
	current := b.spent[functionID]
	if current == nil || now.Sub(current.since) >= boostWindow {
		b.forget(now)
		current = &boost{since: now}
		b.spent[functionID] = current
	}
	part := max(min(boostPart, boostTime-current.spent), 0)
	current.spent += part
	return part
}

// giveBack returns the unused time of a part.
func (b *boosts) giveBack(functionID string, unused time.Duration) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if current := b.spent[functionID]; current != nil && unused > 0 {
		current.spent = max(current.spent-unused, 0)
	}
}

// forget removes the windows that have ended, if there are mostBoosts.
func (b *boosts) forget(now time.Time) {
	if len(b.spent) < mostBoosts {
		return
	}
	for id, old := range b.spent {
		if now.Sub(old.since) >= boostWindow {
			delete(b.spent, id)
		}
	}
}

// A booster measures the boost of one instance.
type booster struct {
	boosts     *boosts
	functionID string
	part       time.Duration
	begun      time.Time
	// over receives a value when the part is used up; nil without a boost.
	over <-chan time.Time
}

func (e *Engine) newBooster(functionID string, part time.Duration) *booster {
	b := &booster{boosts: e.boosts, functionID: functionID}
	b.begin(part)
	return b
}

func (b *booster) begin(part time.Duration) {
	b.part, b.begun, b.over = part, time.Now(), nil
	if part > 0 {
		b.over = time.After(part)
	}
}

// renew reserves another part, and returns false if none is left.
func (b *booster) renew() bool {
	b.begin(b.boosts.take(b.functionID))
	return b.part > 0
}

// end returns the unused time. It may be called several times.
func (b *booster) end() {
	b.boosts.giveBack(b.functionID, b.part-time.Since(b.begun))
	b.part, b.over = 0, nil
}
