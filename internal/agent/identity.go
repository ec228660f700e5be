package agent

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/sha256"
	"crypto/tls"
	"crypto/x509"
	"encoding/hex"
	"errors"
	"math/big"
	"time"
)

// An Identity is a key pair that exists as long as its process. Peers compare the key, and
// nothing else in the certificate.
type Identity struct{ certificate tls.Certificate }

// NewIdentity returns an identity with a new key.
func NewIdentity() (*Identity, error) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return nil, err
	}
	template := &x509.Certificate{SerialNumber: big.NewInt(1), NotBefore: time.Unix(0, 0), NotAfter: time.Unix(1<<36, 0)}
	encoded, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	if err != nil {
		return nil, err
	}
	leaf, err := x509.ParseCertificate(encoded)
	if err != nil {
		return nil, err
	}
	return &Identity{tls.Certificate{Certificate: [][]byte{encoded}, PrivateKey: key, Leaf: leaf}}, nil
}

// Key returns the fingerprint of the public key: its SHA-256 digest in hexadecimal.
func (i *Identity) Key() string { return fingerprint(i.certificate.Leaf) }

func fingerprint(c *x509.Certificate) string {
	sum := sha256.Sum256(c.RawSubjectPublicKeyInfo)
	return hex.EncodeToString(sum[:])
}

// PeerKey returns the fingerprint of the key that the other side of a connection has proved to
// have; empty if it has none.
func PeerKey(state tls.ConnectionState) string {
	if len(state.PeerCertificates) == 0 {
		return ""
	}
	return fingerprint(state.PeerCertificates[0])
}

// errOtherKey is returned for a peer with another key than expected.
var errOtherKey = errors.New("the other side has another key than expected")

// config returns the settings that both sides share. Accept decides about the key of the peer. In
// TLS 1.3 each side proves that it has the private key of its certificate.
func (i *Identity) config(protocols []string, accept func(key string) bool) *tls.Config {
	return &tls.Config{
		Certificates: []tls.Certificate{i.certificate}, MinVersion: tls.VersionTLS13, NextProtos: protocols,
		// The key is compared, and no name or authority.
		InsecureSkipVerify: true,
		ClientAuth:         tls.RequireAnyClientCert,
		// A connection without a call must be silent: see upstream.Transport.
		SessionTicketsDisabled: true,
		VerifyConnection: func(state tls.ConnectionState) error {
			if !accept(PeerKey(state)) {
				return errOtherKey
			}
			return nil
		},
	}
}

// ClientConfig returns the settings of a node that connects with a protocol. Accept decides about
// the fingerprint of the agent's key.
func (i *Identity) ClientConfig(protocol string, accept func(key string) bool) *tls.Config {
	return i.config([]string{protocol}, accept)
}
