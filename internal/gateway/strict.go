package gateway

import (
	"context"
	"io"
	"net"
	"sync/atomic"
)

// Strict returns a listener whose connections end, with the status 400, at a
// request that is framed in an ambiguous way: with two lengths, with a length
// and chunks, with folded lines, with two hosts. Encrypted
// connections are decrypted before they come here: what Accept of l returns is
// a *tls.Conn then.
func Strict(l net.Listener) net.Listener { return strictListener{l} }

type strictListener struct{ net.Listener }

func (l strictListener) Accept() (net.Conn, error) {
	connection, err := l.Listener.Accept()
	if err != nil {
		return nil, err
	}
	return &strictConn{Conn: connection, framing: newFraming()}, nil
}

// strictConn looks at what net/http reads.
type strictConn struct {
	net.Conn
	framing *framing
	// upgraded tells that the connection has left HTTP.
	upgraded atomic.Bool
	// refusal is what net/http reads in place of an ambiguous request.
	refusal []byte
	refused bool
}

// noRequest is what net/http answers with 400 wherever it meets it.
const noRequest = "\x00\r\n\r\n"

// Read implements net.Conn.
func (c *strictConn) Read(p []byte) (int, error) {
	if c.refused {
		n := copy(p, c.refusal)
		if c.refusal = c.refusal[n:]; n == 0 {
			return 0, io.EOF
		}
		return n, nil
	}
	n, err := c.Conn.Read(p)
	if c.upgraded.Load() || c.framing.feed(p[:n]) == nil {
		return n, err
	}
	c.refused, c.refusal = true, []byte(noRequest)
	return c.Read(p)
}

type connectionKey struct{}

// ConnContext is for http.Server: it lets a call find its connection.
func ConnContext(ctx context.Context, c net.Conn) context.Context {
	return context.WithValue(ctx, connectionKey{}, c)
}

// leaveHTTP has the connection of a call no longer looked at, because another
// protocol is spoken from here on.
func leaveHTTP(ctx context.Context) {
	if c, ok := ctx.Value(connectionKey{}).(*strictConn); ok {
		c.upgraded.Store(true)
	}
}
