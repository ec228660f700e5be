package gateway

import (
	"sync"
	"sync/atomic"
	"time"
)

// recheckInterval is the time between two checks of an upgraded call for expired credentials.
const recheckInterval = time.Second

// upgrades are the calls that have switched protocols, such as to WebSocket. They can last
// long, and are aborted when they are no longer admitted.
type upgrades struct {
	count atomic.Int64

	mu    sync.Mutex
	calls map[*call]chan struct{}
}

// add adds a call, and checks it regularly until it is removed.
func (u *upgrades) add(c *call) {
	ended := make(chan struct{})
	u.mu.Lock()
	if u.calls == nil {
		u.calls = map[*call]chan struct{}{}
	}
	u.calls[c] = ended
	u.count.Store(int64(len(u.calls)))
	u.mu.Unlock()
	go func() {
		tick := time.NewTicker(recheckInterval)
		defer tick.Stop()
		for {
			select {
			case <-ended:
				return
			case <-tick.C:
				c.cancelUnlessAdmitted()
			}
		}
	}()
}

// remove removes a call, if it was added.
func (u *upgrades) remove(c *call) {
	if u.count.Load() == 0 {
		return
	}
	u.mu.Lock()
	defer u.mu.Unlock()
	if ended := u.calls[c]; ended != nil {
		close(ended)
		delete(u.calls, c)
		u.count.Store(int64(len(u.calls)))
	}
}

func (c *call) cancelUnlessAdmitted() {
	if !c.recheck() {
		c.running().cancel()
	}
}

// Recheck aborts upgraded calls that are no longer admitted. It must be called after a change
// was applied to Table and Keys.
func (g *Gateway) Recheck() {
	u := &g.upgrades
	if u.count.Load() == 0 {
		return
	}
	u.mu.Lock()
	defer u.mu.Unlock()
	for c := range u.calls {
		c.cancelUnlessAdmitted()
	}
}

// upgraded is called when the call switches protocols.
func (c *call) upgraded() {
	c.gateway.uncount(c.from)
	c.gateway.upgrades.add(c)
	// The credential may have been revoked since the call was admitted.
	c.gateway.Recheck()
}

// recheck reports whether the call is still admitted.
func (c *call) recheck() bool {
	g := c.gateway
	settled := g.settled()
	to, ok := g.current(c.host, c)
	return ok && g.decidable(settled, to) && (c.internal || !to.private || g.admit(c.header, to, g.config.Now()).admitted)
}
