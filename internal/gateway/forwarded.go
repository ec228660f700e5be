package gateway

import (
	"net"
	"net/http"
	"net/http/httputil"
	"net/netip"
	"slices"
	"strings"
)

// Proxies are the networks of the trusted proxies in front of the gateway. The X-Forwarded-*
// headers of other peers are ignored.
type Proxies []netip.Prefix

// trust reports whether the peer of a request is a trusted proxy.
func (p Proxies) trust(remoteAddress string) bool {
	if len(p) == 0 {
		return false
	}
	peer, err := netip.ParseAddrPort(remoteAddress)
	return err == nil && p.Contains(peer.Addr())
}

// Contains reports whether an address belongs to a trusted proxy.
func (p Proxies) Contains(address netip.Addr) bool {
	address = address.Unmap().WithZone("")
	return slices.ContainsFunc(p, func(prefix netip.Prefix) bool { return prefix.Contains(address) })
}

// setForwarded sets X-Forwarded-For, X-Forwarded-Host, X-Forwarded-Proto and Forwarded (RFC
// 7239). Existing values of these and similar headers are kept if a trusted proxy sent them,
// and removed otherwise. The values are stored in the first three elements of store.
func (g *Gateway) setForwarded(p *httputil.ProxyRequest, store []string) {
	in, out := p.In.Header, p.Out.Header
	peer, _, err := net.SplitHostPort(p.In.RemoteAddr)
	store[0], store[1], store[2] = peer, p.In.Host, forwardedElement(peer, p.In.TLS != nil)
	trusted := g.config.Proxies.trust(p.In.RemoteAddr)
	if !trusted {
		removeForwarded(out)
	}
	switch {
	case err != nil:
		delete(out, "X-Forwarded-For")
	case trusted:
		out["X-Forwarded-For"] = []string{strings.Join(append(slices.Clone(in["X-Forwarded-For"]), peer), ", ")}
	default:
		out["X-Forwarded-For"] = store[0:1:1]
	}
	out["X-Forwarded-Host"], out["X-Forwarded-Proto"], out["Forwarded"] = store[1:2:2], protocol(p.In.TLS != nil), store[2:3:3]
	if !trusted {
		return
	}
	for _, name := range []string{"X-Forwarded-Host", "X-Forwarded-Proto"} {
		if values := in[name]; len(values) > 0 {
			out[name] = values
		}
	}
	store[2] = strings.Join(append(slices.Clone(in["Forwarded"]), store[2]), ", ")
}

// callerAddress returns the address of the caller, according to the trusted proxies. It returns
// the zero Addr if the address is unknown.
func (g *Gateway) callerAddress(r *http.Request) netip.Addr {
	peer, err := netip.ParseAddrPort(r.RemoteAddr)
	if err != nil {
		return netip.Addr{}
	}
	address := peer.Addr()
	if !g.config.Proxies.Contains(address) {
		return address
	}
	// Each proxy appends the address of its peer. The last address that is not that of a
	// trusted proxy is the caller's.
	chain := strings.Split(strings.Join(r.Header["X-Forwarded-For"], ","), ",")
	for _, text := range slices.Backward(chain) {
		parsed, err := netip.ParseAddr(strings.TrimSpace(text))
		if err != nil {
			break
		}
		if address = parsed; !g.config.Proxies.Contains(parsed) {
			break
		}
	}
	return address
}

// addressHeaders are headers in which common proxies send the caller's address.
var addressHeaders = []string{
	"Cf-Connecting-Ip", "Cf-Connecting-Ipv6", "Client-Ip", "Fastly-Client-Ip", "True-Client-Ip", "X-Client-Ip", "X-Cluster-Client-Ip",
	"X-Envoy-External-Address", "X-Original-Forwarded-For", "X-Originating-Ip", "X-Real-Ip", "X-Remote-Addr", "X-Remote-Ip",
}

// removeForwarded removes all X-Forwarded-* headers and addressHeaders.
func removeForwarded(header http.Header) {
	for name := range header {
		if strings.HasPrefix(name, "X-Forwarded-") || slices.Contains(addressHeaders, name) {
			delete(header, name)
		}
	}
}

// forwardedElement returns the element of the Forwarded header for a peer. An empty peer is
// unknown.
func forwardedElement(peer string, overTLS bool) string {
	switch {
	case peer == "":
		peer = "unknown"
	case strings.Contains(peer, ":"):
		peer = `"[` + peer + `]"`
	}
	return "for=" + peer + ";proto=" + protocol(overTLS)[0]
}

// The values of X-Forwarded-Proto. They are never changed in place.
var plain, encrypted = []string{"http"}, []string{"https"}

func protocol(overTLS bool) []string {
	if overTLS {
		return encrypted
	}
	return plain
}

// overHTTPS reports whether the caller used HTTPS, according to the gateway and the trusted
// proxies.
func (g *Gateway) overHTTPS(r *http.Request) bool {
	if r.TLS != nil {
		return true
	}
	return g.config.Proxies.trust(r.RemoteAddr) && r.Header.Get("X-Forwarded-Proto") == "https"
}
