package egress

import (
	"bufio"
	"net"
	"net/netip"
	"os"
	"slices"
	"strings"
	"sync"
	"time"
)

// mailPorts are blocked as Scaleway blocks them: what nobody trusts sends no mail.
var mailPorts = []uint16{25, 465}

// A Policy says which addresses can be reached.
type Policy struct {
	// Deny are networks that cannot be reached, beside this machine itself, its
	// links' own addresses and what is no single host.
	Deny []netip.Prefix
	// Relays can be reached at ports that are refused otherwise (25 and 465).
	Relays []Relay
	// Resolver is the DNS server that answers for the one that processes see;
	// empty for none.
	Resolver string
	// Now is the clock by which the machine's own addresses are looked up again.
	Now func() time.Time

	shares shares
	relays relayNames

	mu    sync.Mutex
	own   []netip.Addr
	asked time.Time
}

// ownAge is for how long the addresses of this machine are taken to be the same.
const ownAge = time.Second

// Allows tells whether a process may send to an address.
func (p *Policy) Allows(to netip.AddrPort) bool {
	a := to.Addr().Unmap()
	if !a.IsGlobalUnicast() || within(translated, a) || within(metadata, a) {
		return false
	}
	if slices.Contains(mailPorts, to.Port()) && !p.isRelay(to) {
		return false
	}
	for _, prefix := range p.Deny {
		if prefix.Contains(a) {
			return false
		}
	}
	own, ok := p.ownAddresses()
	return ok && !slices.Contains(own, a) && routed(a)
}

// translated are networks whose addresses stand for others, which could be this
// machine's: 6to4, Teredo and NAT64, and the one that means "this network".
var translated = []netip.Prefix{
	netip.MustParsePrefix("0.0.0.0/8"), netip.MustParsePrefix("2002::/16"), netip.MustParsePrefix("2001::/32"),
	netip.MustParsePrefix("64:ff9b::/96"), netip.MustParsePrefix("64:ff9b:1::/48"), netip.MustParsePrefix("::/96"),
}

// metadata are services that tell a machine of a cloud about itself, at addresses
// that are not of its link, which are refused anyway (169.254.0.0/16, fe80::/10).
var metadata = []netip.Prefix{
	netip.MustParsePrefix("fd00:42::/64"),           // Scaleway
	netip.MustParsePrefix("fd00:ec2::/64"),          // Amazon, and its other services of a machine
	netip.MustParsePrefix("168.63.129.16/32"),       // Azure
	netip.MustParsePrefix("fd20:ce::/64"),           // Google
	netip.MustParsePrefix("100.100.100.200/32"),     // Alibaba
	netip.MustParsePrefix("192.0.0.192/32"),         // Oracle
	netip.MustParsePrefix("fd00:c1::a9fe:a9fe/128"), // Oracle
	netip.MustParsePrefix("fd00:a9fe:a9fe::/64"),    // Linode
}

func within(networks []netip.Prefix, a netip.Addr) bool {
	return slices.ContainsFunc(networks, func(p netip.Prefix) bool { return p.Contains(a) })
}

// ownAddresses are those of this machine now. If they cannot be told, nothing is
// let through.
func (p *Policy) ownAddresses() ([]netip.Addr, bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	now := p.Now()
	if p.own != nil && now.Sub(p.asked) < ownAge {
		return p.own, true
	}
	addresses, err := net.InterfaceAddrs()
	if err != nil {
		return nil, false
	}
	p.own, p.asked = []netip.Addr{}, now
	for _, address := range addresses {
		if prefix, err := netip.ParsePrefix(address.String()); err == nil {
			p.own = append(p.own, prefix.Addr().Unmap())
		}
	}
	return p.own, true
}

// SystemResolver is the first DNS server that this machine asks, or empty.
func SystemResolver() string {
	file, err := os.Open("/etc/resolv.conf")
	if err != nil {
		return ""
	}
	defer file.Close()
	for lines := bufio.NewScanner(file); lines.Scan(); {
		fields := strings.Fields(lines.Text())
		if len(fields) < 2 || fields[0] != "nameserver" {
			continue
		}
		if a, err := netip.ParseAddr(fields[1]); err == nil {
			return netip.AddrPortFrom(a, dnsPort).String()
		}
	}
	return ""
}
