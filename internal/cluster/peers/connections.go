package peers

import (
	"cmp"
	"net"
	"net/netip"
	"sync"
)

const (
	// maxUnproved is the maximum number of connections whose handshake has not ended, and
	// maxUnprovedOfAddress that of one address.
	maxUnproved          = 256
	maxUnprovedOfAddress = 64
)

// connections count the connections of a listener.
type connections struct {
	max int

	mu             sync.Mutex
	open, unproved int
	byAddress      map[netip.Addr]int
}

func newConnections(most int) *connections {
	return &connections{max: cmp.Or(most, DefaultMaxConnections), byAddress: map[netip.Addr]int{}}
}

// add counts a connection, and reports whether the limits allow it.
func (c *connections) add(address netip.Addr) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.open >= c.max || c.unproved >= maxUnproved || c.byAddress[address] >= maxUnprovedOfAddress {
		return false
	}
	c.open++
	c.unproved++
	c.byAddress[address]++
	return true
}

// proved is called when a connection has ended its handshake, or is closed before.
func (c *connections) proved(address netip.Addr) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.unproved--
	if c.byAddress[address]--; c.byAddress[address] == 0 {
		delete(c.byAddress, address)
	}
}

func (c *connections) closed() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.open--
}

// A limitedListener closes connections that exceed the limits.
type limitedListener struct {
	net.Listener
	connections *connections
}

// Accept implements net.Listener.
func (l *limitedListener) Accept() (net.Conn, error) {
	for {
		conn, err := l.Listener.Accept()
		if err != nil {
			return nil, err
		}
		peer, _ := netip.ParseAddrPort(conn.RemoteAddr().String()) // Others count as one address.
		address := peer.Addr()
		if !l.connections.add(address) {
			_ = conn.Close()
			continue
		}
		return &limitedConn{
			Conn: conn, proved: sync.OnceFunc(func() { l.connections.proved(address) }), closed: sync.OnceFunc(l.connections.closed),
		}, nil
	}
}

// A limitedConn is a counted connection.
type limitedConn struct {
	net.Conn
	proved, closed func()
}

// Close implements net.Conn.
func (c *limitedConn) Close() error {
	c.proved()
	c.closed()
	return c.Conn.Close()
}
