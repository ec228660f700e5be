package server

import (
	"net"
	"net/netip"

	"github.com/pires/go-proxyproto"

	"github.com/jeton-dev/jeton/internal/gateway"
)

// inbound prepares the connections of the gateway's ports: the PROXY protocol
// of trusted proxies is understood, where it is turned on, what is encrypted is
// decrypted, and ambiguous requests are refused.
func (s *Server) inbound() []net.Listener {
	listeners := []net.Listener{gateway.Strict(s.config.behindProxies(s.listeners.gateway))}
	if s.listeners.gatewayTLS != nil {
		listeners = append(listeners, gateway.Strict(s.encrypted(s.config.behindProxies(s.listeners.gatewayTLS))))
	}
	return listeners
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
	if err == nil && c.TrustedProxies.Contain(peer.Addr()) {
		return proxyproto.REQUIRE, nil
	}
	return proxyproto.SKIP, nil
}
