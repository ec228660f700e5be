package upstream

import (
	"cmp"
	"context"
	"net"
	"net/http"
	"sync"
	"time"
)

const (
	// maxIdle is how many idle connections are kept to one address. An instance
	// that serves one call at a time needs one; more are for an address behind
	// which there are several.
	maxIdle = 64
	// defaultIdleTimeout is how long a connection is kept without a call.
	defaultIdleTimeout = 30 * time.Second
)

// Transport is an http.RoundTripper for instances. Unlike http.Transport it
// runs a call on the caller's own goroutine, where that one keeps two for each
// connection and hands every call to both: an instance serves one call at a
// time, so there is nothing to read while nobody waits for an answer. A call
// with a body takes one more goroutine, because an answer may come before the body
// has been sent. The zero Transport has no Address and cannot be used.
type Transport struct {
	// Address returns the path of the unix socket that a request goes to.
	Address func(*http.Request) string
	// IdleTimeout is how long a connection is kept without a call; zero stands
	// for 30 seconds.
	IdleTimeout time.Duration

	mu   sync.Mutex
	idle map[string][]*connection
	// sweeping tells that a look at idle connections is due.
	sweeping bool
}

// RoundTrip implements http.RoundTripper. A request without a body is sent once
// more if a connection that was kept turns out to be closed, unless its method
// may not be repeated (RFC 9110, 9.2.2).
func (t *Transport) RoundTrip(r *http.Request) (*http.Response, error) {
	address := t.Address(r)
	if c := t.takeIdle(address); c != nil {
		response, err := c.exchange(r)
		if err == nil || !repeatable(r, c, err) {
			return response, err
		}
	}
	c, err := t.dial(r.Context(), address)
	if err != nil {
		closeBody(r)
		return nil, err
	}
	return c.exchange(r)
}

// repeatable tells whether a request that has failed can be sent again.
func repeatable(r *http.Request, c *connection, err error) bool {
	if c.answering || r.Context().Err() != nil || hasBody(r) || !brokenOff(err) {
		return false
	}
	switch r.Method {
	case http.MethodGet, http.MethodHead, http.MethodOptions, http.MethodTrace:
		return true
	}
	return false
}

func (t *Transport) dial(ctx context.Context, address string) (*connection, error) {
	var dialer net.Dialer
	socket, err := dialer.DialUnix(ctx, "unix", nil, &net.UnixAddr{Name: address, Net: "unix"})
	if err != nil {
		return nil, err
	}
	return newConnection(t, address, socket), nil
}

// takeIdle returns the connection that was used last, nil if there is none that
// can be used.
func (t *Transport) takeIdle(address string) *connection {
	for {
		c := t.popIdle(address)
		if c == nil || c.alive() {
			return c
		}
		c.close()
	}
}

func (t *Transport) popIdle(address string) *connection {
	t.mu.Lock()
	defer t.mu.Unlock()
	kept := t.idle[address]
	if len(kept) == 0 {
		return nil
	}
	last := len(kept) - 1
	c := kept[last]
	kept[last] = nil
	t.keep(address, kept[:last])
	return c
}

// keep notes the idle connections of an address.
func (t *Transport) keep(address string, idle []*connection) {
	if len(idle) == 0 {
		delete(t.idle, address)
		return
	}
	t.idle[address] = idle
}

// putIdle keeps a connection for the next call.
func (t *Transport) putIdle(c *connection) {
	c.idleSince = time.Now()
	t.mu.Lock()
	defer t.mu.Unlock()
	if len(t.idle[c.address]) >= maxIdle {
		c.close()
		return
	}
	if t.idle == nil {
		t.idle = map[string][]*connection{}
	}
	t.idle[c.address] = append(t.idle[c.address], c)
	t.sweepLater()
}

func (t *Transport) sweepLater() {
	if !t.sweeping {
		t.sweeping = true
		time.AfterFunc(t.idleTimeout(), t.sweep)
	}
}

func (t *Transport) idleTimeout() time.Duration { return cmp.Or(t.IdleTimeout, defaultIdleTimeout) }

// sweep closes the connections that have been idle for too long: those of
// instances that are gone are among them.
func (t *Transport) sweep() {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.sweeping = false
	for address, idle := range t.idle {
		fresh := idle[:0]
		for _, c := range idle {
			if time.Since(c.idleSince) < t.idleTimeout() {
				fresh = append(fresh, c)
			} else {
				c.close()
			}
		}
		clear(idle[len(fresh):])
		t.keep(address, fresh)
	}
	if len(t.idle) > 0 {
		t.sweepLater()
	}
}
