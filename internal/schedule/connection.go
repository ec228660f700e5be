package schedule

import (
	"log/slog"
	"sync"

	"github.com/jeton-dev/jeton/internal/functions"
)

// A connection reports whether a trigger is connected to its broker. It is safe for concurrent
// use.
type connection struct {
	observer Observer
	trigger  functions.Trigger
	log      *slog.Logger

	mu           sync.Mutex
	known, ended bool
	connected    bool
}

// set reports a change of the state. It does nothing after end.
func (c *connection) set(connected bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.ended || c.connected == connected {
		return
	}
	c.connected = connected
	c.observer.Consuming(c.trigger, connected)
	switch {
	case !c.known:
	case connected:
		c.log.Info("a trigger is connected to its broker again")
	default:
		c.log.Warn("a trigger has lost the connection to its broker, and connects again")
	}
	c.known = true
}

// end reports that the trigger is not connected any more.
func (c *connection) end() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.ended = true
	if c.connected {
		c.connected = false
		c.observer.Consuming(c.trigger, false)
	}
}
