package usage

import (
	"sync/atomic"
	"time"
)

// A Stamp is the last use of one object since the last call of Take. The zero Stamp has
// no use. All methods are safe for concurrent use.
type Stamp struct {
	// minute is the number of minutes since 1970. 32 bits suffice until the year 10136.
	minute atomic.Uint32
}

// Note records a use.
func (s *Stamp) Note(now time.Time) {
	minute := minuteOf(now)
	// Only one of many calls within a minute writes, so that cores do not compete
	// for the cache line.
	if s.minute.Load() != minute {
		s.minute.Store(minute)
	}
}

// Take returns the last use since the previous Take, and whether there was one.
func (s *Stamp) Take() (time.Time, bool) {
	if s.minute.Load() == 0 {
		return time.Time{}, false
	}
	minute := s.minute.Swap(0)
	return time.Unix(int64(minute)*60, 0).UTC(), minute != 0
}

func minuteOf(t time.Time) uint32 { return uint32(max(t.Unix()/60, 1)) }
