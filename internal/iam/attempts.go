package iam

import (
	"net/netip"
	"sync"
	"time"

	"golang.org/x/time/rate"
)

// Attempts limits failed authentications by client network. It keeps between 4096 and
// 8192 networks in memory: a network is forgotten only after at least 4096 others have
// failed since. It is safe for concurrent use.
type Attempts struct {
	perMinute int

	mu sync.Mutex
	// recent and older are two generations of limiters. When recent is full it replaces
	// older, whose limiters are dropped. A limiter that is used moves to recent.
	recent, older map[netip.Prefix]*rate.Limiter
	// counts are the failures since the last exchange with other nodes, without those that
	// exceeded the limit. It is nil until the first exchange.
	counts map[netip.Prefix]int
}

const (
	// maxNetworks is the maximum size of a generation.
	maxNetworks = 4096
	// clientBits is the prefix length of an IPv6 network that counts as one client, who
	// can use every address in it (RFC 6177).
	clientBits = 64
)

// NewAttempts returns a limiter that allows the given number of failures per minute and
// client network; 0 disables the limit.
func NewAttempts(perMinute int) *Attempts {
	return &Attempts{perMinute: perMinute, recent: map[netip.Prefix]*rate.Limiter{}}
}

// CountFailure counts a failed authentication from an address, and reports whether it exceeds
// the limit.
func (a *Attempts) CountFailure(from netip.Addr, now time.Time) bool {
	if a.perMinute == 0 {
		return false
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	network := ClientNetwork(from)
	if !a.limiter(network).AllowN(now, 1) {
		return true
	}
	a.count(network)
	return false
}

func (a *Attempts) limiter(from netip.Prefix) *rate.Limiter {
	if known, ok := a.recent[from]; ok {
		return known
	}
	limiter, ok := a.older[from]
	if !ok {
		limiter = rate.NewLimiter(rate.Every(time.Minute/time.Duration(a.perMinute)), a.perMinute)
	}
	if len(a.recent) >= maxNetworks {
		a.recent, a.older = map[netip.Prefix]*rate.Limiter{}, a.recent
	}
	a.recent[from] = limiter
	return limiter
}

// ClientNetwork returns the network of an address that counts as one client: an IPv4 address,
// or an IPv6 network of 64 bits. For the zero address it returns the zero prefix.
func ClientNetwork(from netip.Addr) netip.Prefix {
	from = from.Unmap().WithZone("")
	bits := from.BitLen()
	if from.Is6() {
		bits = clientBits
	}
	network, _ := from.Prefix(bits)
	return network
}
