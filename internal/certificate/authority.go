package certificate

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"errors"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/google/renameio/v2"
)

// The files of an authority in the data directory. The certificate is public; the key is
// sealed.
const (
	AuthorityFile    = "ca.pem"
	AuthorityKeyFile = "ca.key"
)

// KeyPurpose is the purpose for which the authority's key is sealed.
const KeyPurpose = "private key of the local certificate authority"

// Lifetimes of certificates. Apple's systems refuse leaf certificates with a lifetime of more
// than 825 days.
const (
	authorityLife = 10 * 365 * 24 * time.Hour
	leafLife      = 90 * 24 * time.Hour
	// clockSkew is how far a client's clock may be behind.
	clockSkew = time.Hour
)

// A Sealer encrypts private keys. Open returns an error if the key or the purpose differs
// from that of Seal.
type Sealer interface {
	Seal(plain []byte, purpose string) []byte
	Open(sealed []byte, purpose string) ([]byte, error)
}

// An Authority is a local certificate authority for development. Clients must add its
// certificate to their roots.
type Authority struct {
	certificate *x509.Certificate
	key         *ecdsa.PrivateKey
	now         func() time.Time
}

// OpenAuthority opens the authority in a directory, or creates one. Its certificate is
// constrained to the given domains and their subdomains, and to the IP addresses among them, so that clients that trust it accept
// certificates for no other hostname. It returns an error if the stored authority has other
// domains, expires soon or cannot be read.
func OpenAuthority(dir string, domains []string, sealer Sealer, now func() time.Time) (*Authority, error) {
	certificatePath, keyPath := filepath.Join(dir, AuthorityFile), filepath.Join(dir, AuthorityKeyFile)
	encoded, err := os.ReadFile(certificatePath)
	if errors.Is(err, os.ErrNotExist) {
		return createAuthority(certificatePath, keyPath, domains, sealer, now)
	}
	if err != nil {
		return nil, fmt.Errorf("read certificate authority: %w", err)
	}
	a, err := readAuthority(encoded, keyPath, sealer)
	if err == nil {
		a.now = now
		err = a.check(domains)
	}
	if err != nil {
		return nil, fmt.Errorf("read certificate authority %s: %w: remove the file to create a new authority, and add that to the roots of clients", certificatePath, err)
	}
	return a, nil
}

func readAuthority(encoded []byte, keyPath string, sealer Sealer) (*Authority, error) {
	certificate, err := parseCertificate(encoded)
	if err != nil {
		return nil, err
	}
	sealed, err := os.ReadFile(keyPath)
	if err != nil {
		return nil, err
	}
	plain, err := sealer.Open(sealed, KeyPurpose)
	if err != nil {
		return nil, fmt.Errorf("decrypt key %s: %w", keyPath, err)
	}
	key, err := parseKey(plain, certificate)
	if err != nil {
		return nil, fmt.Errorf("key %s %w", keyPath, err)
	}
	return &Authority{certificate: certificate, key: key}, nil
}

func parseCertificate(encoded []byte) (*x509.Certificate, error) {
	block, _ := pem.Decode(encoded)
	if block == nil {
		return nil, errors.New("not a PEM certificate")
	}
	return x509.ParseCertificate(block.Bytes)
}

// parseKey parses the private key of a certificate. Its errors follow the name of the key.
func parseKey(plain []byte, certificate *x509.Certificate) (*ecdsa.PrivateKey, error) {
	key, err := x509.ParseECPrivateKey(plain)
	if err != nil {
		return nil, errors.New("is not an EC private key")
	}
	if !key.PublicKey.Equal(certificate.PublicKey) {
		return nil, errors.New("is the key of another certificate")
	}
	return key, nil
}

// Covers returns an error if the authority cannot certify a host.
func (a *Authority) Covers(host string) error {
	for _, domain := range a.certificate.PermittedDNSDomains {
		if host == domain || strings.HasSuffix(host, "."+domain) {
			return nil
		}
	}
	return fmt.Errorf("the local authority certifies only hosts of %v: add the domain of %s to --local-domains, or use --tls-cert or --acme-directory",
		a.certificate.PermittedDNSDomains, host)
}

// check returns an error if the authority cannot issue certificates for the domains.
func (a *Authority) check(domains []string) error {
	hosts, addresses := split(domains)
	same := slices.EqualFunc(a.certificate.PermittedIPRanges, networks(addresses), func(x, y *net.IPNet) bool { return x.String() == y.String() })
	if !slices.Equal(a.certificate.PermittedDNSDomains, hosts) || !same {
		return fmt.Errorf("it is constrained to the domains %v and addresses %v, not %v", a.certificate.PermittedDNSDomains, a.certificate.PermittedIPRanges, domains)
	}
	if a.now().Add(leafLife).After(a.certificate.NotAfter) {
		return fmt.Errorf("it expires on %s", a.certificate.NotAfter.Format(time.DateOnly))
	}
	return nil
}

