package certificate

import (
	"crypto/tls"
	"errors"
	"strings"
	"sync"
)

// maxKept is how many certificates are kept. Making one again costs a fraction
// of a millisecond.
const maxKept = 1000

// ErrUnknownHost ends a handshake for a host that is no function's.
var ErrUnknownHost = errors.New("no function has this host name")

// Hosts has a certificate made for each host that is asked for, if it is a
// function's.
type Hosts struct {
	authority *Authority
	known     func(host string) bool

	mu   sync.Mutex
	kept map[string]*tls.Certificate
}

// NewHosts returns the certificates of the hosts that are known to be there.
func NewHosts(authority *Authority, known func(host string) bool) *Hosts {
	return &Hosts{authority: authority, known: known, kept: map[string]*tls.Certificate{}}
}

// GetCertificate is for tls.Config. Returns ErrUnknownHost, for a client too
// that names no host.
func (h *Hosts) GetCertificate(hello *tls.ClientHelloInfo) (*tls.Certificate, error) {
	host := strings.ToLower(strings.TrimSuffix(hello.ServerName, "."))
	if host == "" || !h.known(host) {
		return nil, ErrUnknownHost
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	if kept := h.kept[host]; kept != nil && h.fresh(kept) {
		return kept, nil
	}
	made, err := h.authority.issue(host)
	if err != nil {
		return nil, err
	}
	h.makeRoom()
	h.kept[host] = made
	return made, nil
}

// fresh tells whether a certificate has a third of its life before it.
func (h *Hosts) fresh(c *tls.Certificate) bool {
	return h.authority.now().Add(leafLife / 3).Before(c.Leaf.NotAfter)
}

// makeRoom drops any one certificate where too many are kept.
func (h *Hosts) makeRoom() {
	for host := range h.kept {
		if len(h.kept) < maxKept {
			return
		}
		delete(h.kept, host)
	}
}
