package server

import (
	"net"
	"net/netip"

	"github.com/pires/go-proxyproto"

	"github.com/jeton-dev/jeton/internal/gateway"
)

// inbound prepares the connections of the gateway's plain port: the PROXY
// protocol of trusted proxies is understood, where it is turned on, and
// ambiguous requests are refused.
func (c Config) inbound(l net.Listener) net.Listener {
	if c.ProxyProtocol {
		l = &proxyproto.Listener{Listener: l, ConnPolicy: c.proxyPolicy, ReadHeaderTimeout: headerTimeout}
	}
	return gateway.Strict(l)
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
