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
	// queuedPackets bounds the packets that wait to be sent to a namespace.
	queuedPackets = 256
	// connectTimeout is how long an outbound connection may take to open.
	connectTimeout = 10 * time.Second
	// idleTimeout ends a UDP flow without datagrams, and dnsIdleTimeout one to a DNS
	// port, since there are many of these.
	idleTimeout    = 60 * time.Second
	dnsIdleTimeout = 5 * time.Second
	// maxPending bounds the connections of one namespace that are being opened.
	maxPending = 64
	// bufferSize bounds the buffer of a connection in each direction, in bytes. The link
	// has no latency: a larger buffer is not faster.
	bufferSize = 32 << 10
	// minBufferSize is the minimum buffer size of a connection, in bytes.
	minBufferSize = 4 << 10
)

// A Link connects one network namespace to the outbound network until it is closed. Its
// methods are safe for concurrent use.
type Link struct {
	policy *Policy
	tunnel *os.File
	wire   *channel.Endpoint
	stack  *stack.Stack
	// flows contains a value for each open flow.
	flows chan struct{}
	// tenant is the one that new flows count against.
	tenant  atomic.Pointer[tenant]
	ctx     context.Context
	cancel  context.CancelFunc
	running sync.WaitGroup
}

// A Sandbox is a network namespace that must not be connected yet.
type Sandbox interface {
	// Network returns the namespace.
	Network() *os.File
	// Tunnel returns the file of the interface in it, which a process in the namespace has made,
	// or nil if Attach makes the interface.
	Tunnel() *os.File
}

// Attach connects a network namespace. Without a tunnel it needs CAP_NET_ADMIN and
// CAP_SYS_ADMIN there. The caller calls Close when the namespace has ended.
func Attach(s Sandbox, policy *Policy) (*Link, error) {
	file := s.Tunnel()
	if file == nil {
		var err error
		if file, err = openInterface(s.Network()); err != nil {
			return nil, fmt.Errorf("attach egress: %w", err)
		}
	}
	l := &Link{policy: policy, tunnel: file, wire: channel.New(queuedPackets, mtu, ""), flows: make(chan struct{}, maxLinkFlows)}
	l.tenant.Store(&tenant{})
	l.ctx, l.cancel = context.WithCancel(context.Background())
	if err := l.openStack(); err != nil {
		return nil, errors.Join(fmt.Errorf("attach egress: %w", err), l.Close())
	}
	l.running.Go(l.readTunnel)
	l.running.Go(l.writeTunnel)
	return l, nil
}

// Assign sets the function and project that new flows of the namespace count against.
// Without it they count against an empty id, which all such namespaces share.
func (l *Link) Assign(function, project string) { l.tenant.Store(&tenant{function, project}) }

// Close ends all connections. Data in transit may be lost.
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

// openStack makes the network stack at the other end of the link. It accepts packets for
// all addresses.
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
	l.stack.SetTransportProtocolHandler(tcp.ProtocolNumber, tcp.NewForwarder(l.stack, bufferSize, maxPending, l.forwardTCP).HandlePacket)
	l.stack.SetTransportProtocolHandler(udp.ProtocolNumber, udp.NewForwarder(l.stack, l.forwardUDP).HandlePacket)
	return nil
}

// boundBuffers bounds the memory of connections to peers that do not read.
func (l *Link) boundBuffers() error {
	sending := tcpip.TCPSendBufferSizeRangeOption{Min: minBufferSize, Default: bufferSize, Max: bufferSize}
	if err := l.stack.SetTransportProtocolOption(tcp.ProtocolNumber, &sending); err != nil {
		return errors.New(err.String())
	}
	receiving := tcpip.TCPReceiveBufferSizeRangeOption{Min: minBufferSize, Default: bufferSize, Max: bufferSize}
	if err := l.stack.SetTransportProtocolOption(tcp.ProtocolNumber, &receiving); err != nil {
		return errors.New(err.String())
	}
	moderate := tcpip.TCPModerateReceiveBufferOption(false)
	if err := l.stack.SetTransportProtocolOption(tcp.ProtocolNumber, &moderate); err != nil {
		return errors.New(err.String())
	}
	return nil
}

// readTunnel passes packets from the namespace to the stack.
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

// writeTunnel passes packets from the stack to the namespace.
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
		// Other errors lose a packet, which TCP sends again.
	}
}

// begin counts a flow, and returns the function that ends it; nil if there are too many
// flows.
func (l *Link) begin() (end func()) {
	t := *l.tenant.Load()
	if !l.policy.limiter.acquire(t) {
		return nil
	}
	select {
	case l.flows <- struct{}{}:
		return func() {
			<-l.flows
			l.policy.limiter.release(t)
		}
	default:
		l.policy.limiter.release(t)
		return nil
	}
}

// dial connects to the destination of a flow if the policy allows it. The resolver's
// address leads to the policy's Resolver, and the host's address to the services in Host.
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
			return nil, errors.New("port of the resolver address is not served")
		}
		target = l.policy.Resolver
	case address.String() == host4:
		service, ok := l.policy.Host[to.Port()]
		if !ok || network != "tcp" {
			return nil, errors.New("port of this machine is not allowed: see --egress-allow")
		}
		target = service
	case !l.policy.Allows(to):
		return nil, errors.New("destination is denied by policy")
	}
	d := net.Dialer{Timeout: connectTimeout}
	d.SetMultipathTCP(false)
	return d.DialContext(l.ctx, network, target)
}
