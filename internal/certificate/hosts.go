package certificate

import (
	"crypto/tls"
	"errors"
	"strings"
	"sync"
)

// maxCached is the maximum number of cached certificates. Issuing one takes a fraction of a
// millisecond.
const maxCached = 1000

// ErrUnknownHost ends a handshake for a hostname that belongs to no function.
var ErrUnknownHost = errors.New("no function has this hostname")

// Hosts issues a certificate from a local authority for each requested hostname that belongs
// to a function. It is safe for concurrent use.
type Hosts struct {
	authority *Authority
	known     func(host string) bool

	mu    sync.Mutex
	cache map[string]*tls.Certificate
}

// NewHosts returns the certificates of the hostnames for which known returns true.
func NewHosts(authority *Authority, known func(host string) bool) *Hosts {
	return &Hosts{authority: authority, known: known, cache: map[string]*tls.Certificate{}}
}

// GetCertificate implements tls.Config.GetCertificate. It returns ErrUnknownHost for an
// unknown hostname and for a client without SNI.
func (h *Hosts) GetCertificate(hello *tls.ClientHelloInfo) (*tls.Certificate, error) {
	host := strings.ToLower(strings.TrimSuffix(hello.ServerName, "."))
	if host == "" || !h.known(host) {
		return nil, ErrUnknownHost
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	if cached := h.cache[host]; cached != nil && h.authority.fresh(cached) {
		return cached, nil
	}
	issued, err := h.authority.issue(host)
	if err != nil {
		return nil, err
	}
	h.evict()
	h.cache[host] = issued
	return issued, nil
}

// evict removes an arbitrary certificate if the cache is full. The caller holds h.mu.
func (h *Hosts) evict() {
	for host := range h.cache {
		if len(h.cache) < maxCached {
			return
		}
		delete(h.cache, host)
	}
}
