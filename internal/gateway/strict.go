package gateway

import (
	"context"
	"io"
	"net"
	"net/http"
	"sync/atomic"
)

// Strict returns a listener whose connections end, with the status 400, at a
// request that is framed in an ambiguous way: with two lengths, with a length
// and chunks, with folded lines, with two hosts. Encrypted
// connections are decrypted before they come here: what Accept of l returns is
// a *tls.Conn then.
//
// Long heads are charged to the budget until their request is over, and end the
// connection if it does not allow them; nil allows all.
func Strict(l net.Listener, heads *Memory) net.Listener { return strictListener{l, heads} }

type strictListener struct {
	net.Listener
	heads *Memory
}

func (l strictListener) Accept() (net.Conn, error) {
	connection, err := l.Listener.Accept()
	if err != nil {
		return nil, err
	}
	return &strictConn{Conn: connection, framing: newFraming(), heads: l.heads}, nil
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
	// heads is charged for the head of the request that is read or answered.
	heads   *Memory
	charged atomic.Int64
}

const (
	// shortHead is the length of a head up to which nothing is charged, in bytes.
	shortHead = 16 << 10
	// headCost is how many bytes of memory net/http takes for one of a head: what
	// it reads, and the texts that it makes of it.
	headCost = 4
)

// headCost2 is what the head of a request over HTTP/2 costs the budget.
func headCost2(r *http.Request) int64 {
	if r.ProtoMajor != 2 {
		return 0
	}
	size := len(r.RequestURI)
	for name, values := range r.Header {
		for _, value := range values {
			size += len(name) + len(value)
		}
	}
	return headCost * max(int64(size)-shortHead, 0)
}

// charge charges the budget for the head that is being read, and reports whether
// that is allowed.
func (c *strictConn) charge() bool {
	more := headCost*(c.framing.head-shortHead) - c.charged.Load()
	if more <= 0 {
		return true
	}
	if !c.heads.take("", "", more) {
		return false
	}
	c.charged.Add(more)
	return true
}

// discharge gives back what was charged.
func (c *strictConn) discharge() { c.heads.give("", "", c.charged.Swap(0)) }

// Close implements net.Conn.
func (c *strictConn) Close() error {
	defer c.discharge()
	return c.Conn.Close()
}

// ConnState is for http.Server: it notes that the request of a connection is
// over.
func ConnState(c net.Conn, state http.ConnState) {
	if strict, ok := c.(*strictConn); ok && state == http.StateIdle {
		strict.discharge()
	}
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
	if c.upgraded.Load() || c.framing.feed(p[:n]) == nil && c.charge() {
		return n, err
	}
	c.discharge()
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
		c.discharge()
	}
}
