package certificate

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"os"
	"path/filepath"
	"slices"

	"github.com/caddyserver/certmagic"
	"github.com/mholt/acmez/v3"
	"go.uber.org/zap"
)

// ACMEConfig says who signs certificates, and for which hosts.
type ACMEConfig struct {
	// Directory is the address at which the authority speaks ACME (RFC 8555).
	Directory string
	Email     string
	// Roots is a PEM file with those to trust when speaking to the authority;
	// empty for the system's.
	Roots string
	// Dir is where accounts, keys and certificates are kept, sealed.
	Dir    string
	Sealer Sealer
	// Project returns the project of the function that has a host, and whether
	// there is one. For other hosts no certificate is asked for, however often
	// somebody calls them.
	Project func(host string) (project string, known bool)
	// Budget bounds the certificates of each project.
	Budget *Budget
	// HTTPPort and TLSPort are where the challenges of the authority arrive.
	HTTPPort, TLSPort int
	Log               *slog.Logger
}

// ACME has certificates signed by an authority that everybody trusts, when they
// are needed first, and anew before they end.
type ACME struct {
	project func(host string) (string, bool)
	budget  *Budget
	config  *certmagic.Config
	issuer  *certmagic.ACMEIssuer
	cache   *certmagic.Cache
}

// OpenACME prepares everything, and asks nobody yet.
func OpenACME(c ACMEConfig) (*ACME, error) {
	roots, err := readRoots(c.Roots)
	if err != nil {
		return nil, err
	}
	a := &ACME{project: c.Project, budget: c.Budget}
	a.cache = certmagic.NewCache(certmagic.CacheOptions{
		GetConfigForCert: func(certmagic.Certificate) (*certmagic.Config, error) { return a.config, nil },
		Logger:           zap.NewNop(),
	})
	a.config = certmagic.New(a.cache, certmagic.Config{
		Storage:  &sealedStorage{FileStorage: &certmagic.FileStorage{Path: c.Dir}, sealer: c.Sealer},
		OnDemand: &certmagic.OnDemandConfig{DecisionFunc: a.decide(c)},
		OnEvent:  tell(c.Log),
		Logger:   zap.NewNop(),
	})
	a.issuer = certmagic.NewACMEIssuer(a.config, certmagic.ACMEIssuer{
		CA: c.Directory, Email: c.Email, Agreed: true, TrustedRoots: roots,
		AltHTTPPort: c.HTTPPort, AltTLSALPNPort: c.TLSPort, Logger: zap.NewNop(),
	})
	a.config.Issuers = []certmagic.Issuer{a.issuer}
	return a, nil
}

func readRoots(path string) (*x509.CertPool, error) {
	if path == "" {
		return nil, nil
	}
	content, err := os.ReadFile(path)
	if err != nil {
		return nil, fmt.Errorf("roots of the ACME authority: %w", err)
	}
	pool := x509.NewCertPool()
	if !pool.AppendCertsFromPEM(content) {
		return nil, fmt.Errorf("roots of the ACME authority: %s holds no certificate in PEM", path)
	}
	return pool, nil
}

// decide says whether a certificate may be asked for while a client waits. It is
// asked before the stored ones are looked at: those cost nothing.
func (a *ACME) decide(c ACMEConfig) func(context.Context, string) error {
	return func(ctx context.Context, host string) error {
		project, known := c.Project(host)
		if !known {
			return ErrUnknownHost
		}
		if a.stored(ctx, host) {
			return nil
		}
		err := c.Budget.Take(project, host)
		if err != nil {
			c.Log.WarnContext(ctx, "no certificate is asked for", "hostname", host, "project_id", project, "error", err)
		}
		return err
	}
}

// tell writes down what becomes of certificates.
func tell(log *slog.Logger) func(context.Context, string, map[string]any) error {
	return func(ctx context.Context, event string, about map[string]any) error {
		switch event {
		case "cert_obtained":
			log.InfoContext(ctx, "a certificate was obtained", "hostname", about["identifier"], "renewal", about["renewal"])
		case "cert_failed":
			log.WarnContext(ctx, "a certificate could not be obtained", "hostname", about["identifier"], "renewal", about["renewal"], "error", about["error"])
		}
		return nil
	}
}

// GetCertificate is for tls.Config. It answers the authority's challenges as
// well. Returns ErrUnknownHost, for a client too that names no host.
func (a *ACME) GetCertificate(hello *tls.ClientHelloInfo) (*tls.Certificate, error) {
	if _, known := a.project(hello.ServerName); !known && !slices.Contains(hello.SupportedProtos, Protocol) {
		return nil, ErrUnknownHost
	}
	return a.config.GetCertificate(hello)
}

// Protocol is what TLS must offer beside others for the challenges.
const Protocol = acmez.ACMETLS1Protocol

// Challenges answers the authority's challenges over HTTP, and leaves all else to
// the next handler.
func (a *ACME) Challenges(next http.Handler) http.Handler {
	return a.issuer.HTTPChallengeHandler(next)
}

// Obtain asks for a certificate for the host of a project if there is none yet.
// The host need not be known. Returns ErrBudget if the project's is used up.
func (a *ACME) Obtain(ctx context.Context, host, project string) error {
	if a.stored(ctx, host) {
		return nil
	}
	if err := a.budget.Take(project, host); err != nil {
		return err
	}
	return a.config.ObtainCertSync(ctx, host)
}

// stored reports whether there is a certificate for the host.
func (a *ACME) stored(ctx context.Context, host string) bool {
	return a.config.Storage.Exists(ctx, certmagic.StorageKeys.SiteCert(a.issuer.IssuerKey(), host))
}

// Close ends what goes on in the background.
func (a *ACME) Close() error {
	a.cache.Stop()
	return nil
}

// sealedStorage keeps files whose contents are sealed: they are keys, most of
// them.
type sealedStorage struct {
	*certmagic.FileStorage
	sealer Sealer
}

// acmePurpose is what a file is sealed for: no other file takes its place.
func acmePurpose(key string) string { return "ACME " + filepath.ToSlash(key) }

// Store implements certmagic.Storage.
func (s *sealedStorage) Store(ctx context.Context, key string, value []byte) error {
	return s.FileStorage.Store(ctx, key, s.sealer.Seal(value, acmePurpose(key)))
}

// Load implements certmagic.Storage.
func (s *sealedStorage) Load(ctx context.Context, key string) ([]byte, error) {
	sealed, err := s.FileStorage.Load(ctx, key)
	if err != nil {
		return nil, err
	}
	plain, err := s.sealer.Open(sealed, acmePurpose(key))
	if err != nil {
		return nil, errors.Join(fmt.Errorf("certificate file %s", key), err)
	}
	return plain, nil
}
