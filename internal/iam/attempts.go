package iam

import (
	"net/netip"
	"sync"
	"time"

	"golang.org/x/time/rate"
)

// Attempts counts the wrong keys from each address, so that those who try many
// can be slowed. It never forgets an address before thousands of others have
// come, and never keeps more than twice as many.
type Attempts struct {
	perMinute int

	mu sync.Mutex
	// recent are the addresses of now. When they are too many they become the
	// older ones, and the ones before are forgotten; an older one that comes
	// again is recent again.
	recent, older map[netip.Prefix]*rate.Limiter
}

const (
	maxAddresses = 4096
	// An IPv6 network of this length is one customer, who can use any address
	// in it (RFC 6177).
	customerBits = 64
)

// NewAttempts allows so many wrong keys a minute from one address; any number if
// it is zero.
func NewAttempts(perMinute int) *Attempts {
	return &Attempts{perMinute: perMinute, recent: map[netip.Prefix]*rate.Limiter{}}
}

// Wrong counts a wrong key, and tells whether it is one too many.
func (a *Attempts) Wrong(from netip.Addr, now time.Time) bool {
	if a.perMinute == 0 {
		return false
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	return !a.limiter(Customer(from)).AllowN(now, 1)
}

func (a *Attempts) limiter(from netip.Prefix) *rate.Limiter {
	if known, ok := a.recent[from]; ok {
		return known
	}
	limiter, ok := a.older[from]
	if !ok {
		limiter = rate.NewLimiter(rate.Every(time.Minute/time.Duration(a.perMinute)), a.perMinute)
	}
	if len(a.recent) >= maxAddresses {
		a.recent, a.older = map[netip.Prefix]*rate.Limiter{}, a.recent
	}
	a.recent[from] = limiter
	return limiter
}

// Customer returns the network that counts as one client: an IPv4 address, or an
// IPv6 network of customerBits. That of the zero address is the zero one.
func Customer(from netip.Addr) netip.Prefix {
	from = from.Unmap().WithZone("")
	bits := from.BitLen()
	if from.Is6() {
		bits = customerBits
	}
	network, _ := from.Prefix(bits)
	return network
}
