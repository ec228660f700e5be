package gateway

import (
	"context"
	"crypto/tls"
	"io"
	"net"
	"net/http"
	"sync/atomic"
)

// Strict returns a listener that answers an ambiguous request with 400 and closes the connection:
// a request with two lengths, a length and chunks, folded lines or two hosts. For TLS, Accept of
// l must return a *tls.Conn.
//
// Long headers are charged to headerMemory until their request ends. If it does not allow a
// header, the connection is closed too. A nil headerMemory allows all headers.
func Strict(l net.Listener, headerMemory *Memory) net.Listener {
	return strictListener{l, headerMemory}
}

type strictListener struct {
	net.Listener
	headerMemory *Memory
}

func (l strictListener) Accept() (net.Conn, error) {
	connection, err := l.Listener.Accept()
	if err != nil {
		return nil, err
	}
	return &strictConn{Conn: connection, framing: newFraming(), headerMemory: l.headerMemory}, nil
}

// strictConn inspects the data that net/http reads.
type strictConn struct {
	net.Conn
	framing *framing
	// upgraded means that the connection has switched to another protocol.
	upgraded atomic.Bool
	// refused means that the connection has an ambiguous request. replacement is the rest
	// of the data that net/http reads instead.
	refused     bool
	replacement []byte
	// headerMemory is charged for the header of the current request.
	headerMemory *Memory
	charged      atomic.Int64
}

const (
	// freeHeaderSize is the size in bytes up to which a header is not charged.
	freeHeaderSize = 16 << 10
	// headerCost is the memory that net/http uses per byte of a header, for its buffer and
	// for the parsed fields.
	headerCost = 4
)

// http2HeaderCost returns the memory to charge for the header of an HTTP/2 request; zero for
// HTTP/1, whose headers strictConn charges.
func http2HeaderCost(r *http.Request) int64 {
	if r.ProtoMajor != 2 {
		return 0
	}
	size := len(r.RequestURI)
	for name, values := range r.Header {
		for _, value := range values {
			size += len(name) + len(value)
		}
	}
	return headerCost * max(int64(size)-freeHeaderSize, 0)
}

// charge charges the budget for the current header, and reports whether the budget allows it.
func (c *strictConn) charge() bool {
	more := headerCost*(c.framing.headerSize-freeHeaderSize) - c.charged.Load()
	if more <= 0 {
		return true
	}
	if !c.headerMemory.reserve("", "", more) {
		return false
	}
	c.charged.Add(more)
	return true
}

// discharge releases the charged memory.
func (c *strictConn) discharge() { c.headerMemory.release("", "", c.charged.Swap(0)) }

// Close implements net.Conn.
func (c *strictConn) Close() error {
	defer c.discharge()
	return c.Conn.Close()
}

// ConnState implements http.Server.ConnState. It releases the memory of a header when its request
// has ended.
func ConnState(c net.Conn, state http.ConnState) {
	if strict, ok := c.(*strictConn); ok && state == http.StateIdle {
		strict.discharge()
	}
}

// invalidRequest is a request that net/http answers with 400, wherever it appears.
const invalidRequest = "\x00\r\n\r\n"

// Read implements net.Conn.
func (c *strictConn) Read(p []byte) (int, error) {
	if c.refused {
		n := copy(p, c.replacement)
		if c.replacement = c.replacement[n:]; n == 0 {
			return 0, io.EOF
		}
		return n, nil
	}
	n, err := c.Conn.Read(p)
	if c.upgraded.Load() || c.framing.parse(p[:n]) == nil && c.charge() {
		return n, err
	}
	c.discharge()
	c.refused, c.replacement = true, []byte(invalidRequest)
	return c.Read(p)
}

type connectionKey struct{}

// ConnContext implements http.Server.ConnContext. It adds the connection to the context.
func ConnContext(ctx context.Context, c net.Conn) context.Context {
	return context.WithValue(ctx, connectionKey{}, c)
}

// setTLS sets r.TLS of a request over TLS. net/http does not, because the connection of its
// listener is a strictConn.
func setTLS(r *http.Request) {
	c, ok := r.Context().Value(connectionKey{}).(*strictConn)
	if !ok || r.TLS != nil {
		return
	}
	if encrypted, ok := c.Conn.(*tls.Conn); ok {
		state := encrypted.ConnectionState()
		r.TLS = &state
	}
}

// WithTLS returns a handler that sets the TLS state of requests, for servers of listeners of Strict.
func WithTLS(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		setTLS(r)
		next.ServeHTTP(w, r)
	})
}

// stopInspection stops the inspection of a call's connection, which switches to another protocol.
func stopInspection(ctx context.Context) {
	if c, ok := ctx.Value(connectionKey{}).(*strictConn); ok {
		c.upgraded.Store(true)
		c.discharge()
	}
}
