package gateway

import (
	"net/http"
	"sync"
	"sync/atomic"
	"time"
)

// recheckEvery is how often calls that have left HTTP are decided on anew, for
// tokens that expire.
const recheckEvery = time.Second

// upgrades are the calls that have left HTTP. They may last long, and end when
// they are no longer admitted.
type upgrades struct {
	count atomic.Int64

	mu    sync.Mutex
	calls map[*call]chan struct{}
}

// add watches a call until it is removed.
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
		tick := time.NewTicker(recheckEvery)
		defer tick.Stop()
		for {
			select {
			case <-ended:
				return
			case <-tick.C:
				c.endUnlessAdmitted()
			}
		}
	}()
}

// remove forgets a call, which need not be there.
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

func (c *call) endUnlessAdmitted() {
	if !c.recheck() {
		c.end()
	}
}

// Recheck ends the calls that have left HTTP and are no longer admitted. It must
// run after a change was applied to all that the gateway decides by.
func (g *Gateway) Recheck() {
	u := &g.upgrades
	if u.count.Load() == 0 {
		return
	}
	u.mu.Lock()
	defer u.mu.Unlock()
	for c := range u.calls {
		c.endUnlessAdmitted()
	}
}

// watchUpgrade makes a call be watched once it leaves HTTP.
func (g *Gateway) watchUpgrade(r *http.Request, c *call) {
	host, header := r.Host, r.Header
	c.recheck = func() bool {
		to, ok := g.Table.route(host)
		return g.settled() && ok && to.functionID == c.to.functionID && (c.inside || !to.private || g.admit(header, to, g.Now()).admitted)
	}
	c.leave = func() {
		g.upgrades.add(c)
		// It may have been revoked since it was admitted.
		g.Recheck()
	}
}
