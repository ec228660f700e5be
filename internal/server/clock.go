package server

import (
	"context"
	"log/slog"
	"sync/atomic"
	"time"

	"github.com/jeton-dev/jeton/internal/store"
)

// tolerated is how far a clock can be set back without a log message. Time
// synchronization corrects clocks by fractions of a second.
const tolerated = time.Second

// A clock is the time of admission: the later of the system's clock and the estimated
// time of the database, so that every node of a cluster refuses a token when the clock of
// the database reaches its expiry, and earlier if its own clock is ahead. It never goes
// back, so that expired tokens and keys stay expired when the system's clock is set back.
// Other code uses the system's clock, since it would not make progress while this clock
// stands still.
type clock struct {
	now func() time.Time
	// offset returns how far the database's clock is ahead of now; negative if it is
	// behind.
	offset func() time.Duration
	log    *slog.Logger
	// latest is the latest returned time in nanoseconds since 1970, accurate to one
	// second.
	latest atomic.Int64
	// behind is set after a clock that was set back has been logged.
	behind atomic.Bool
}

// Now returns the latest of the current time, the time of the database and the latest
// returned time. It is safe for concurrent use.
func (c *clock) Now() time.Time {
	now, latest := c.now().Add(max(c.offset(), 0)), c.latest.Load()
	switch at := now.UnixNano(); {
	case at/int64(time.Second) > latest/int64(time.Second):
		// With concurrent calls the earlier time may be stored. The difference is
		// less than the duration of a call.
		if c.latest.CompareAndSwap(latest, at) {
			c.behind.Store(false)
		}
		return now
	case at >= latest:
		return now
	case time.Duration(latest-at) > tolerated && c.behind.CompareAndSwap(false, true):
		c.log.Warn("the clock was set back: expiry uses the previous, later time until the clock reaches it; "+
			"if the previous time was wrong, restart the server", "clock", now, "was", time.Unix(0, latest).UTC())
	}
	return time.Unix(0, latest).UTC()
}

// warnOfClock logs a warning if the clock is behind the last change. Tokens and keys
// that expired in between are accepted again, and nothing shows which time is
// right.
func warnOfClock(ctx context.Context, config Config, objects store.Store, log *slog.Logger) error {
	last, err := objects.NewestAt(ctx)
	if err != nil {
		return err
	}
	if now := config.Now(); last.Sub(now) > tolerated {
		log.Warn("the clock is behind the last change: if it is wrong, stop the server, set it and start again, "+
			"since tokens and API keys that have expired meanwhile are accepted", "clock", now, "last_change", last)
	}
	return nil
}
