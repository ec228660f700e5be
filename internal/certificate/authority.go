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
	"os"
	"path/filepath"
	"slices"
	"time"

	"github.com/google/renameio/v2"
)

// The files of an authority, in the data folder. The certificate is for
// everybody to see; the key is sealed.
const (
	AuthorityFile    = "ca.pem"
	authorityKeyFile = "ca.key"
)

// keyPurpose is what the authority's key is sealed for.
const keyPurpose = "private key of the local certificate authority"

// How long certificates are good for. Apple's systems take none that is good
// for longer than 825 days.
const (
	authorityLife = 10 * 365 * 24 * time.Hour
	leafLife      = 90 * 24 * time.Hour
	// backdated is for clients whose clocks are slow.
	backdated = time.Hour
)

// A Sealer seals private keys for keeping, and opens them.
type Sealer interface {
	Seal(plain []byte, purpose string) []byte
	Open(sealed []byte, purpose string) ([]byte, error)
}

// An Authority signs certificates that those trust who were told to trust it:
// it is for development.
type Authority struct {
	certificate *x509.Certificate
	key         *ecdsa.PrivateKey
	now         func() time.Time
}

// OpenAuthority opens the authority that is kept in the folder, and makes one
// where there is none yet. It can sign for what is below the given domains, and
// for nothing else: whoever trusts it risks no more than that.
func OpenAuthority(dir string, domains []string, sealer Sealer, now func() time.Time) (*Authority, error) {
	certificatePath, keyPath := filepath.Join(dir, AuthorityFile), filepath.Join(dir, authorityKeyFile)
	encoded, err := os.ReadFile(certificatePath)
	if errors.Is(err, os.ErrNotExist) {
		return createAuthority(certificatePath, keyPath, domains, sealer, now)
	}
	if err != nil {
		return nil, fmt.Errorf("certificate authority: %w", err)
	}
	a, err := readAuthority(encoded, keyPath, sealer)
	if err == nil {
		a.now = now
		err = a.check(domains)
	}
	if err != nil {
		return nil, fmt.Errorf("certificate authority %s: %w: remove the file to have a new one made, which clients must be told to trust", certificatePath, err)
	}
	return a, nil
}

func readAuthority(encoded []byte, keyPath string, sealer Sealer) (*Authority, error) {
	block, _ := pem.Decode(encoded)
	if block == nil {
		return nil, errors.New("no PEM")
	}
	certificate, err := x509.ParseCertificate(block.Bytes)
	if err != nil {
		return nil, err
	}
	sealed, err := os.ReadFile(keyPath)
	if err != nil {
		return nil, err
	}
	plain, err := sealer.Open(sealed, keyPurpose)
	if err != nil {
		return nil, fmt.Errorf("key %s: %w", keyPath, err)
	}
	key, err := x509.ParseECPrivateKey(plain)
	if err != nil {
		return nil, fmt.Errorf("key %s is none", keyPath)
	}
	if !key.PublicKey.Equal(certificate.PublicKey) {
		return nil, fmt.Errorf("key %s belongs to another certificate", keyPath)
	}
	return &Authority{certificate: certificate, key: key}, nil
}

func (a *Authority) check(domains []string) error {
	if !slices.Equal(a.certificate.PermittedDNSDomains, domains) {
		return fmt.Errorf("it was made for the domains %v and not for %v", a.certificate.PermittedDNSDomains, domains)
	}
	if a.now().Add(leafLife).After(a.certificate.NotAfter) {
		return fmt.Errorf("it ends on %s", a.certificate.NotAfter.Format(time.DateOnly))
	}
	return nil
}

// createAuthority writes the key first: a crash between the two leaves a key
// without a certificate, which the next start replaces.
func createAuthority(certificatePath, keyPath string, domains []string, sealer Sealer, now func() time.Time) (*Authority, error) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return nil, err
	}
	template := &x509.Certificate{
		Subject:   pkix.Name{CommonName: "Jeton local authority", Organization: []string{"Jeton"}},
		NotBefore: now().Add(-backdated), NotAfter: now().Add(authorityLife),
		KeyUsage:                    x509.KeyUsageCertSign | x509.KeyUsageCRLSign,
		IsCA:                        true,
		BasicConstraintsValid:       true,
		MaxPathLenZero:              true,
		PermittedDNSDomainsCritical: true,
		PermittedDNSDomains:         domains,
	}
	certificate, err := sign(template, template, key, key)
	if err != nil {
		return nil, err
	}
	plain, err := x509.MarshalECPrivateKey(key)
	if err != nil {
		return nil, err
	}
	a := &Authority{certificate: certificate, key: key, now: now}
	err = writeFile(keyPath, sealer.Seal(plain, keyPurpose), 0o600)
	if err == nil {
		err = writeFile(certificatePath, a.PEM(), 0o644)
	}
	if err != nil {
		return nil, fmt.Errorf("keep the certificate authority: %w", err)
	}
	return a, nil
}

// writeFile leaves either the old file or the whole new one.
func writeFile(path string, content []byte, mode os.FileMode) error {
	return renameio.WriteFile(path, content, mode, renameio.WithTempDir(filepath.Dir(path)))
}

// PEM returns the authority's certificate, which clients must trust.
func (a *Authority) PEM() []byte {
	return pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: a.certificate.Raw})
}

// issue makes a certificate for one host.
func (a *Authority) issue(host string) (*tls.Certificate, error) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return nil, err
	}
	template := &x509.Certificate{
		Subject:   pkix.Name{Organization: []string{"Jeton"}},
		DNSNames:  []string{host},
		NotBefore: a.now().Add(-backdated), NotAfter: a.now().Add(leafLife),
		KeyUsage:              x509.KeyUsageDigitalSignature,
		ExtKeyUsage:           []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth},
		BasicConstraintsValid: true,
	}
	certificate, err := sign(template, a.certificate, key, a.key)
	if err != nil {
		return nil, fmt.Errorf("certificate for %s: %w", host, err)
	}
	return &tls.Certificate{Certificate: [][]byte{certificate.Raw}, PrivateKey: key, Leaf: certificate}, nil
}

func sign(template, parent *x509.Certificate, key, by *ecdsa.PrivateKey) (*x509.Certificate, error) {
	// Without a serial number in the template, a random one is taken.
	der, err := x509.CreateCertificate(rand.Reader, template, parent, &key.PublicKey, by)
	if err != nil {
		return nil, err
	}
	return x509.ParseCertificate(der)
}
