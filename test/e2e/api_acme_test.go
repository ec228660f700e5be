package e2e_test

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"encoding/pem"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	function "github.com/scaleway/scaleway-sdk-go/api/function/v1beta1"
	"github.com/scaleway/scaleway-sdk-go/scw"

	"github.com/jeton-dev/jeton/internal/server"
	"github.com/jeton-dev/jeton/test/await"
	"github.com/jeton-dev/jeton/test/nameserver"
)

// apiHost is the public hostname of the API in these tests.
const apiHost = "api.example.com"

// publicAPI is a server whose API has the public hostname apiHost, and the roots that its clients
// trust.
type publicAPI struct {
	*world
	roots *x509.CertPool
}

// address returns the address of the API's port for TLS.
func (p publicAPI) address() string {
	endpoints, _ := server.Reach(p.DataDir)
	return strings.TrimPrefix(endpoints.APITLS, "https://")
}

// client returns a client that connects to the API's port for every host and trusts only the
// ACME server's root certificate.
func (p publicAPI) client() *http.Client {
	return &http.Client{Timeout: patience, Transport: &http.Transport{
		TLSClientConfig:   &tls.Config{RootCAs: p.roots},
		DisableKeepAlives: true,
		DialContext: func(ctx context.Context, _, _ string) (net.Conn, error) {
			return new(net.Dialer).DialContext(ctx, "tcp", p.address())
		},
	}}
}

// list calls the API by its public URL with the official SDK.
func (p publicAPI) list() error {
	_, port, _ := net.SplitHostPort(p.address())
	sdk := p.Client(scw.WithAPIURL("https://"+net.JoinHostPort(apiHost, port)), scw.WithHTTPClient(p.client()))
	_, err := function.NewAPI(sdk).ListNamespaces(&function.ListNamespacesRequest{})
	return err
}

// leaf returns the certificate that a client of the API sees and has verified.
func (p publicAPI) leaf() (*x509.Certificate, error) {
	connection, err := tls.Dial("tcp", p.address(), &tls.Config{RootCAs: p.roots, ServerName: apiHost})
	if err != nil {
		return nil, err
	}
	defer func() { _ = connection.Close() }()
	return connection.ConnectionState().PeerCertificates[0], nil
}

// The API's certificate comes from the ACME server, by a challenge at each of the ports that can
// answer one.
func TestAPIACME_CertifiesPublicHost(t *testing.T) {
	for name, test := range map[string]struct {
		configure func(*testing.T, *server.Config)
		// challenge returns the ports to which the ACME server connects; 0 for a closed port.
		challenge func(p publicAPI) (httpPort, tlsPort int)
	}{
		"HTTP challenge at the gateway": {
			configure: func(_ *testing.T, c *server.Config) { c.GatewayTLSListen = "127.0.0.1:0" },
			challenge: func(p publicAPI) (int, int) { return portOf(p.t, p.GatewayURL), 0 },
		},
		"TLS challenge at the gateway": {
			configure: func(_ *testing.T, c *server.Config) { c.GatewayTLSListen = "127.0.0.1:0" },
			challenge: func(p publicAPI) (int, int) { return 0, portOf(p.t, p.GatewayTLSURL) },
		},
		"TLS challenge at the API": {
			configure: func(_ *testing.T, c *server.Config) { c.GatewayTLSListen = "127.0.0.1:0" },
			challenge: func(p publicAPI) (int, int) { return 0, portOf(p.t, "https://"+p.address()) },
		},
		"gateway with a wildcard certificate": {
			configure: func(t *testing.T, c *server.Config) {
				c.GatewayTLSListen, c.Domain = "127.0.0.1:0", "example.com"
				c.TLSCert, c.TLSKey = wildcardFiles(t)
			},
			challenge: func(p publicAPI) (int, int) { return 0, portOf(p.t, p.GatewayTLSURL) },
		},
		"gateway without TLS": {
			configure: func(*testing.T, *server.Config) {},
			challenge: func(p publicAPI) (int, int) { return 0, portOf(p.t, "https://"+p.address()) },
		},
	} {
		t.Run(name, func(t *testing.T) {
			p, authority := startPublicAPI(t, 0, func(c *server.Config) { test.configure(t, c) })
			authority(test.challenge(*p))
			if err := p.list(); err != nil {
				t.Fatalf("call the API by its public URL: %v", err)
			}
			leaf := must[*x509.Certificate](t)(p.leaf())
			if len(leaf.DNSNames) != 1 || leaf.DNSNames[0] != apiHost {
				t.Errorf("got a certificate of %q, want %s", leaf.DNSNames, apiHost)
			}
			if _, err := p.client().Get("https://other.example.com/"); err == nil {
				t.Error("the API has a certificate for a host that is not its own")
			}
		})
	}
}

