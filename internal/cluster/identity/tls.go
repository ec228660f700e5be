package identity

import (
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
)

// ServerConfig returns the TLS configuration of a server for other nodes. It requires a
// valid certificate of an incarnation; Peer returns which. The server must check that this
// is a member.
func (i *Identity) ServerConfig() *tls.Config {
	return &tls.Config{
		MinVersion: tls.VersionTLS13,
		ClientAuth: tls.RequireAnyClientCert,
		// A resumed session would be that of an older certificate.
		SessionTicketsDisabled: true,
		GetCertificate:         func(*tls.ClientHelloInfo) (*tls.Certificate, error) { return i.certificate() },
		VerifyConnection: func(state tls.ConnectionState) error {
			_, err := i.verify(state, x509.ExtKeyUsageClientAuth)
			return err
		},
	}
}

// ClientConfig returns the TLS configuration of a client that accepts one incarnation as
// the server.
func (i *Identity) ClientConfig(incarnation string) *tls.Config {
	return &tls.Config{
		MinVersion: tls.VersionTLS13,
		// VerifyConnection verifies the certificate: it names an incarnation, not a host.
		InsecureSkipVerify:     true,
		SessionTicketsDisabled: true,
		GetClientCertificate:   func(*tls.CertificateRequestInfo) (*tls.Certificate, error) { return i.certificate() },
		VerifyConnection: func(state tls.ConnectionState) error {
			named, err := i.verify(state, x509.ExtKeyUsageServerAuth)
			if err == nil && named != incarnation {
				err = fmt.Errorf("the certificate is that of incarnation %q, want %q", named, incarnation)
			}
			return err
		},
	}
}

// verify returns the incarnation of the other end of a connection.
func (i *Identity) verify(state tls.ConnectionState, usage x509.ExtKeyUsage) (incarnation string, err error) {
	if len(state.PeerCertificates) == 0 {
		return "", errors.New("the other node has no certificate")
	}
	leaf := state.PeerCertificates[0]
	_, err = leaf.Verify(x509.VerifyOptions{
		Roots: i.known.Load().pool(), CurrentTime: i.config.Now(), KeyUsages: []x509.ExtKeyUsage{usage},
	})
	if err != nil {
		return "", fmt.Errorf("verify the certificate of the other node: %w", err)
	}
	if incarnation = incarnationOf(leaf); incarnation == "" {
		return "", errors.New("the certificate of the other node names no incarnation")
	}
	return incarnation, nil
}

// Peer returns the incarnation at the other end of a connection with ServerConfig. It
// returns "" for a connection that has outlived the certificate.
func (i *Identity) Peer(state *tls.ConnectionState) string {
	if state == nil || len(state.PeerCertificates) == 0 || i.config.Now().After(state.PeerCertificates[0].NotAfter) {
		return ""
	}
	return incarnationOf(state.PeerCertificates[0])
}
