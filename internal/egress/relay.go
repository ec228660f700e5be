package egress

import (
	"context"
	"fmt"
	"net"
	"net/netip"
	"slices"
	"strconv"
	"sync"
	"time"
)

// A Relay is a mail server that is reachable although its port is denied otherwise.
type Relay struct {
	// Host is a name or an IP address.
	Host string
	Port uint16
}

// ParseRelay parses HOST:PORT.
func ParseRelay(text string) (Relay, error) {
	host, port, err := net.SplitHostPort(text)
	if err != nil {
		return Relay{}, fmt.Errorf("parse relay %q: %w: want HOST:PORT", text, err)
	}
	number, err := strconv.ParseUint(port, 10, 16)
	if err != nil || number == 0 || host == "" {
		return Relay{}, fmt.Errorf("parse relay %q: want HOST:PORT with a port from 1 to 65535", text)
	}
	return Relay{Host: host, Port: uint16(number)}, nil
}

const (
	// relayAge is how long the addresses of a relay's name are cached, and relayTimeout
	// how long a lookup may take.
	relayAge     = time.Minute
	relayTimeout = 5 * time.Second
)

// relayNames caches the addresses of relays' names.
type relayNames struct {
	mu    sync.Mutex
	known map[string]relayAddresses
}

type relayAddresses struct {
	addresses []netip.Addr
	lookedUp  time.Time
}

// isRelay reports whether an address belongs to one of the policy's relays.
func (p *Policy) isRelay(to netip.AddrPort) bool {
	return slices.ContainsFunc(p.Relays, func(r Relay) bool {
		return r.Port == to.Port() && slices.Contains(p.addressesOf(r.Host), to.Addr().Unmap())
	})
}

func (p *Policy) addressesOf(host string) []netip.Addr {
	if a, err := netip.ParseAddr(host); err == nil {
		return []netip.Addr{a.Unmap()}
	}
	p.relays.mu.Lock()
	defer p.relays.mu.Unlock()
	now := p.Now()
	known, ok := p.relays.known[host]
	if ok && now.Sub(known.lookedUp) < relayAge {
		return known.addresses
	}
	ctx, cancel := context.WithTimeout(context.Background(), relayTimeout)
	defer cancel()
	found, err := net.DefaultResolver.LookupNetIP(ctx, "ip", host)
	if err == nil {
		known.addresses = nil
		for _, a := range found {
			known.addresses = append(known.addresses, a.Unmap())
		}
	}
	// If the lookup fails, the previous addresses stay in use.
	known.lookedUp = now
	if p.relays.known == nil {
		p.relays.known = map[string]relayAddresses{}
	}
	p.relays.known[host] = known
	return known.addresses
}
