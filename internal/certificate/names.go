package certificate

import (
	"crypto/tls"
	"sync"
)

// Names issues one certificate of a local authority for fixed hostnames and IP addresses, for
// clients that may send no SNI. It is safe for concurrent use.
type Names struct {
	authority *Authority
	names     []string

	mu      sync.Mutex
	current *tls.Certificate
}

// NewNames returns the certificate of the names. The authority must be constrained to them.
func NewNames(authority *Authority, names ...string) *Names {
	return &Names{authority: authority, names: names}
}

// GetCertificate implements tls.Config.GetCertificate.
func (n *Names) GetCertificate(*tls.ClientHelloInfo) (*tls.Certificate, error) {
	n.mu.Lock()
	defer n.mu.Unlock()
	if n.current != nil && n.authority.fresh(n.current) {
		return n.current, nil
	}
	issued, err := n.authority.issue(n.names...)
	if err == nil {
		n.current = issued
	}
	return issued, err
}
