package egress

import (
	"context"
	"io"
	"net"
	"sync"
	"time"

	"gvisor.dev/gvisor/pkg/tcpip/adapters/gonet"
	"gvisor.dev/gvisor/pkg/tcpip/transport/tcp"
	"gvisor.dev/gvisor/pkg/tcpip/transport/udp"
	"gvisor.dev/gvisor/pkg/waiter"
)

const (
	// maxDatagram is the maximum size of an IP packet, in bytes.
	maxDatagram = 65535
	// copySize is the size of the copy buffer of a connection, in bytes.
	copySize = 16 << 10
)

// forwardTCP makes an outbound connection for a connection request of the namespace. It
// answers with a reset if that is not possible.
func (l *Link) forwardTCP(request *tcp.ForwarderRequest) {
	end := l.begin()
	if end == nil {
		request.Complete(true)
		return
	}
	go func() {
		defer end()
		out, err := l.dial("tcp", request.ID())
		if err != nil {
			request.Complete(true)
			return
		}
		defer out.Close()
		var queue waiter.Queue
		endpoint, failure := request.CreateEndpoint(&queue)
		request.Complete(failure != nil)
		if failure != nil {
			return
		}
		in := gonet.NewTCPConn(&queue, endpoint)
		defer func() { _ = in.Close() }()
		defer closeWith(l.ctx, in, out)()
		if outgoing, ok := out.(halfCloser); ok {
			join(in, outgoing)
		}
	}()
}

// A halfCloser is a connection that can end its sending side alone.
type halfCloser interface {
	io.ReadWriter
	CloseWrite() error
}

// join copies in both directions, and returns when both have ended.
func join(a, b halfCloser) {
	var copying sync.WaitGroup
	for _, pair := range [][2]halfCloser{{a, b}, {b, a}} {
		copying.Go(func() {
			// The wrappers hide ReadFrom and WriteTo, which have larger buffers.
			_, _ = io.CopyBuffer(struct{ io.Writer }{pair[0]}, struct{ io.Reader }{pair[1]}, make([]byte, copySize))
			_ = pair[0].CloseWrite()
		})
	}
	copying.Wait()
}

// closeWith closes connections when a context ends, unless the returned function is
// called first.
func closeWith(ctx context.Context, connections ...io.Closer) func() bool {
	return context.AfterFunc(ctx, func() {
		for _, c := range connections {
			_ = c.Close()
		}
	})
}

// forwardUDP forwards the datagrams of a UDP flow, until there are none for a while.
func (l *Link) forwardUDP(request *udp.ForwarderRequest) {
	end := l.begin()
	if end == nil {
		return
	}
	var queue waiter.Queue
	endpoint, failure := request.CreateEndpoint(&queue)
	if failure != nil {
		end()
		return
	}
	in := gonet.NewUDPConn(&queue, endpoint)
	go func() {
		defer end()
		defer func() { _ = in.Close() }()
		out, err := l.dial("udp", request.ID())
		if err != nil {
			return
		}
		defer out.Close()
		defer closeWith(l.ctx, in, out)()
		timeout := idleTimeout
		if request.ID().LocalPort == dnsPort {
			timeout = dnsIdleTimeout
		}
		forwardDatagrams(in, out, timeout)
	}()
}

// forwardDatagrams copies datagrams in both directions. A direction ends after the
// timeout without a datagram.
func forwardDatagrams(in, out net.Conn, timeout time.Duration) {
	var copying sync.WaitGroup
	for _, pair := range [][2]net.Conn{{in, out}, {out, in}} {
		copying.Go(func() {
			defer pair[0].Close()
			datagram := make([]byte, maxDatagram)
			for {
				_ = pair[1].SetReadDeadline(time.Now().Add(timeout))
				n, err := pair[1].Read(datagram)
				if err != nil {
					return
				}
				if _, err := pair[0].Write(datagram[:n]); err != nil {
					return
				}
			}
		})
	}
	copying.Wait()
}
