package certificate

import (
	"bytes"
	"context"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"time"
)

// SharedPurpose is the purpose for which a shared authority is sealed.
const SharedPurpose = "local certificate authority of all servers"

// SharedConfig configures an authority that several servers share. All fields are required.
type SharedConfig struct {
	// Setting returns the stored authority, or stores the one that create returns unless
	// another server is faster.
	Setting func(ctx context.Context, create func() ([]byte, error)) ([]byte, error)
	// Dir receives a copy of the certificate. If it has an authority already, that one
	// becomes the shared one, unless there is one.
	Dir string
	// Domains are as for OpenAuthority.
	Domains []string
	Sealer  Sealer
	Now     func() time.Time
}

// OpenSharedAuthority opens the authority of all servers, or creates one. It returns an error
// if the stored authority has other domains, expires soon or cannot be read.
func OpenSharedAuthority(ctx context.Context, c SharedConfig) (*Authority, error) {
	sealed, err := c.Setting(ctx, c.create)
	if err != nil {
		return nil, fmt.Errorf("read certificate authority: %w", err)
	}
	a, err := c.open(sealed)
	if err == nil {
		a.now = c.Now
		err = a.check(c.Domains)
	}
	if err != nil {
		return nil, fmt.Errorf("read certificate authority of the database: %w: remove the row authority of the table settings to create a new authority, and add that to the roots of clients", err)
	}
	return a, c.copy(a)
}

// create returns a sealed authority: that of Dir, or a new one.
func (c SharedConfig) create() ([]byte, error) {
	var a *Authority
	// A copy of a shared authority has no key.
	_, err := os.Stat(filepath.Join(c.Dir, AuthorityKeyFile))
	if errors.Is(err, os.ErrNotExist) {
		a, err = newAuthority(c.Domains, c.Now)
	} else {
		a, err = OpenAuthority(c.Dir, c.Domains, c.Sealer, c.Now)
	}
	if err != nil {
		return nil, err
	}
	key, err := x509.MarshalECPrivateKey(a.key)
	if err != nil {
		return nil, err
	}
	encoded := append(a.PEM(), pem.EncodeToMemory(&pem.Block{Type: "EC PRIVATE KEY", Bytes: key})...)
	return c.Sealer.Seal(encoded, SharedPurpose), nil
}

func (c SharedConfig) open(sealed []byte) (*Authority, error) {
	encoded, err := c.Sealer.Open(sealed, SharedPurpose)
	if err != nil {
		return nil, err
	}
	certificate, err := parseCertificate(encoded)
	if err != nil {
		return nil, err
	}
	_, rest := pem.Decode(encoded)
	block, _ := pem.Decode(rest)
	if block == nil {
		return nil, errors.New("it has no key")
	}
	key, err := parseKey(block.Bytes, certificate)
	if err != nil {
		return nil, fmt.Errorf("its key %w", err)
	}
	return &Authority{certificate: certificate, key: key}, nil
}

// copy writes the certificate to Dir, for users of this machine.
func (c SharedConfig) copy(a *Authority) error {
	path := filepath.Join(c.Dir, AuthorityFile)
	if known, err := os.ReadFile(path); err == nil && bytes.Equal(known, a.PEM()) {
		return nil
	}
	if err := writeFile(path, a.PEM(), 0o644); err != nil {
		return fmt.Errorf("write certificate authority: %w", err)
	}
	return nil
}