// The certificate is renewed while it is valid, and also if the server was stopped until it had
// expired. The authority's limits do not count renewals of the API.
func TestAPIACME_RenewsCertificate(t *testing.T) {
	const validity = 15 * time.Second
	p, authority := startPublicAPI(t, validity, func(c *server.Config) { c.GatewayTLSListen, c.Traffic.ACMEBudget = "127.0.0.1:0", 1 })
	authority(portOf(t, p.GatewayURL), 0)
	first := must[*x509.Certificate](t)(p.leaf())
	var second *x509.Certificate
	await.True(t, "the renewed certificate", func() bool {
		// Each connection must succeed: there is no time without a valid certificate.
		second = must[*x509.Certificate](t)(p.leaf())
		return second.SerialNumber.Cmp(first.SerialNumber) != 0
	})
	if !second.NotAfter.After(first.NotAfter) {
		t.Errorf("the new certificate ends at %s, the old one at %s", second.NotAfter, first.NotAfter)
	}
	if first.NotAfter.Before(time.Now()) {
		t.Errorf("the certificate was renewed after its end, %s", first.NotAfter)
	}
	if err := p.list(); err != nil {
		t.Errorf("call the API after the renewal: %v", err)
	}
	if log := p.Log.String(); !strings.Contains(log, "hostname="+apiHost+" renewal=true") {
		t.Error("the log does not name the renewal")
	}

	p.Stop()
	stopped := time.Now()
	// The server may have renewed the certificate again. It is valid until the end of its last second.
	await.True(t, "the end of the last certificate", func() bool { return time.Since(stopped) > validity+time.Second })
	p.restart(func(c *server.Config) {
		// The ACME server connects to the ports of before.
		c.GatewayListen = strings.TrimPrefix(p.GatewayURL, "http://")
	})
	third := must[*x509.Certificate](t)(p.leaf())
	if third.SerialNumber.Cmp(second.SerialNumber) == 0 || !third.NotAfter.After(time.Now()) {
		t.Errorf("after a stop: got the certificate %s that ended at %s", third.SerialNumber, third.NotAfter)
	}
}

// The hostname of the API belongs to the operator.
func TestAPIACME_HostIsNoCustomHostname(t *testing.T) {
	p, _ := startPublicAPI(t, 0, func(c *server.Config) { c.GatewayTLSListen = "127.0.0.1:0" })
	f := p.function(python(p.namespace("acme").ID, "f"), nil)
	_, err := p.CreateDomain(&function.CreateDomainRequest{FunctionID: f.ID, Hostname: "API.example.com"})
	if err == nil || !strings.Contains(err.Error(), "reserved") {
		t.Errorf("got error %v, want that the hostname is reserved", err)
	}
}

// startPublicAPI starts a server whose API has a port for TLS, the public hostname apiHost, and a
// certificate from an ACME server. The function that it returns starts that server: it issues
// certificates with this validity (0 for months) and connects to these ports for challenges.
func startPublicAPI(t *testing.T, validity time.Duration, configure func(*server.Config)) (*publicAPI, func(httpPort, tlsPort int)) {
	t.Helper()
	names := nameserver.Start(t)
	names.LeadTo([4]byte{127, 0, 0, 1})
	names.Alias(apiHost, "server.example.com")
	signed := startAuthority(t)
	signed.validity = validity
	p := &publicAPI{world: newWorld(t, func(c *server.Config) {
		c.APITLSListen, c.APIURL = "127.0.0.1:0", "https://"+apiHost+":8443"
		c.ACMEDirectory, c.ACMERoots = signed.directory, signed.rootsFile
		configure(c)
	})}
	return p, func(httpPort, tlsPort int) {
		p.roots = signed.start(t, names, httpPort, tlsPort, "blocked.example.com")
	}
}

// wildcardFiles writes a certificate of example.com and its subdomains, and its key.
func wildcardFiles(t *testing.T) (certificate, key string) {
	t.Helper()
	front := httptest.NewTLSServer(http.NotFoundHandler())
	defer front.Close()
	pair, dir := front.TLS.Certificates[0], t.TempDir()
	encodedKey := must[[]byte](t)(x509.MarshalPKCS8PrivateKey(pair.PrivateKey))
	certificate, key = filepath.Join(dir, "cert.pem"), filepath.Join(dir, "key.pem")
	for path, block := range map[string]*pem.Block{
		certificate: {Type: "CERTIFICATE", Bytes: pair.Certificate[0]},
		key:         {Type: "PRIVATE KEY", Bytes: encodedKey},
	} {
		if err := os.WriteFile(path, pem.EncodeToMemory(block), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return certificate, key
}
