package gateway

import (
	"net"
	"net/http"
	"net/http/httputil"
	"net/netip"
	"slices"
	"strings"
)

// Proxies are the addresses of the proxies in front of the gateway, which are
// believed what they say of their callers.
type Proxies []netip.Prefix

// trust tells whether the peer of a request is one of them.
func (p Proxies) trust(remoteAddress string) bool {
	peer, err := netip.ParseAddrPort(remoteAddress)
	return err == nil && p.Contain(peer.Addr())
}

// Contain tells whether an address is one of them.
func (p Proxies) Contain(address netip.Addr) bool {
	address = address.Unmap().WithZone("")
	return slices.ContainsFunc(p, func(prefix netip.Prefix) bool { return prefix.Contains(address) })
}

// setForwarded tells the function who calls: X-Forwarded-For, -Host and -Proto,
// and Forwarded (RFC 7239). What stands there already, and in others of their
// kind, is kept if it comes from a trusted proxy, and is dropped otherwise:
// anybody could have written it.
func (g *Gateway) setForwarded(p *httputil.ProxyRequest) {
	in := p.In.Header
	trusted := g.Proxies.trust(p.In.RemoteAddr)
	if trusted {
		p.Out.Header["X-Forwarded-For"] = in["X-Forwarded-For"]
	} else {
		dropClaimed(p.Out.Header)
	}
	p.SetXForwarded()
	element := forwardedElement(p.In)
	if trusted {
		for _, name := range []string{"X-Forwarded-Host", "X-Forwarded-Proto"} {
			if values := in[name]; len(values) > 0 {
				p.Out.Header[name] = values
			}
		}
		element = strings.Join(append(slices.Clone(in["Forwarded"]), element), ", ")
	}
	p.Out.Header.Set("Forwarded", element)
}

// callerAddress is the address of the caller, as far as the gateway and the proxies
// that it trusts know; the zero one if that is not known.
func (g *Gateway) callerAddress(r *http.Request) netip.Addr {
	peer, err := netip.ParseAddrPort(r.RemoteAddr)
	if err != nil {
		return netip.Addr{}
	}
	address := peer.Addr()
	if !g.Proxies.Contain(address) {
		return address
	}
	// Each proxy appends the address that it has seen. The last one that is no
	// trusted proxy's is the caller's.
	chain := strings.Split(strings.Join(r.Header["X-Forwarded-For"], ","), ",")
	for _, text := range slices.Backward(chain) {
		said, err := netip.ParseAddr(strings.TrimSpace(text))
		if err != nil {
			break
		}
		if address = said; !g.Proxies.Contain(said) {
			break
		}
	}
	return address
}

// claimedAddresses are headers in which proxies of many kinds say who calls.
var claimedAddresses = []string{
	"Cf-Connecting-Ip", "Cf-Connecting-Ipv6", "Client-Ip", "Fastly-Client-Ip", "True-Client-Ip", "X-Client-Ip", "X-Cluster-Client-Ip",
	"X-Envoy-External-Address", "X-Original-Forwarded-For", "X-Originating-Ip", "X-Real-Ip", "X-Remote-Addr", "X-Remote-Ip",
}

// dropClaimed removes X-Forwarded-Port, -Prefix and whatever else proxies of many
// kinds write.
func dropClaimed(header http.Header) {
	for name := range header {
		if strings.HasPrefix(name, "X-Forwarded-") || slices.Contains(claimedAddresses, name) {
			delete(header, name)
		}
	}
}

// forwardedElement is what the gateway itself has seen of a caller.
func forwardedElement(r *http.Request) string {
	host, _, err := net.SplitHostPort(r.RemoteAddr)
	if err != nil {
		host = "unknown"
	}
	if strings.Contains(host, ":") {
		host = `"[` + host + `]"`
	}
	proto := "http"
	if r.TLS != nil {
		proto = "https"
	}
	return "for=" + host + ";proto=" + proto
}

// overHTTPS tells whether the caller came over https, as far as the gateway
// and the proxies that it trusts know.
func (g *Gateway) overHTTPS(r *http.Request) bool {
	if r.TLS != nil {
		return true
	}
	return g.Proxies.trust(r.RemoteAddr) && r.Header.Get("X-Forwarded-Proto") == "https"
}
