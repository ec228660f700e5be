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

// Connections limits the open connections of all its listeners together.
type Connections struct {
	// Max is the maximum number of open connections; it must be positive. PerAddress is the
	// maximum of one client address (IPv6: of a /64 network); zero means no limit. It does
	// not apply to Exempt addresses.
	Max, PerAddress int
	Exempt          Proxies
	Log             *slog.Logger

	mu        sync.Mutex
	open      int
	byNetwork map[netip.Prefix]int
	warned    time.Time
}

// Listener returns a listener that closes the connections of l that exceed a limit. With reply
// it sends them a 503 response first, which requires a listener without TLS.
func (c *Connections) Listener(l net.Listener, reply bool) net.Listener {
	return &limitedListener{l, c, reply}
}

type limitedListener struct {
	net.Listener
	connections *Connections
	reply       bool
}

// Accept implements net.Listener.
func (l *limitedListener) Accept() (net.Conn, error) {
	for {
		connection, err := l.Listener.Accept()
		if err != nil {
			return nil, err
		}
		if release := l.connections.acquire(connection.RemoteAddr()); release != nil {
			return &countedConn{Conn: connection, release: release}, nil
		}
		if l.reply {
			// This does not block: the send buffer of a new socket is empty.
			_ = connection.SetWriteDeadline(time.Now().Add(replyTimeout))
			_, _ = io.WriteString(connection, tooManyConnections)
		}
		_ = connection.Close()
	}
}

const (
	replyTimeout       = 100 * time.Millisecond
	tooManyConnections = "HTTP/1.1 503 Service Unavailable\r\nRetry-After: 1\r\nContent-Type: text/plain; charset=utf-8\r\n" +
		"Content-Length: 21\r\nConnection: close\r\n\r\ntoo many connections\n"
	// warnInterval is the minimum time between two warnings about closed connections.
	warnInterval = time.Minute
)

// acquire counts a connection and returns a function that ends it; nil if the connection
// exceeds a limit.
func (c *Connections) acquire(remote net.Addr) (release func()) {
	peer, _ := netip.ParseAddrPort(remote.String()) // Peers without an IP address count as one address.
	network := iam.ClientNetwork(peer.Addr())
	limited := c.PerAddress > 0 && !c.Exempt.Contains(peer.Addr())
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.open >= c.Max || limited && c.byNetwork[network] >= c.PerAddress {
		c.warn(network)
		return nil
	}
	if c.byNetwork == nil {
		c.byNetwork = map[netip.Prefix]int{}
	}
	c.open++
	c.byNetwork[network]++
	return sync.OnceFunc(func() {
		c.mu.Lock()
		defer c.mu.Unlock()
		c.open--
		if c.byNetwork[network]--; c.byNetwork[network] == 0 {
			delete(c.byNetwork, network)
		}
	})
}

// warn logs that connections are closed. The caller holds c.mu.
func (c *Connections) warn(network netip.Prefix) {
	if now := time.Now(); now.Sub(c.warned) >= warnInterval {
		c.warned = now
		c.Log.Warn("closing new connections: too many are open", "open", c.open, "network", network, "open_of_network", c.byNetwork[network])
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

// NetConn returns the underlying connection.
func (c *countedConn) NetConn() net.Conn { return c.Conn }
