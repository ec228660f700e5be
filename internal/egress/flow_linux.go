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
	// largestDatagram is that of IP.
	largestDatagram = 65535
	// copySize is how many bytes of a connection are copied at a time.
	copySize = 16 << 10
)

// forwardTCP makes a connection for one that a process begins. It is refused as a
// host without a listener would refuse it.
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

// halfCloser is a connection whose sending side ends by itself.
type halfCloser interface {
	io.ReadWriter
	CloseWrite() error
}

// join copies both ways, and ends when both have.
func join(a, b halfCloser) {
	var copying sync.WaitGroup
	for _, pair := range [][2]halfCloser{{a, b}, {b, a}} {
		copying.Go(func() {
			// The plain interfaces: what connections do by themselves has larger buffers.
			_, _ = io.CopyBuffer(struct{ io.Writer }{pair[0]}, struct{ io.Reader }{pair[1]}, make([]byte, copySize))
			_ = pair[0].CloseWrite()
		})
	}
	copying.Wait()
}

// closeWith closes connections when a context ends, until the returned function
// is called.
func closeWith(ctx context.Context, connections ...io.Closer) func() bool {
	return context.AfterFunc(ctx, func() {
		for _, c := range connections {
			_ = c.Close()
		}
	})
}

// forwardUDP passes the datagrams between two addresses on, for as long as there
// are some.
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
		patience := quiet
		if request.ID().LocalPort == dnsPort {
			patience = quietDNS
		}
		relay(in, out, patience)
	}()
}

func relay(in, out net.Conn, patience time.Duration) {
	var copying sync.WaitGroup
	for _, pair := range [][2]net.Conn{{in, out}, {out, in}} {
		copying.Go(func() {
			defer pair[0].Close()
			datagram := make([]byte, largestDatagram)
			for {
				_ = pair[1].SetReadDeadline(time.Now().Add(patience))
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
