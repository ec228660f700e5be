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

// ACMEConfig configures ACME. All fields but Email, Roots and Records are required.
type ACMEConfig struct {
	// Directory is the URL of the authority's ACME directory (RFC 8555).
	Directory string
	// Email is the contact address of the account at the authority.
	Email string
	// Roots is a PEM file with the root certificates for connections to the authority;
	// empty for the roots of the system.
	Roots string
	// Dir is the directory for accounts, keys and certificates. Records stores them
	// instead, if it is not nil, so that each of several servers can use the certificates
	// and answer the challenges of the others. Sealer encrypts files and records.
	Dir     string
	Records Records
	Sealer  Sealer
	// Project returns the project of the function with a hostname, and whether there is
	// one. No certificate is requested for other hostnames.
	Project func(host string) (project string, known bool)
	// Budget limits the certificate requests of each project.
	Budget *Budget
	// HTTPPort and TLSPort are the ports at which the authority's challenges arrive.
	HTTPPort, TLSPort int
	// Log receives the outcome of certificate requests.
	Log *slog.Logger
}

// ACME obtains a certificate from a public authority at the first connection to a hostname,
// and renews it before it expires. It is safe for concurrent use.
type ACME struct {
	project func(host string) (string, bool)
	budget  *Budget
	config  *certmagic.Config
	issuer  *certmagic.ACMEIssuer
	cache   *certmagic.Cache
	list    storedList
}

// OpenACME returns an ACME client. It sends no request yet.
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
		Storage:  c.storage(),
		OnDemand: &certmagic.OnDemandConfig{DecisionFunc: a.mayRequest(c)},
		OnEvent:  logEvents(c.Log),
		Logger:   zap.NewNop(),
	})
	a.issuer = certmagic.NewACMEIssuer(a.config, certmagic.ACMEIssuer{
		CA: c.Directory, Email: c.Email, Agreed: true, TrustedRoots: roots,
		AltHTTPPort: c.HTTPPort, AltTLSALPNPort: c.TLSPort, Logger: zap.NewNop(),
	})
	a.config.Issuers = []certmagic.Issuer{a.issuer}
	return a, nil
}

func (c ACMEConfig) storage() certmagic.Storage {
	if c.Records != nil {
		return newRecordStorage(c.Records, c.Sealer)
	}
	return &sealedStorage{FileStorage: &certmagic.FileStorage{Path: c.Dir}, sealer: c.Sealer}
}

func readRoots(path string) (*x509.CertPool, error) {
	if path == "" {
		return nil, nil
	}
	content, err := os.ReadFile(path)
	if err != nil {
		return nil, fmt.Errorf("read roots of the ACME authority: %w", err)
	}
	pool := x509.NewCertPool()
	if !pool.AppendCertsFromPEM(content) {
		return nil, fmt.Errorf("read roots of the ACME authority: %s contains no PEM certificate", path)
	}
	return pool, nil
}

// mayRequest returns a function that decides whether a certificate may be requested during
// a handshake. certmagic calls it before it looks for a stored certificate, which is always
// allowed.
func (a *ACME) mayRequest(c ACMEConfig) func(context.Context, string) error {
	return func(ctx context.Context, host string) error {
		project, known := c.Project(host)
		if !known {
			return ErrUnknownHost
		}
		if a.stored(ctx, host) {
			return nil
		}
		err := c.Budget.Take(ctx, project, host)
		if err != nil {
			c.Log.WarnContext(ctx, "certificate request denied", "hostname", host, "project_id", project, "error", err)
		}
		return err
	}
}

// logEvents returns a function that logs the outcome of certificate requests.
func logEvents(log *slog.Logger) func(context.Context, string, map[string]any) error {
	return func(ctx context.Context, event string, data map[string]any) error {
		switch event {
		case "cert_obtained":
			log.InfoContext(ctx, "certificate obtained", "hostname", data["identifier"], "renewal", data["renewal"])
		case "cert_failed":
			log.WarnContext(ctx, "certificate request failed", "hostname", data["identifier"], "renewal", data["renewal"], "error", data["error"])
		}
		return nil
	}
}

// GetCertificate implements tls.Config.GetCertificate. It also answers TLS-ALPN challenges.
// It returns ErrUnknownHost for an unknown hostname and for a client without SNI.
func (a *ACME) GetCertificate(hello *tls.ClientHelloInfo) (*tls.Certificate, error) {
	if _, known := a.project(hello.ServerName); !known && !slices.Contains(hello.SupportedProtos, Protocol) {
		return nil, ErrUnknownHost
	}
	return a.config.GetCertificate(hello)
}

// Protocol is the ALPN protocol of TLS-ALPN challenges, which tls.Config.NextProtos must
// contain.
const Protocol = acmez.ACMETLS1Protocol

// Challenges returns a handler that answers HTTP challenges and passes other requests to
// next.
func (a *ACME) Challenges(next http.Handler) http.Handler {
	return a.issuer.HTTPChallengeHandler(next)
}

// Obtain requests a certificate for a hostname of a project, unless one is stored. It does
// not check the hostname with ACMEConfig.Project. It returns ErrBudget if the project's
// budget is used up.
func (a *ACME) Obtain(ctx context.Context, host, project string) error {
	if a.stored(ctx, host) {
		return nil
	}
	if err := a.budget.Take(ctx, project, host); err != nil {
		return err
	}
	return a.config.ObtainCertSync(ctx, host)
}

// stored reports whether a certificate for the hostname is stored.
func (a *ACME) stored(ctx context.Context, host string) bool {
	return a.config.Storage.Exists(ctx, certmagic.StorageKeys.SiteCert(a.issuer.IssuerKey(), host))
}

// Close stops renewals in the background.
func (a *ACME) Close() error {
	a.cache.Stop()
	return nil
}

// sealedStorage encrypts files: most of them contain private keys.
type sealedStorage struct {
	*certmagic.FileStorage
	sealer Sealer
}

// ACMEPurpose returns the purpose for which a file is sealed. It contains the name of the
// file, so that files cannot be exchanged.
func ACMEPurpose(key string) string { return "ACME " + filepath.ToSlash(key) }

// Store implements certmagic.Storage.
func (s *sealedStorage) Store(ctx context.Context, key string, value []byte) error {
	return s.FileStorage.Store(ctx, key, s.sealer.Seal(value, ACMEPurpose(key)))
}

// Load implements certmagic.Storage.
func (s *sealedStorage) Load(ctx context.Context, key string) ([]byte, error) {
	sealed, err := s.FileStorage.Load(ctx, key)
	if err != nil {
		return nil, err
	}
	plain, err := s.sealer.Open(sealed, ACMEPurpose(key))
	if err != nil {
		return nil, errors.Join(fmt.Errorf("read certificate file %s", key), err)
	}
	return plain, nil
}
