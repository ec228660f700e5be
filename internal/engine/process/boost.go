package process

import (
	"sync"
	"time"
)

const (
	// boostCPU is how much of the CPU an instance may take until it serves, in
	// thousandths, where its tier has less: enough to start as fast as one CPU can.
	boostCPU = 1000
	// boostTime is for how long the instances of one function may do so within
	// boostWindow. An instance that starts later has no more than its tier.
	boostTime = 10 * time.Second
	// boostPart is what one instance gets of it at a time.
	boostPart   = 250 * time.Millisecond
	boostWindow = time.Minute
	// mostBoosts bounds how many functions are remembered.
	mostBoosts = 4096
)

// boosts count for how long the instances of each function were boosted of late.
type boosts struct {
	now func() time.Time

	mu    sync.Mutex
	spent map[string]*boost
}

// A boost is what a function has spent since the beginning of its window.
type boost struct {
	since time.Time
	spent time.Duration
}

// take reserves a part of a function's boost for an instance; it is 0 if nothing is
// left. The caller gives back what the instance did not use.
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

// giveBack returns what was not used of a part.
func (b *boosts) giveBack(functionID string, unused time.Duration) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if current := b.spent[functionID]; current != nil && unused > 0 {
		current.spent = max(current.spent-unused, 0)
	}
}

// forget drops the windows that have ended, once there are many.
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

// A booster keeps the time of one instance's boost.
type booster struct {
	boosts     *boosts
	functionID string
	part       time.Duration
	begun      time.Time
	// over fires when the part is used up; nil if there is no boost.
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

// renew takes another part, and returns false if there is none.
func (b *booster) renew() bool {
	b.begin(b.boosts.take(b.functionID))
	return b.part > 0
}

// end gives back what is left. It may be called more than once.
func (b *booster) end() {
	b.boosts.giveBack(b.functionID, b.part-time.Since(b.begun))
	b.part, b.over = 0, nil
}
