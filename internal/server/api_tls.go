package server

import (
	"crypto/tls"
	"errors"
	"net"
	"net/url"
	"os"
	"slices"
	"strings"

	"github.com/jeton-dev/jeton/internal/certificate"
	"github.com/jeton-dev/jeton/internal/gateway"
	"github.com/jeton-dev/jeton/internal/store/postgres"
)

// errHalfAPIPair is returned if only one of certificate and key of the API is configured.
var errHalfAPIPair = errors.New("a certificate needs its key, and a key its certificate: give both --api-tls-cert and --api-tls-key")

// errNoAPITLS is returned if a certificate of the API is configured without a port.
var errNoAPITLS = errors.New("a certificate of the API is configured, but no port: give --api-tls-listen")

// errAPICertificate is returned by a node of a cluster without a certificate that all nodes share.
var errAPICertificate = errors.New("the local authority of the API belongs to one server: give --api-tls-cert and --api-tls-key, or --acme-directory and --api-url")

// apiAuthority is the folder of the local authority of the API, in the data folder. It is
// not that of the gateway, whose clients need not trust it for the API.
const apiAuthority = "api-ca"

// APIAuthorityFile returns the path of the certificate that clients of the API must trust if a
// local authority issues its certificate.
func APIAuthorityFile(dataDir string) string {
	return folder(dataDir).path(apiAuthority + "/" + certificate.AuthorityFile)
}

// openAPICertificates returns the certificates of the API, or nil if it has no port for TLS.
func openAPICertificates(b *base, acme *certificate.ACME) (certificates, error) {
	c := b.config
	switch {
	case (c.APITLSCert == "") != (c.APITLSKey == ""):
		return nil, errHalfAPIPair
	case c.APITLSListen == "" && c.APITLSCert != "":
		return nil, errNoAPITLS
	case c.APITLSListen == "":
		return nil, nil
	case c.APITLSCert != "":
		return certificate.OpenFiles(c.APITLSCert, c.APITLSKey, c.Now, b.log)
	case acme != nil && c.acmeAPIHost() != "":
		return oneHost{acme, c.acmeAPIHost()}, nil
	}
	if _, shared := b.store.(*postgres.Store); shared {
		return nil, errAPICertificate
	}
	return localAPICertificates(b)
}

// localAPICertificates returns a certificate for the public host and the names of this machine.
func localAPICertificates(b *base) (certificates, error) {
	names := []string{"localhost", "127.0.0.1", "::1"}
	if host := b.config.apiHost(); host != "" && !slices.Contains(names, host) {
		names = append(names, host)
	}
	listened, _, err := net.SplitHostPort(b.listeners.apiTLS.Addr().String())
	if ip := net.ParseIP(listened); err == nil && ip != nil && !ip.IsUnspecified() && !slices.Contains(names, listened) {
		names = append(names, listened)
	}
	dir := b.folder.path(apiAuthority)
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, err
	}
	authority, err := certificate.OpenAuthority(dir, names, b.sealer, b.config.Now)
	if err != nil {
		return nil, err
	}
	b.log.Info("a local CA issues the certificate of the API: clients must trust the output of 'jeton ca --api'", "names", names)
	return certificate.NewNames(authority, names...), nil
}

// apiHost returns the host of APIURL in lower case; empty without one.
func (c Config) apiHost() string {
	u, err := url.Parse(c.APIURL)
	if c.APIURL == "" || err != nil {
		return ""
	}
	return strings.ToLower(u.Hostname())
}

// acmeAPIHost returns the host of the API for which an ACME server issues the certificate; empty if
// the API has no port for TLS, a certificate of its own, or no public hostname.
func (c Config) acmeAPIHost() string {
	host := c.apiHost()
	if c.ACMEDirectory == "" || c.APITLSListen == "" || c.APITLSCert != "" || host == "localhost" || net.ParseIP(host) != nil {
		return ""
	}
	return host
}

// oneHost returns certificates of an ACME server for one host, and answers the challenges for all
// hosts.
type oneHost struct {
	acme *certificate.ACME
	host string
}

// GetCertificate implements certificates. It returns certificate.ErrUnknownHost for other hosts.
func (o oneHost) GetCertificate(hello *tls.ClientHelloInfo) (*tls.Certificate, error) {
	if serverName(hello) != o.host && !slices.Contains(hello.SupportedProtos, certificate.Protocol) {
		return nil, certificate.ErrUnknownHost
	}
	return o.acme.GetCertificate(hello)
}

// serverName returns the host that a client requests, in lower case and without a final dot.
func serverName(hello *tls.ClientHelloInfo) string {
	return strings.ToLower(strings.TrimSuffix(hello.ServerName, "."))
}

// apiListeners returns the API's ports with connection limits, TLS, and the check of HTTP
// framing.
func (b *base) apiListeners(certificates certificates) []net.Listener {
	all := []net.Listener{gateway.Strict(b.traffic.apiConnections.Listener(b.listeners.api, true), b.traffic.heads)}
	if b.listeners.apiTLS == nil {
		return all
	}
	encrypted := tls.NewListener(b.traffic.apiConnections.Listener(b.listeners.apiTLS, false), &tls.Config{
		GetCertificate: certificates.GetCertificate,
		NextProtos:     []string{"http/1.1", certificate.Protocol},
		MinVersion:     tls.VersionTLS12,
	})
	return append(all, gateway.Strict(encrypted, b.traffic.heads))
}
