package server

import (
	"context"
	"net"
	"net/netip"

	"github.com/pires/go-proxyproto"

	"github.com/jeton-dev/jeton/internal/gateway"
)

// inbound prepares the connections of the gateway's ports: the PROXY protocol
// of trusted proxies is understood, where it is turned on, what is encrypted is
// decrypted, and ambiguous requests are refused.
func (s *Server) inbound() []net.Listener {
	plain := s.connections.Listener(s.listeners.gateway, !s.config.ProxyProtocol)
	listeners := []net.Listener{gateway.Strict(s.config.behindProxies(plain), s.heads)}
	if s.listeners.gatewayTLS != nil {
		encrypted := s.encrypted(s.config.behindProxies(s.connections.Listener(s.listeners.gatewayTLS, false)))
		listeners = append(listeners, gateway.Strict(encrypted, s.heads))
	}
	return listeners
}

// inboundAPI prepares the connections of the API's port in the same way.
func (s *Server) inboundAPI() net.Listener {
	return gateway.Strict(s.apiConnections.Listener(s.listeners.api, true), s.heads)
}

// apiShare is the part of the maximum of connections that the API has beside the
// gateway.
const apiShare = 16

// openTraffic makes what bounds the traffic of all ports together.
func (s *Server) openTraffic(context.Context) error {
	t := s.config.Traffic
	s.connections = &gateway.Connections{Max: t.Connections, PerAddress: t.AddressConnections, Exempt: s.config.TrustedProxies, Log: s.log}
	// Whoever floods the gateway does not keep the owner from the API.
	s.apiConnections = &gateway.Connections{Max: max(t.Connections/apiShare, 1), PerAddress: t.AddressConnections, Exempt: s.config.TrustedProxies, Log: s.log}
	// Long heads and bodies have budgets of their own: neither can take the
	// other's.
	s.heads, s.bodies = gateway.NewMemory(t.Memory/2), gateway.NewMemory(t.Memory/2)
	return nil
}

func (c Config) behindProxies(l net.Listener) net.Listener {
	if !c.ProxyProtocol {
		return l
	}
	return &proxyproto.Listener{Listener: l, ConnPolicy: c.proxyPolicy, ReadHeaderTimeout: headerTimeout}
}

// proxyPolicy asks trusted proxies for the protocol's header. From anybody
// else the header is no HTTP, and is refused as such.
func (c Config) proxyPolicy(options proxyproto.ConnPolicyOptions) (proxyproto.Policy, error) {
	peer, err := netip.ParseAddrPort(options.Upstream.String())
	if err == nil && c.TrustedProxies.Contains(peer.Addr()) {
		return proxyproto.REQUIRE, nil
	}
	return proxyproto.SKIP, nil
}
