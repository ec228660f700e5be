// Package link connects two programs through this process, so that a test can cut and
// mend their connection.
package link

import (
	"context"
	"errors"
	"io"
	"net"
	"sync"
)

// A Link is a listening address whose connections are passed on to a target.
type Link struct {
	listener net.Listener

	mu     sync.Mutex
	target func(context.Context) (net.Conn, error)
	// cut means that no byte passes. open has both ends of every connection.
	cut  bool
	open map[net.Conn]bool
	// mended is closed when the link is mended.
	mended chan struct{}
}

// New returns a link that listens on a port of 127.0.0.1. Until To is called, connections
// wait. The caller closes it.
func New(ctx context.Context) (*Link, error) {
	listener, err := new(net.ListenConfig).Listen(ctx, "tcp", "127.0.0.1:0")
	if err != nil {
		return nil, err
	}
	l := &Link{listener: listener, open: map[net.Conn]bool{}, mended: make(chan struct{})}
	close(l.mended)
	go l.accept()
	return l, nil
}

// Address returns the host:port of the link.
func (l *Link) Address() string { return l.listener.Addr().String() }

// To sets the target of new connections.
func (l *Link) To(network, address string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.target = func(ctx context.Context) (net.Conn, error) { return new(net.Dialer).DialContext(ctx, network, address) }
}

// Cut stops all bytes, without an end of any connection that the programs could notice.
func (l *Link) Cut() {
	l.mu.Lock()
	defer l.mu.Unlock()
	if !l.cut {
		l.cut, l.mended = true, make(chan struct{})
	}
}

// Mend lets bytes pass again. The connections that were open when the link was cut end.
func (l *Link) Mend() {
	l.mu.Lock()
	defer l.mu.Unlock()
	if !l.cut {
		return
	}
	for conn := range l.open {
		_ = conn.Close()
	}
	l.cut = false
	close(l.mended)
}

// Close ends all connections.
func (l *Link) Close() error {
	err := l.listener.Close()
	l.mu.Lock()
	defer l.mu.Unlock()
	for conn := range l.open {
		_ = conn.Close()
	}
	return err
}

func (l *Link) accept() {
	for {
		conn, err := l.listener.Accept()
		if err != nil {
			return
		}
		go l.serve(conn)
	}
}

func (l *Link) serve(from net.Conn) {
	defer from.Close()
	l.pass()
	l.mu.Lock()
	dial := l.target
	l.mu.Unlock()
	if dial == nil {
		return
	}
	to, err := dial(context.Background())
	if err != nil {
		return
	}
	defer to.Close()
	l.track(true, from, to)
	defer l.track(false, from, to)
	var both sync.WaitGroup
	both.Go(func() { l.copy(to, from) })
	both.Go(func() { l.copy(from, to) })
	both.Wait()
}

func (l *Link) track(open bool, conns ...net.Conn) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, conn := range conns {
		if open {
			l.open[conn] = true
		} else {
			delete(l.open, conn)
		}
	}
}

// pass returns when the link is not cut.
func (l *Link) pass() {
	l.mu.Lock()
	mended := l.mended
	l.mu.Unlock()
	<-mended
}

// copy passes bytes on, and the end of the stream.
func (l *Link) copy(to, from net.Conn) {
	buffer := make([]byte, 32<<10)
	for {
		n, err := from.Read(buffer)
		l.pass()
		if n > 0 {
			if _, writeError := to.Write(buffer[:n]); writeError != nil {
				err = writeError
			}
		}
		if err == nil {
			continue
		}
		if half, ok := to.(interface{ CloseWrite() error }); ok && errors.Is(err, io.EOF) {
			_ = half.CloseWrite()
			return
		}
		_ = to.Close()
		_ = from.Close()
		return
	}
}
