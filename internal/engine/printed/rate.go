package printed

import (
	"fmt"
	"sync"
	"time"
)

const (
	// outputRate bounds the output of one instance, in bytes per second, and
	// outputBurst, in bytes, what it may print at once.
	outputRate  = 1 << 20
	outputBurst = 8 << 20
	// lineCost is added to the bytes of each line, so that empty lines count.
	lineCost = 64
)

// A Rate limits the output of one instance by a token bucket. It counts the lines that
// exceed the limit.
type Rate struct {
	now func() time.Time

	mu      sync.Mutex
	room    float64
	since   time.Time
	leftOut int
}

func NewRate(now func() time.Time) *Rate { return &Rate{now: now, room: outputBurst, since: now()} }

// admit reports whether a line of the given length is within the limit, and returns
// a note about the lines before it that were not. A nil Rate admits all lines.
func (r *Rate) admit(bytes int) (admitted bool, note string) {
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

// note returns a note about lines that exceeded the limit; empty if there are none.
func (r *Rate) note() string {
	if r == nil {
		return ""
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.takeNote()
}

func (r *Rate) takeNote() string {
	if r.leftOut == 0 {
		return ""
	}
	note := fmt.Sprintf("[%d lines are left out: the instance prints more than %d bytes per second]", r.leftOut, outputRate)
	r.leftOut = 0
	return note
}
