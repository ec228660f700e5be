package upstream

import (
	"cmp"
	"context"
	"net"
	"net/http"
	"sync"
	"time"

	"github.com/jeton-dev/jeton/internal/engine"
)

const (
	// maxIdle is the default of Transport.MaxIdle. An instance that serves
	// one call at a time needs one; more are used only if several servers share an address.
	maxIdle = 64
	// defaultIdleTimeout is the default of Transport.IdleTimeout.
	defaultIdleTimeout = 30 * time.Second
	// keepAlive is the interval at which TCP notices a host that has disappeared.
	keepAlive = 15 * time.Second
)

// Transport is an http.RoundTripper for instances. It runs a call on the caller's
// goroutine; http.Transport keeps two goroutines for each connection and passes
// every call to both. That is not needed here, because an instance serves one call
// at a time and sends nothing between calls. A call with a body takes one more
// goroutine, because an answer may come before the body was sent. Transport is safe
// for concurrent use.
type Transport struct {
	// Address returns the address of the instance for a request. It is required
	// without Dial.
	Address func(*http.Request) engine.Address
	// Watcher returns the watcher of a request, which watches its context. Nil means
	// watchers that use context.AfterFunc.
	Watcher func(*http.Request) Watcher
	// Dial opens all connections, instead of to Address. A connection with TLS is a
	// *tls.Conn; the other side must send nothing between calls.
	Dial func(context.Context) (net.Conn, error)
	// Instances opens the connections to addresses of engine.InstanceNetwork. It is required
	// if the engine implements it.
	Instances engine.Dialer
	// Interim is called with informational answers. Those for which it returns false go
	// to the trace of the request. Nil means that all do. After one for which it returns
	// true a body is sent that waits for 100 Continue.
	Interim func(r *http.Request, status int, header http.Header) bool
	// IdleTimeout is how long a connection without a call is kept at least; zero
	// means 30 seconds. It is closed within twice the time. MaxIdle is the maximum
	// number of such connections per address; zero means 64.
	IdleTimeout time.Duration
	MaxIdle     int

	mu sync.Mutex
	// idle are the idle connections. A sweep removes the entries without connections.
	idle map[engine.Address]*idleConnections
	// sweeps counts the sweeps, sweeping reports whether one is scheduled, and closed that
	// Close was called.
	sweeps           int64
	sweeping, closed bool
}

// Close closes the connections without a call, and the others after their calls. The
// transport can still be used, but keeps no connections.
func (t *Transport) Close() {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.closed = true
	for address, idle := range t.idle {
		for _, c := range idle.connections {
			c.close()
		}
		delete(t.idle, address)
	}
}

// A Watcher interrupts a call when its context ends. A caller that watches the context
// anyway can implement it cheaply.
type Watcher interface {
	// Watch makes the watcher call interrupt once when the context ends, or at once
	// if it has ended.
	Watch(interrupt func())
	// Unwatch reverts Watch. It returns false if interrupt was called or will be.
	Unwatch() bool
}

// contextWatcher is the default Watcher.
type contextWatcher struct {
	ctx  context.Context
	stop func() bool
}

// Watch implements Watcher.
func (w *contextWatcher) Watch(interrupt func()) { w.stop = context.AfterFunc(w.ctx, interrupt) }

// Unwatch implements Watcher.
func (w *contextWatcher) Unwatch() bool { return w.stop() }

// watcher returns the watcher of a request.
func (t *Transport) watcher(r *http.Request) Watcher {
	if t.Watcher != nil {
		return t.Watcher(r)
	}
	return &contextWatcher{ctx: r.Context()}
}

// idleConnections are the idle connections to one address, the last used one last.
type idleConnections struct{ connections []*connection }

// RoundTrip implements http.RoundTripper. It sends a request once more if an idle
// connection turns out to be closed, provided that the request has no body and a
// method that may be repeated (RFC 9110, 9.2.2).
func (t *Transport) RoundTrip(r *http.Request) (*http.Response, error) {
	var address engine.Address
	if t.Dial == nil {
		address = t.Address(r)
	}
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

// repeatable reports whether a failed request may be sent again.
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

func (t *Transport) dial(ctx context.Context, address engine.Address) (*connection, error) {
	if t.Dial != nil {
		socket, err := t.Dial(ctx)
		if err != nil {
			return nil, err
		}
		return newConnection(t, address, socket)
	}
	if t.Instances != nil && address.Network() == engine.InstanceNetwork {
		socket, err := t.Instances.Dial(ctx, address)
		if err != nil {
			return nil, err
		}
		return newConnection(t, address, socket)
	}
	dialer := net.Dialer{KeepAlive: keepAlive}
	socket, err := dialer.DialContext(ctx, address.Network(), address.Endpoint())
	if err != nil {
		return nil, err
	}
	return newConnection(t, address, socket)
}

// takeIdle returns the usable connection that was used last, or nil.
func (t *Transport) takeIdle(address engine.Address) *connection {
	for {
		c := t.popIdle(address)
		if c == nil || c.alive() {
			return c
		}
		c.close()
	}
}

func (t *Transport) popIdle(address engine.Address) *connection {
	t.mu.Lock()
	defer t.mu.Unlock()
	idle := t.idle[address]
	if idle == nil || len(idle.connections) == 0 {
		return nil
	}
	last := len(idle.connections) - 1
	c := idle.connections[last]
	idle.connections[last] = nil
	idle.connections = idle.connections[:last]
	return c
}

// putIdle keeps a connection for the next call, unless there are too many.
func (t *Transport) putIdle(c *connection) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.closed {
		c.close()
		return
	}
	idle := t.idle[c.address]
	if idle == nil {
		if t.idle == nil {
			t.idle = map[engine.Address]*idleConnections{}
		}
		idle = &idleConnections{}
		t.idle[c.address] = idle
	}
	if len(idle.connections) >= cmp.Or(t.MaxIdle, maxIdle) {
		c.close()
		return
	}
	c.sweeps = t.sweeps
	idle.connections = append(idle.connections, c)
	t.sweepLater()
}

func (t *Transport) sweepLater() {
	if !t.sweeping {
		t.sweeping = true
		time.AfterFunc(t.idleTimeout(), t.sweep)
	}
}

func (t *Transport) idleTimeout() time.Duration { return cmp.Or(t.IdleTimeout, defaultIdleTimeout) }

// sweep closes the connections that have been idle since the previous sweep, such as
// those of instances that are gone.
func (t *Transport) sweep() {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.sweeping = false
	for address, idle := range t.idle {
		fresh := idle.connections[:0]
		for _, c := range idle.connections {
			if c.sweeps == t.sweeps {
				fresh = append(fresh, c)
			} else {
				c.close()
			}
		}
		clear(idle.connections[len(fresh):])
		if idle.connections = fresh; len(fresh) == 0 {
			delete(t.idle, address)
		}
	}
	t.sweeps++
	if len(t.idle) > 0 {
		t.sweepLater()
	}
}
