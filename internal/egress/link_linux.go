package egress

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"os"
	"sync"
	"sync/atomic"
	"time"

	"gvisor.dev/gvisor/pkg/buffer"
	"gvisor.dev/gvisor/pkg/tcpip"
	"gvisor.dev/gvisor/pkg/tcpip/header"
	"gvisor.dev/gvisor/pkg/tcpip/link/channel"
	"gvisor.dev/gvisor/pkg/tcpip/network/ipv4"
	"gvisor.dev/gvisor/pkg/tcpip/network/ipv6"
	"gvisor.dev/gvisor/pkg/tcpip/stack"
	"gvisor.dev/gvisor/pkg/tcpip/transport/tcp"
	"gvisor.dev/gvisor/pkg/tcpip/transport/udp"
)

const (
	// queued is how many packets wait to be read by a namespace.
	queued = 256
	// connectTimeout is how long a connection may take to be made.
	connectTimeout = 10 * time.Second
	// quiet is after how long a UDP flow has ended that nobody uses, and quietDNS
	// after how long one has that asks for names, of which there are many.
	quiet    = 60 * time.Second
	quietDNS = 5 * time.Second
	// mostPending bounds the connections of one namespace that are being made.
	mostPending = 64
	// bufferSize is how many bytes the network stack keeps of one connection, in
	// each direction. The link has no latency, so that more would not be faster.
	bufferSize = 32 << 10
	// leastBuffer is the smallest that a connection may have.
	leastBuffer = 4 << 10
)

// A Link is one namespace's way out, until it is closed.
type Link struct {
	policy *Policy
	tunnel *os.File
	wire   *channel.Endpoint
	stack  *stack.Stack
	// flows holds a value for each flow.
	flows chan struct{}
	// owner is who flows that begin from now on count for.
	owner   atomic.Pointer[owner]
	ctx     context.Context
	cancel  context.CancelFunc
	running sync.WaitGroup
}

// Attach opens a way out for a network namespace, which must have none. It needs
// the right to change the namespace. Close it when the namespace has ended.
func Attach(namespace *os.File, policy *Policy) (*Link, error) {
	tunnel, err := openInterface(namespace)
	if err != nil {
		return nil, fmt.Errorf("egress: %w", err)
	}
	l := &Link{policy: policy, tunnel: tunnel, wire: channel.New(queued, mtu, ""), flows: make(chan struct{}, mostFlows)}
	l.owner.Store(&owner{})
	l.ctx, l.cancel = context.WithCancel(context.Background())
	if err := l.openStack(); err != nil {
		return nil, errors.Join(fmt.Errorf("egress: %w", err), l.Close())
	}
	l.running.Go(l.readTunnel)
	l.running.Go(l.writeTunnel)
	return l, nil
}

// Assign says which function, of which project, the namespace is for: their flows
// count together. Until then they count for nobody.
func (l *Link) Assign(function, project string) { l.owner.Store(&owner{function, project}) }

// Close ends all connections. What was sent may be lost.
func (l *Link) Close() error {
	l.cancel()
	err := l.tunnel.Close()
	l.wire.Close()
	l.running.Wait()
	if l.stack != nil {
		l.stack.Close()
	}
	return err
}

// openStack makes the other end of the wire: a host that takes itself to be
// everybody.
func (l *Link) openStack() error {
	l.stack = stack.New(stack.Options{
		NetworkProtocols:   []stack.NetworkProtocolFactory{ipv4.NewProtocol, ipv6.NewProtocol},
		TransportProtocols: []stack.TransportProtocolFactory{tcp.NewProtocol, udp.NewProtocol},
	})
	if err := l.boundBuffers(); err != nil {
		return err
	}
	const nic = 1
	if err := l.stack.CreateNIC(nic, l.wire); err != nil {
		return errors.New(err.String())
	}
	if err := l.stack.SetPromiscuousMode(nic, true); err != nil {
		return errors.New(err.String())
	}
	if err := l.stack.SetSpoofing(nic, true); err != nil {
		return errors.New(err.String())
	}
	l.stack.SetRouteTable([]tcpip.Route{
		{Destination: header.IPv4EmptySubnet, NIC: nic}, {Destination: header.IPv6EmptySubnet, NIC: nic},
	})
	l.stack.SetTransportProtocolHandler(tcp.ProtocolNumber, tcp.NewForwarder(l.stack, bufferSize, mostPending, l.forwardTCP).HandlePacket)
	l.stack.SetTransportProtocolHandler(udp.ProtocolNumber, udp.NewForwarder(l.stack, l.forwardUDP).HandlePacket)
	return nil
}

