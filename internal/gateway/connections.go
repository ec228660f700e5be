package gateway

import (
	"io"
	"log/slog"
	"net"
	"net/netip"
	"sync"
	"time"

	"github.com/jeton-dev/jeton/internal/iam"
)

// Connections bounds the open connections of all its listeners together.
type Connections struct {
	// Most is the most open connections; it must be positive. PerAddress is the
	// most of one client address, of IPv6 of one /64; zero for any number. Exempt
	// addresses have no bound of their own.
	Most, PerAddress int
	Exempt           Proxies
	Log              *slog.Logger

	mu     sync.Mutex
	open   int
	of     map[netip.Prefix]int
	warned time.Time
}

// Listener returns a listener that closes the connections of l beyond the bounds.
// With say it first writes an answer with the status 503, for listeners without
// TLS.
func (c *Connections) Listener(l net.Listener, say bool) net.Listener {
	return &boundedListener{l, c, say}
}

type boundedListener struct {
	net.Listener
	connections *Connections
	say         bool
}

// Accept implements net.Listener.
func (l *boundedListener) Accept() (net.Conn, error) {
	for {
		connection, err := l.Listener.Accept()
		if err != nil {
			return nil, err
		}
		if release := l.connections.take(connection.RemoteAddr()); release != nil {
			return &countedConn{Conn: connection, release: release}, nil
		}
		if l.say {
			// The socket's buffer is empty: this does not wait.
			_ = connection.SetWriteDeadline(time.Now().Add(refusalTimeout))
			_, _ = io.WriteString(connection, tooManyConnections)
		}
		_ = connection.Close()
	}
}

const (
	refusalTimeout     = 100 * time.Millisecond
	tooManyConnections = "HTTP/1.1 503 Service Unavailable\r\nRetry-After: 1\r\nContent-Type: text/plain; charset=utf-8\r\n" +
		"Content-Length: 21\r\nConnection: close\r\n\r\ntoo many connections\n"
	// warnEvery is how often the log tells of connections that were refused.
	warnEvery = time.Minute
)

// take counts a connection, and returns what ends that; nil if it is one too
// many.
func (c *Connections) take(remote net.Addr) (release func()) {
	peer, _ := netip.ParseAddrPort(remote.String()) // Others count as one address.
	network := iam.ClientNetwork(peer.Addr())
	bounded := c.PerAddress > 0 && !c.Exempt.Contain(peer.Addr())
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.open >= c.Most || bounded && c.of[network] >= c.PerAddress {
		c.warn(network)
		return nil
	}
	if c.of == nil {
		c.of = map[netip.Prefix]int{}
	}
	c.open++
	c.of[network]++
	return sync.OnceFunc(func() {
		c.mu.Lock()
		defer c.mu.Unlock()
		c.open--
		if c.of[network]--; c.of[network] == 0 {
			delete(c.of, network)
		}
	})
}

// warn logs a refusal. The caller holds the lock.
func (c *Connections) warn(network netip.Prefix) {
	if now := time.Now(); now.Sub(c.warned) >= warnEvery {
		c.warned = now
		c.Log.Warn("connections are refused: too many are open", "open", c.open, "of", network, "open_of_it", c.of[network])
	}
}

type countedConn struct {
	net.Conn
	release func()
}

// Close implements net.Conn.
func (c *countedConn) Close() error {
	defer c.release()
	return c.Conn.Close()
}

// NetConn returns the connection beneath.
func (c *countedConn) NetConn() net.Conn { return c.Conn }
