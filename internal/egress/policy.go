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

// HostName is the name of this machine in a namespace.
const HostName = "host.jeton.internal"

// mailPorts are denied, as at Scaleway: untrusted code must not send mail.
var mailPorts = []uint16{25, 465}

// A Policy decides which addresses processes can reach. This machine, link-local,
// multicast and broadcast addresses, metadata services and mail ports are always denied.
// Its methods are safe for concurrent use.
type Policy struct {
	// Deny are additional networks that are denied.
	Deny []netip.Prefix
	// Relays are allowed mail servers: they are exempt from the denial of mail ports.
	Relays []Relay
	// Host has the services of this machine that are reachable at HostName: the HOST:PORT to
	// connect to, by the port at HostName. Others are denied.
	Host map[uint16]string
	// Resolver is the HOST:PORT of the DNS server behind ResolverAddress; empty for none.
	Resolver string
	// Now returns the current time. It must not be nil.
	Now func() time.Time

	limiter limiter
	relays  relayNames

	mu       sync.Mutex
	own      []netip.Addr
	lookedUp time.Time
}

// ownAge is how long the addresses of this machine are cached.
const ownAge = time.Second

// Allows reports whether a process may send to an address.
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

// translated are networks whose addresses contain another address, which may be this
// machine's: 6to4, Teredo, NAT64 and IPv4-compatible ones. 0.0.0.0/8 is "this network".
var translated = []netip.Prefix{
	netip.MustParsePrefix("0.0.0.0/8"), netip.MustParsePrefix("2002::/16"), netip.MustParsePrefix("2001::/32"),
	netip.MustParsePrefix("64:ff9b::/96"), netip.MustParsePrefix("64:ff9b:1::/48"), netip.MustParsePrefix("::/96"),
}

// metadata are the addresses of cloud metadata services that are not link-local.
// Link-local ones (169.254.0.0/16, fe80::/10) are denied anyway.
var metadata = []netip.Prefix{
	netip.MustParsePrefix("fd00:42::/64"),           // Scaleway
	netip.MustParsePrefix("fd00:ec2::/64"),          // Amazon, including its DNS and time services
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

// ownAddresses returns the addresses of this machine's interfaces, at most ownAge old.
// ok is false if they are unknown: Allows denies everything then.
func (p *Policy) ownAddresses() (addresses []netip.Addr, ok bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	now := p.Now()
	if p.own != nil && now.Sub(p.lookedUp) < ownAge {
		return p.own, true
	}
	found, err := net.InterfaceAddrs()
	if err != nil {
		return nil, false
	}
	p.own, p.lookedUp = []netip.Addr{}, now
	for _, address := range found {
		if prefix, err := netip.ParsePrefix(address.String()); err == nil {
			p.own = append(p.own, prefix.Addr().Unmap())
		}
	}
	return p.own, true
}

// SystemResolver returns the HOST:PORT of the first DNS server in /etc/resolv.conf, or "".
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