// boundBuffers keeps small what connections hold whose other side does not read.
func (l *Link) boundBuffers() error {
	sending := tcpip.TCPSendBufferSizeRangeOption{Min: leastBuffer, Default: bufferSize, Max: bufferSize}
	if err := l.stack.SetTransportProtocolOption(tcp.ProtocolNumber, &sending); err != nil {
		return errors.New(err.String())
	}
	receiving := tcpip.TCPReceiveBufferSizeRangeOption{Min: leastBuffer, Default: bufferSize, Max: bufferSize}
	if err := l.stack.SetTransportProtocolOption(tcp.ProtocolNumber, &receiving); err != nil {
		return errors.New(err.String())
	}
	moderate := tcpip.TCPModerateReceiveBufferOption(false)
	if err := l.stack.SetTransportProtocolOption(tcp.ProtocolNumber, &moderate); err != nil {
		return errors.New(err.String())
	}
	return nil
}

// readTunnel takes in what the namespace sends.
func (l *Link) readTunnel() {
	packet := make([]byte, mtu)
	for {
		n, err := l.tunnel.Read(packet)
		if err != nil {
			return
		}
		if n == 0 {
			continue
		}
		protocol := ipv4.ProtocolNumber
		if header.IPVersion(packet) == header.IPv6Version {
			protocol = ipv6.ProtocolNumber
		}
		p := stack.NewPacketBuffer(stack.PacketBufferOptions{Payload: buffer.MakeWithData(append([]byte{}, packet[:n]...))})
		l.wire.InjectInbound(protocol, p)
		p.DecRef()
	}
}

// writeTunnel brings answers to the namespace.
func (l *Link) writeTunnel() {
	for {
		p := l.wire.ReadContext(l.ctx)
		if p == nil {
			return
		}
		view := p.ToView()
		p.DecRef()
		_, err := l.tunnel.Write(view.AsSlice())
		view.Release()
		if errors.Is(err, os.ErrClosed) {
			return
		}
		// What the kernel does not take is lost, as on any wire.
	}
}

// begin counts a flow, and returns what ends it; nil if there are too many.
func (l *Link) begin() (end func()) {
	o := *l.owner.Load()
	if !l.policy.shares.take(o) {
		return nil
	}
	select {
	case l.flows <- struct{}{}:
		return func() {
			<-l.flows
			l.policy.shares.giveBack(o)
		}
	default:
		l.policy.shares.giveBack(o)
		return nil
	}
}

// dial connects to where a process of the namespace wants to.
func (l *Link) dial(network string, id stack.TransportEndpointID) (net.Conn, error) {
	address, ok := netip.AddrFromSlice(id.LocalAddress.AsSlice())
	if !ok {
		return nil, errors.New("malformed address")
	}
	to := netip.AddrPortFrom(address, id.LocalPort)
	target := to.String()
	switch {
	case address.String() == resolver4:
		if to.Port() != dnsPort || l.policy.Resolver == "" {
			return nil, errors.New("no such service")
		}
		target = l.policy.Resolver
	case !l.policy.Allows(to):
		return nil, errors.New("not allowed")
	}
	d := net.Dialer{Timeout: connectTimeout}
	d.SetMultipathTCP(false)
	return d.DialContext(l.ctx, network, target)
}
