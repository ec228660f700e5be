package identity

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"errors"
	"fmt"
	"log/slog"
	"net/url"
	"strings"
	"sync"
	"sync/atomic"
	"time"
)

// Purpose is that for which the authorities are sealed.
const Purpose = "certificate authority of the cluster"

// Settings are the settings of the installation that all nodes share.
type Settings interface {
	// ChangeSetting replaces a setting by what change returns for the current value, nil if
	// it is not set. No other node changes the setting meanwhile.
	ChangeSetting(ctx context.Context, name string, change func(current []byte) ([]byte, error)) ([]byte, error)
}

// Sealer encrypts what is stored in the settings.
type Sealer interface {
	Seal(plain []byte, purpose string) []byte
	Open(sealed []byte, purpose string) ([]byte, error)
}

// Config has the dependencies of an Identity. All fields are required.
type Config struct {
	Settings Settings
	// Setting is the name of the setting with the authorities.
	Setting string
	Sealer  Sealer
	// Incarnation returns the current incarnation of this node, "" before it has joined.
	Incarnation func() string
	Now         func() time.Time
	Log         *slog.Logger
}

// An Identity has the certificate of this node and verifies those of others. It is safe for
// concurrent use.
type Identity struct {
	config Config
	// known are the authorities of the cluster.
	known atomic.Pointer[authorities]

	mu      sync.Mutex
	current *tls.Certificate
}

// Open reads the authorities of the cluster, or creates the first one. Returns an error if a
// field is missing or the authorities were sealed with another key.
func Open(ctx context.Context, c Config) (*Identity, error) {
	if c.Settings == nil || c.Setting == "" || c.Sealer == nil || c.Incarnation == nil || c.Now == nil || c.Log == nil {
		return nil, errors.New("configure cluster identity: Settings, Setting, Sealer, Incarnation, Now and Log are required")
	}
	i := &Identity{config: c}
	return i, i.Refresh(ctx)
}

// Refresh reads the authorities of the cluster, and adds one if the newest is too old.
func (i *Identity) Refresh(ctx context.Context) error {
	var read authorities
	_, err := i.config.Settings.ChangeSetting(ctx, i.config.Setting, func(current []byte) ([]byte, error) {
		read = nil
		if current != nil {
			plain, err := i.config.Sealer.Open(current, Purpose)
			if err != nil {
				return nil, err
			}
			if read, err = decodeAuthorities(plain); err != nil {
				return nil, err
			}
		}
		renewed, changed, err := read.renewed(i.config.Now())
		if err != nil || !changed {
			return current, err
		}
		read = renewed
		plain, err := renewed.encode()
		if err != nil {
			return nil, err
		}
		return i.config.Sealer.Seal(plain, Purpose), nil
	})
	if err != nil {
		return fmt.Errorf("read the certificate authority of the cluster: %w", err)
	}
	i.known.Store(&read)
	return nil
}

// Run reads the authorities regularly until ctx ends, so that certificates of a new one are
// accepted.
func (i *Identity) Run(ctx context.Context) error {
	tick := time.NewTicker(refreshInterval)
	defer tick.Stop()
	for {
		select {
		case <-tick.C:
			if err := i.Refresh(ctx); err != nil && ctx.Err() == nil {
				i.config.Log.Warn("the certificate authority of the cluster could not be read", "error", err)
			}
		case <-ctx.Done():
			return nil
		}
	}
}

// certificate returns the certificate of this node's current incarnation. It issues another
// one if that has changed, or if the certificate or its authority is too old.
func (i *Identity) certificate() (*tls.Certificate, error) {
	incarnation, now := i.config.Incarnation(), i.config.Now()
	if incarnation == "" {
		return nil, errors.New("this node is not a member of the cluster yet")
	}
	issuer, err := i.known.Load().issuer(now)
	if err != nil {
		return nil, err
	}
	i.mu.Lock()
	defer i.mu.Unlock()
	if c := i.current; c != nil && incarnationOf(c.Leaf) == incarnation && now.Sub(c.Leaf.NotBefore) < backdate+certificateAge &&
		now.After(c.Leaf.NotBefore) && c.Leaf.CheckSignatureFrom(issuer.certificate) == nil {
		return c, nil
	}
	i.current, err = issue(issuer, incarnation, now)
	return i.current, err
}

// issue returns a new certificate of an incarnation.
func issue(issuer authority, incarnation string, now time.Time) (*tls.Certificate, error) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return nil, err
	}
	template := &x509.Certificate{
		Subject:   pkix.Name{CommonName: "jeton node"},
		URIs:      []*url.URL{nameOf(incarnation)},
		NotBefore: now.Add(-backdate), NotAfter: now.Add(certificateLifetime),
		KeyUsage:              x509.KeyUsageDigitalSignature,
		ExtKeyUsage:           []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth, x509.ExtKeyUsageClientAuth},
		BasicConstraintsValid: true,
	}
	encoded, err := x509.CreateCertificate(rand.Reader, template, issuer.certificate, key.Public(), issuer.key)
	if err != nil {
		return nil, err
	}
	leaf, err := x509.ParseCertificate(encoded)
	return &tls.Certificate{Certificate: [][]byte{encoded}, PrivateKey: key, Leaf: leaf}, err
}

// The name of an incarnation in a certificate is the URI jeton://incarnation/ID.
const (
	nameScheme = "jeton"
	nameHost   = "incarnation"
)

func nameOf(incarnation string) *url.URL {
	return &url.URL{Scheme: nameScheme, Host: nameHost, Path: "/" + incarnation}
}

// incarnationOf returns the incarnation that a certificate names, "" if it names none.
func incarnationOf(c *x509.Certificate) string {
	if len(c.URIs) != 1 || c.URIs[0].Scheme != nameScheme || c.URIs[0].Host != nameHost {
		return ""
	}
	return strings.TrimPrefix(c.URIs[0].Path, "/")
}
