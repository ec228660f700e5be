package usage

import (
	"sync/atomic"
	"time"
)

// A Stamp is when one thing was used last since it was asked. The zero Stamp is
// of a thing that was not used.
type Stamp struct {
	// minute counts the minutes since 1970, which 32 bits do until the year 10136.
	minute atomic.Uint32
}

// Note notes a use.
func (s *Stamp) Note(now time.Time) {
	minute := minuteOf(now)
	// Of many calls within a minute only one writes, so that the cores need not
	// take the memory from each other.
	if s.minute.Load() != minute {
		s.minute.Store(minute)
	}
}

// Take returns when the last use was since the last Take, and whether there was
// one.
func (s *Stamp) Take() (time.Time, bool) {
	if s.minute.Load() == 0 {
		return time.Time{}, false
	}
	minute := s.minute.Swap(0)
	return time.Unix(int64(minute)*60, 0).UTC(), minute != 0
}

func minuteOf(t time.Time) uint32 { return uint32(max(t.Unix()/60, 1)) }
