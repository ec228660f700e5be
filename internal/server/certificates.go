package server

import (
	"context"
	"crypto/tls"
	"errors"
	"net"
	"strings"

	"github.com/jeton-dev/jeton/internal/certificate"
	"github.com/jeton-dev/jeton/internal/functions"
)

// errHalfPair is returned where only one of two files is named.
var errHalfPair = errors.New("a certificate needs its key, and a key its certificate: give both --tls-cert and --tls-key, or none to have a local authority make certificates")

// errNoTLS is returned where a certificate is named that nobody would see.
var errNoTLS = errors.New("a certificate is given, and no port that shows it: give --gateway-tls-listen")

// certificates has the certificate for each connection.
type certificates interface {
	GetCertificate(*tls.ClientHelloInfo) (*tls.Certificate, error)
}

func (s *Server) openCertificates(context.Context) (err error) {
	c := s.config
	if err := s.openACME(); err != nil {
		return err
	}
	switch {
	case (c.TLSCert == "") != (c.TLSKey == ""):
		return errHalfPair
	case c.GatewayTLSListen == "" && c.TLSCert != "":
		return errNoTLS
	case c.GatewayTLSListen == "":
		return nil
	case c.TLSCert != "":
		files, err := certificate.OpenFiles(c.TLSCert, c.TLSKey, c.Now, s.log)
		s.certificates = files
		if err == nil && s.acme != nil {
			s.certificates = ownAndCustom{own: files, custom: s.acme, domains: s.ownDomains()}
		}
		return err
	case s.acme != nil:
		s.certificates = s.acme
		return nil
	}
	authority, err := certificate.OpenAuthority(c.DataDir, append(s.ownDomains(), c.LocalDomains...), s.sealer, c.Now)
	if err != nil {
		return err
	}
	s.certificates = certificate.NewHosts(authority, s.table.Serves)
	s.log.Info("certificates are made by a local authority, for development: have clients trust what 'jeton ca' prints")
	return nil
}

// ownDomains are those below which the functions' own hosts are.
func (s *Server) ownDomains() []string {
	var domains []string
	for _, region := range functions.Regions {
		domains = append(domains, strings.ReplaceAll(s.config.Domain, "{region}", string(region)))
	}
	return domains
}

// openACME has certificates signed by the authority that the configuration names.
func (s *Server) openACME() (err error) {
	c := s.config
	switch {
	case c.ACMEDirectory == "":
		return nil
	case c.GatewayTLSListen == "":
		return errNoTLS
	}
	s.acme, err = certificate.OpenACME(certificate.ACMEConfig{
		Directory: c.ACMEDirectory, Email: c.ACMEEmail, Roots: c.ACMERoots, Dir: s.path("acme"), Sealer: s.sealer,
		Project: s.table.Project, Budget: certificate.NewBudget(c.Traffic.ACMEBudget, c.Now), HTTPPort: port(s.listeners.gateway), TLSPort: port(s.listeners.gatewayTLS), Log: s.log,
	})
	if err == nil {
		s.opens(s.acme)
	}
	return err
}

// customCertificates obtains certificates for custom hostnames, if the configuration
// names an ACME authority.
type customCertificates struct{ server *Server }

// Obtain implements reconcile.Certificates.
func (c customCertificates) Obtain(ctx context.Context, host, project string) error {
	if c.server.acme == nil {
		return nil
	}
	return c.server.acme.Obtain(ctx, host, project)
}

func port(l net.Listener) int {
	if tcp, ok := l.Addr().(*net.TCPAddr); ok {
		return tcp.Port
	}
	return 0
}

// ownAndCustom has the certificate of files for the functions' own hosts, and
// those of an authority for custom ones.
type ownAndCustom struct {
	own     certificates
	custom  *certificate.ACME
	domains []string
}

// GetCertificate implements certificates.
func (c ownAndCustom) GetCertificate(hello *tls.ClientHelloInfo) (*tls.Certificate, error) {
	host := strings.ToLower(strings.TrimSuffix(hello.ServerName, "."))
	for _, domain := range c.domains {
		if strings.HasSuffix(host, "."+domain) {
			return c.own.GetCertificate(hello)
		}
	}
	return c.custom.GetCertificate(hello)
}

// encrypted returns a listener whose connections are decrypted. HTTP/2 is
// spoken with those who offer it.
func (s *Server) encrypted(l net.Listener) net.Listener {
	return tls.NewListener(l, &tls.Config{
		GetCertificate: s.certificates.GetCertificate,
		NextProtos:     []string{"h2", "http/1.1", certificate.Protocol},
		MinVersion:     tls.VersionTLS12,
	})
}
