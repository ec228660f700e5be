package broker

import (
	"net/netip"
	"slices"
)

// Of the addresses that are for special purposes (RFC 6890 and the registries that
// it made) these look like those of the internet, and are not.
var notPublic = []netip.Prefix{
	netip.MustParsePrefix("0.0.0.0/8"),        // this network
	netip.MustParsePrefix("100.64.0.0/10"),    // behind a carrier's NAT
	netip.MustParsePrefix("168.63.129.16/32"), // services of Azure for its machines
	netip.MustParsePrefix("192.0.0.0/24"),     // protocol assignments
	netip.MustParsePrefix("192.0.2.0/24"),     // documentation
	netip.MustParsePrefix("192.88.99.0/24"),   // relays of 6to4
	netip.MustParsePrefix("198.18.0.0/15"),    // benchmarks
	netip.MustParsePrefix("198.51.100.0/24"),  // documentation
	netip.MustParsePrefix("203.0.113.0/24"),   // documentation
	netip.MustParsePrefix("240.0.0.0/4"),      // reserved
	netip.MustParsePrefix("2001::/23"),        // protocol assignments, Teredo among them
	netip.MustParsePrefix("2001:db8::/32"),    // documentation
	netip.MustParsePrefix("2002::/16"),        // 6to4: IPv4 within
	netip.MustParsePrefix("3fff::/20"),        // documentation
}

var (
	// internet6 is all of IPv6 that was ever given out: local addresses, mapped
	// ones and translators' own are outside of it.
	internet6 = netip.MustParsePrefix("2000::/3")
	// translated has an IPv4 address in its last four bytes, which a translator
	// of the network's leads to (RFC 6052).
	translated = netip.MustParsePrefix("64:ff9b::/96")
)

// public tells whether an address is one of the internet, and not of this machine
// or of a network around it.
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
