package process

import (
	"fmt"
	"sync"
	"time"
)

const (
	// outputRate is how much of what one instance prints is logged, in bytes a second,
	// and outputBurst how much of it at once.
	outputRate  = 1 << 20
	outputBurst = 8 << 20
	// lineCost counts for each line beside its bytes: an empty one costs something, too.
	lineCost = 64
)

// A rate bounds the output of one instance: what is more is left out, and counted.
type rate struct {
	now func() time.Time

	mu      sync.Mutex
	room    float64
	since   time.Time
	leftOut int
}

func newRate(now func() time.Time) *rate { return &rate{now: now, room: outputBurst, since: now()} }

// admit tells whether a line of so many bytes is logged, and returns what is to be
// logged before it of those that were not. A nil rate admits all.
func (r *rate) admit(bytes int) (admitted bool, note string) {
	if r == nil {
		return true, ""
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	now := r.now()
	r.room = min(r.room+now.Sub(r.since).Seconds()*outputRate, outputBurst)
	r.since = now
	cost := float64(bytes + lineCost)
	if cost > r.room {
		r.leftOut++
		return false, ""
	}
	r.room -= cost
	return true, r.takeNote()
}

// note returns what is to be logged of the lines that were left out; empty if none
// were.
func (r *rate) note() string {
	if r == nil {
		return ""
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.takeNote()
}

func (r *rate) takeNote() string {
	if r.leftOut == 0 {
		return ""
	}
	note := fmt.Sprintf("[%d lines are left out: the instance prints more than %d bytes a second]", r.leftOut, outputRate)
	r.leftOut = 0
	return note
}
