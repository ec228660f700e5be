package server

import (
	"context"
	"crypto/tls"
	"errors"
	"net"
	"slices"
	"strings"

	"github.com/jeton-dev/jeton/internal/certificate"
	"github.com/jeton-dev/jeton/internal/functions"
	"github.com/jeton-dev/jeton/internal/store/postgres"
)

// errHalfPair is returned if only one of certificate and key is configured.
var errHalfPair = errors.New("a certificate needs its key, and a key its certificate: give both --tls-cert and --tls-key, or neither to use a local CA")

// errNoGatewayTLS is returned if a certificate of the gateway is configured without its TLS port.
var errNoGatewayTLS = errors.New("a certificate of the gateway is configured, but no TLS port: give --gateway-tls-listen")

// errNoTLS is returned if an ACME server is configured, and no TLS port that uses it.
var errNoTLS = errors.New("certificates are configured, but no TLS port: give --gateway-tls-listen, or --api-tls-listen and --api-url with a hostname")

// certificates returns the certificate for each connection.
type certificates interface {
	GetCertificate(*tls.ClientHelloInfo) (*tls.Certificate, error)
}

// certificateSources are the certificates of the TLS port.
type certificateSources struct {
	// hosts is nil without a TLS port.
	hosts certificates
	// api is nil if the API has no port for TLS.
	api certificates
	// acme is nil without an ACME server.
	acme *certificate.ACME
	// covers returns an error if there is no certificate for a custom hostname; nil without a TLS
	// port and with an ACME server.
	covers func(host string) error
}

func openCertificates(ctx context.Context, b *base, v *views, opened *closers) (*certificateSources, error) {
	c := b.config
	acme, err := openACME(b, v, opened)
	if err != nil {
		return nil, err
	}
	sources := &certificateSources{acme: acme}
	if sources.api, err = openAPICertificates(b, acme); err != nil {
		return nil, err
	}
	switch {
	case (c.TLSCert == "") != (c.TLSKey == ""):
		return nil, errHalfPair
	case c.GatewayTLSListen == "" && c.TLSCert != "":
		return nil, errNoGatewayTLS
	case c.GatewayTLSListen == "":
		return sources, nil
	case c.TLSCert != "":
		files, err := certificate.OpenFiles(c.TLSCert, c.TLSKey, c.Now, b.log)
		if err != nil {
			return nil, err
		}
		sources.hosts, sources.covers = files, files.Covers
		if acme != nil {
			sources.hosts = ownAndCustom{own: files, custom: acme, domains: ownDomains(c)}
		}
		return sources, nil
	case acme != nil:
		sources.hosts = acme
		return sources, nil
	}
	authority, err := openAuthority(ctx, b)
	if err != nil {
		return nil, err
	}
	sources.hosts, sources.covers = certificate.NewHosts(authority, v.table.Serves), authority.Covers
	b.log.Info("a local CA issues certificates, for development: clients must trust the output of 'jeton ca'")
	return sources, nil
}

// openAuthority returns the authority of the database, which all servers share, or that of
// the data folder.
func openAuthority(ctx context.Context, b *base) (*certificate.Authority, error) {
	c := b.config
	domains := append(ownDomains(c), c.LocalDomains...)
	shared, ok := b.store.(*postgres.Store)
	if !ok {
		return certificate.OpenAuthority(c.DataDir, domains, b.sealer, c.Now)
	}
	return certificate.OpenSharedAuthority(ctx, certificate.SharedConfig{
		Setting: func(ctx context.Context, create func() ([]byte, error)) ([]byte, error) {
			return shared.Setting(ctx, postgres.AuthoritySetting, create)
		},
		Dir: c.DataDir, Domains: domains, Sealer: b.sealer, Now: c.Now,
	})
}

// ownDomains returns the parent domains of the functions' own hosts.
func ownDomains(c Config) []string {
	var domains []string
	for _, region := range functions.Regions {
		domains = append(domains, strings.ReplaceAll(c.Domain, "{region}", string(region)))
	}
	return domains
}

// openACME returns nil if no ACME server is configured.
func openACME(b *base, v *views, opened *closers) (*certificate.ACME, error) {
	c := b.config
	switch {
	case c.ACMEDirectory == "":
		return nil, nil
	case c.GatewayTLSListen == "" && c.acmeAPIHost() == "":
		return nil, errNoTLS
	}
	tlsPort := b.listeners.gatewayTLS
	if tlsPort == nil {
		tlsPort = b.listeners.apiTLS
	}
	var records certificate.Records
	budget := certificate.NewBudget(c.Traffic.ACMEBudget, c.Now)
	if shared, ok := b.store.(*postgres.Store); ok {
		records, budget = shared.Certificates(), certificate.NewSharedBudget(c.Traffic.ACMEBudget, c.Now, shared)
	}
	acme, err := certificate.OpenACME(certificate.ACMEConfig{
		Directory: c.ACMEDirectory, Email: c.ACMEEmail, Roots: c.ACMERoots, Dir: b.folder.path("acme"), Records: records, Sealer: b.sealer,
		Project: projectOrAPI(v.table.Project, c), Budget: budget,
		HTTPPort: portOf(b.listeners.gateway), TLSPort: portOf(tlsPort), Log: b.log,
	})
	if err != nil {
		return nil, err
	}
	opened.add(acme)
	return acme, nil
}

// projectOrAPI returns the project of a hostname. The public host of the API belongs to none.
// Without the gateway's port for TLS, functions have no certificates.
func projectOrAPI(project func(string) (string, bool), c Config) func(string) (string, bool) {
	own := c.acmeAPIHost()
	return func(host string) (string, bool) {
		switch {
		case own != "" && strings.EqualFold(host, own):
			return "", true
		case c.GatewayTLSListen == "":
			return "", false
		}
		return project(host)
	}
}

// Obtain implements reconcile.Certificates. Without an ACME server it returns an error if the
// certificates of the TLS port do not include the host. It does nothing without a TLS port.
func (s *certificateSources) Obtain(ctx context.Context, host, project string) error {
	switch {
	case s.hosts == nil:
		return nil
	case s.acme != nil:
		return s.acme.Obtain(ctx, host, project)
	case s.covers != nil:
		return s.covers(host)
	}
	return nil
}

func portOf(l net.Listener) int {
	if tcp, ok := l.Addr().(*net.TCPAddr); ok {
		return tcp.Port
	}
	return 0
}

// ownAndCustom returns certificates of files for the functions' own hosts, and
// certificates from ACME for custom hostnames. It answers challenges for all hosts.
type ownAndCustom struct {
	own     certificates
	custom  *certificate.ACME
	domains []string
}

// GetCertificate implements certificates.
func (c ownAndCustom) GetCertificate(hello *tls.ClientHelloInfo) (*tls.Certificate, error) {
	challenge := slices.Contains(hello.SupportedProtos, certificate.Protocol)
	for _, domain := range c.domains {
		if strings.HasSuffix(serverName(hello), "."+domain) && !challenge {
			return c.own.GetCertificate(hello)
		}
	}
	return c.custom.GetCertificate(hello)
}
