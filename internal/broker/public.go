package broker

import (
	"net/netip"
	"slices"
)

// notPublic has the special-purpose addresses (RFC 6890 and its registries) that the
// methods of netip.Addr do not exclude.
var notPublic = []netip.Prefix{
	netip.MustParsePrefix("0.0.0.0/8"),        // this network
	netip.MustParsePrefix("100.64.0.0/10"),    // carrier-grade NAT
	netip.MustParsePrefix("168.63.129.16/32"), // Azure's metadata and DNS
	netip.MustParsePrefix("192.0.0.0/24"),     // protocol assignments
	netip.MustParsePrefix("192.0.2.0/24"),     // documentation
	netip.MustParsePrefix("192.88.99.0/24"),   // 6to4 relays
	netip.MustParsePrefix("198.18.0.0/15"),    // benchmarks
	netip.MustParsePrefix("198.51.100.0/24"),  // documentation
	netip.MustParsePrefix("203.0.113.0/24"),   // documentation
	netip.MustParsePrefix("240.0.0.0/4"),      // reserved
	netip.MustParsePrefix("2001::/23"),        // protocol assignments, such as Teredo
	netip.MustParsePrefix("2001:db8::/32"),    // documentation
	netip.MustParsePrefix("2002::/16"),        // 6to4, which embeds IPv4 addresses
	netip.MustParsePrefix("3fff::/20"),        // documentation
}

var (
	// internet6 is the range from which public IPv6 addresses are assigned.
	internet6 = netip.MustParsePrefix("2000::/3")
	// translated is the range of NAT64, whose addresses embed an IPv4 address in the
	// last four bytes (RFC 6052).
	translated = netip.MustParsePrefix("64:ff9b::/96")
)

// public reports whether an address is a public one of the internet. It does not
// exclude public addresses of this machine.
func public(ip netip.Addr) bool {
	if translated.Contains(ip) {
		bytes := ip.As16()
		return public(netip.AddrFrom4([4]byte(bytes[12:])))
	}
	if ip.Is6() && !internet6.Contains(ip) {
		return false
	}
	special := slices.ContainsFunc(notPublic, func(p netip.Prefix) bool { return p.Contains(ip) })
	return ip.IsGlobalUnicast() && !ip.IsPrivate() && !special
}