// createAuthority writes the key before the certificate: if the process crashes in between,
// the next start finds no certificate and replaces the key.
func createAuthority(certificatePath, keyPath string, domains []string, sealer Sealer, now func() time.Time) (*Authority, error) {
	a, err := newAuthority(domains, now)
	if err != nil {
		return nil, err
	}
	plain, err := x509.MarshalECPrivateKey(a.key)
	if err != nil {
		return nil, err
	}
	err = writeFile(keyPath, sealer.Seal(plain, KeyPurpose), 0o600)
	if err == nil {
		err = writeFile(certificatePath, a.PEM(), 0o644)
	}
	if err != nil {
		return nil, fmt.Errorf("write certificate authority: %w", err)
	}
	return a, nil
}

// newAuthority returns an authority with a new key.
func newAuthority(domains []string, now func() time.Time) (*Authority, error) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return nil, err
	}
	hosts, addresses := split(domains)
	template := &x509.Certificate{
		Subject:   pkix.Name{CommonName: "Jeton local authority", Organization: []string{"Jeton"}},
		NotBefore: now().Add(-clockSkew), NotAfter: now().Add(authorityLife),
		KeyUsage:                    x509.KeyUsageCertSign | x509.KeyUsageCRLSign,
		IsCA:                        true,
		BasicConstraintsValid:       true,
		MaxPathLenZero:              true,
		PermittedDNSDomainsCritical: true,
		PermittedDNSDomains:         hosts,
		PermittedIPRanges:           networks(addresses),
	}
	certificate, err := sign(template, template, key, key)
	if err != nil {
		return nil, err
	}
	return &Authority{certificate: certificate, key: key, now: now}, nil
}

// writeFile replaces a file atomically.
func writeFile(path string, content []byte, mode os.FileMode) error {
	return renameio.WriteFile(path, content, mode, renameio.WithTempDir(filepath.Dir(path)))
}

// PEM returns the authority's certificate as PEM, for the roots of clients.
func (a *Authority) PEM() []byte {
	return pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: a.certificate.Raw})
}

// fresh reports whether at least a third of a certificate's lifetime remains.
func (a *Authority) fresh(c *tls.Certificate) bool {
	return a.now().Add(leafLife / 3).Before(c.Leaf.NotAfter)
}

// split returns the hostnames and the IP addresses among names.
func split(names []string) (hosts []string, addresses []net.IP) {
	for _, name := range names {
		if ip := net.ParseIP(name); ip != nil {
			addresses = append(addresses, ip)
			continue
		}
		hosts = append(hosts, name)
	}
	return hosts, addresses
}

// networks returns the networks that contain only one of the addresses each.
func networks(addresses []net.IP) []*net.IPNet {
	var all []*net.IPNet
	for _, ip := range addresses {
		if v4 := ip.To4(); v4 != nil {
			ip = v4
		}
		all = append(all, &net.IPNet{IP: ip, Mask: net.CIDRMask(8*len(ip), 8*len(ip))})
	}
	return all
}

// issue returns a new certificate for hostnames and IP addresses.
func (a *Authority) issue(names ...string) (*tls.Certificate, error) {
	hosts, addresses := split(names)
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return nil, err
	}
	template := &x509.Certificate{
		Subject:  pkix.Name{Organization: []string{"Jeton"}},
		DNSNames: hosts, IPAddresses: addresses,
		NotBefore: a.now().Add(-clockSkew), NotAfter: a.now().Add(leafLife),
		KeyUsage:              x509.KeyUsageDigitalSignature,
		ExtKeyUsage:           []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth},
		BasicConstraintsValid: true,
	}
	certificate, err := sign(template, a.certificate, key, a.key)
	if err != nil {
		return nil, fmt.Errorf("issue certificate for %s: %w", strings.Join(names, ", "), err)
	}
	return &tls.Certificate{Certificate: [][]byte{certificate.Raw}, PrivateKey: key, Leaf: certificate}, nil
}

// sign returns the certificate of key, signed by the key of parent.
func sign(template, parent *x509.Certificate, key, parentKey *ecdsa.PrivateKey) (*x509.Certificate, error) {
	// The template has no serial number, so CreateCertificate generates a random one.
	der, err := x509.CreateCertificate(rand.Reader, template, parent, &key.PublicKey, parentKey)
	if err != nil {
		return nil, err
	}
	return x509.ParseCertificate(der)
}
