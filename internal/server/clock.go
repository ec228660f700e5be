package server

import (
	"context"
	"log/slog"
	"sync/atomic"
	"time"
)

// tolerated is how far a clock may be set back without a word: it is corrected by
// fractions of a second all the time.
const tolerated = time.Second

// A clock is the time by which it is decided who may come in. It never goes back:
// what had expired once stays so, whatever is done to the system's clock. Nothing
// else goes by it, for what stands still while the time catches up would be worse
// off than what sees it go back.
type clock struct {
	now func() time.Time
	log *slog.Logger
	// latest is the latest time that was seen, in nanoseconds since 1970, to
	// within the second.
	latest atomic.Int64
	// behind tells that it has been logged that the time was set back.
	behind atomic.Bool
}

// Now returns the time, or the latest that it has been.
func (c *clock) Now() time.Time {
	now, latest := c.now(), c.latest.Load()
	switch at := now.UnixNano(); {
	case at/int64(time.Second) > latest/int64(time.Second):
		// Of two at once the later one may lose, by less than what it takes to
		// come here again.
		if c.latest.CompareAndSwap(latest, at) {
			c.behind.Store(false)
		}
		return now
	case at >= latest:
		return now
	case time.Duration(latest-at) > tolerated && c.behind.CompareAndSwap(false, true):
		c.log.Warn("the clock was set back: until it has caught up, tokens and API keys expire by the time that it was; "+
			"if that was wrong, and not the clock now, restart the server", "clock", now, "was", time.Unix(0, latest).UTC())
	}
	return time.Unix(0, latest).UTC()
}

// lookAtClock warns of a clock that is behind the last change: what had expired by
// then opens again, and nothing here can know which of the two is right.
func (s *Server) lookAtClock(ctx context.Context) error {
	last, err := s.store.NewestAt(ctx)
	if err != nil {
		return err
	}
	if now := s.config.Now(); last.Sub(now) > tolerated {
		s.log.Warn("the clock is behind the last change: if it is wrong, stop the server, set it and start again, "+
			"for tokens and API keys that have expired meanwhile are taken for good", "clock", now, "last_change", last)
	}
	return nil
}
