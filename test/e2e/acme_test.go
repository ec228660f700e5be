package e2e_test

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"encoding/pem"
	"fmt"
	"io"
	"io/fs"
	"log"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/letsencrypt/pebble/v2/ca"
	"github.com/letsencrypt/pebble/v2/db"
	"github.com/letsencrypt/pebble/v2/va"
	"github.com/letsencrypt/pebble/v2/wfe"
	function "github.com/scaleway/scaleway-sdk-go/api/function/v1beta1"

	"github.com/jeton-dev/jeton/internal/api"
	"github.com/jeton-dev/jeton/internal/server"
	"github.com/jeton-dev/jeton/test/nameserver"
)

// authority is Pebble, the ACME server with which Let's Encrypt tests clients. It
// answers after start.
type authority struct {
	directory, rootsFile string
	handler              atomic.Pointer[http.Handler]
	// validity is that of its certificates; 0 for months.
	validity time.Duration
}

// ServeHTTP implements http.Handler.
func (a *authority) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if handler := a.handler.Load(); handler != nil {
		(*handler).ServeHTTP(w, r)
	}
}

func startAuthority(t *testing.T) *authority {
	t.Helper()
	a := &authority{rootsFile: filepath.Join(t.TempDir(), "roots.pem")}
	front := httptest.NewTLSServer(a)
	t.Cleanup(front.Close)
	a.directory = front.URL + wfe.DirectoryPath
	encoded := pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: front.Certificate().Raw})
	if err := os.WriteFile(a.rootsFile, encoded, 0o600); err != nil {
		t.Fatal(err)
	}
	return a
}

// start makes the authority answer: it resolves hosts with names and connects to them
// on these ports. It issues no certificate for the blocked host. It returns the roots
// that a client must trust.
func (a *authority) start(t *testing.T, names *nameserver.Server, httpPort, tlsPort int, blocked string) *x509.CertPool {
	t.Helper()
	t.Setenv("PEBBLE_VA_NOSLEEP", "1")
	silent := log.New(io.Discard, "", 0)
	store := db.NewMemoryStore()
	if err := store.AddBlockedDomain(blocked); err != nil {
		t.Fatal(err)
	}
	signer := ca.New(silent, store, "", "ecdsa", 0, 1, map[string]ca.Profile{"default": {ValidityPeriod: uint64(a.validity.Seconds())}})
	validator := va.New(silent, httpPort, tlsPort, false, names.Address(), store)
	front := wfe.New(silent, store, validator, signer, []string{"pebble.example"}, false, false, 1, 1)
	handler := front.Handler()
	a.handler.Store(&handler)
	issued := x509.NewCertPool()
	issued.AppendCertsFromPEM(signer.GetRootCert(0).PEM())
	return issued
}

// portOf returns the port of a URL.
func portOf(t *testing.T, address string) int {
	t.Helper()
	return must[int](t)(strconv.Atoi(must[*url.URL](t)(url.Parse(address)).Port()))
}

func TestACME_CertifiesCustomHostname(t *testing.T) {
	names := nameserver.Start(t)
	names.LeadTo([4]byte{127, 0, 0, 1})
	signed := startAuthority(t)
	w := newWorld(t, func(c *server.Config) {
		c.GatewayTLSListen, c.DNSResolver = "127.0.0.1:0", names.Address()
		c.ACMEDirectory, c.ACMERoots, c.ACMEEmail = signed.directory, signed.rootsFile, "operator@example.com"
	})
	issued := signed.start(t, names, portOf(t, w.GatewayURL), portOf(t, w.GatewayTLSURL), "blocked.example.com")
	f := w.function(python(w.namespace("acme").ID, "f"), pythonHandler("return 'hello'"))
	domain := func(hostname string) *function.Domain {
		names.Alias(hostname, f.DomainName)
		d := must[*function.Domain](t)(w.CreateDomain(&function.CreateDomainRequest{FunctionID: f.ID, Hostname: hostname}))
		return must[*function.Domain](t)(w.WaitForDomain(&function.WaitForDomainRequest{DomainID: d.ID, RetryInterval: often}))
	}
	client := &http.Client{Transport: &http.Transport{
		TLSClientConfig: &tls.Config{RootCAs: issued},
		DialContext: func(ctx context.Context, _, _ string) (net.Conn, error) {
			var dialer net.Dialer
			return dialer.DialContext(ctx, "tcp", strings.TrimPrefix(w.GatewayTLSURL, "https://"))
		},
	}}
	get := func(hostname string) (int, string, error) {
		defer client.CloseIdleConnections()
		response, err := client.Get("https://" + hostname + "/")
		if err != nil {
			return 0, "", err
		}
		defer response.Body.Close()
		body, err := io.ReadAll(response.Body)
		return response.StatusCode, string(body), err
	}

	d := domain("api.example.com")
	if want := fmt.Sprintf("https://api.example.com:%v", portOf(t, w.GatewayTLSURL)); d.Status != function.DomainStatusReady || d.URL != want {
		t.Fatalf("got domain status %s: %v, URL %s, want %s", d.Status, d.ErrorMessage, d.URL, want)
	}
	if status, body, err := get("api.example.com"); status != 200 || body != "hello" {
		t.Errorf("got %d %q %v", status, body, err)
	}
	if _, _, err := get("other.example.com"); err == nil {
		t.Error("a call of an unknown host succeeded")
	}
	blocked := domain("blocked.example.com")
	if blocked.Status != function.DomainStatusError || *blocked.ErrorMessage != "failed to generate TLS certificates" {
		t.Errorf("the domain without a certificate: got status %s: %v", blocked.Status, blocked.ErrorMessage)
	}

	// The console shows it.
	wantCertificates(t, w, "api.example.com")

	// The certificate is stored, and its key is sealed.
	w.restart()
	if status, body, err := get("api.example.com"); status != 200 || body != "hello" {
		t.Errorf("after a restart: got %d %q, error %v", status, body, err)
	}
	if got := strings.Count(w.Log.String(), "certificate obtained"); got != 1 {
		t.Errorf("got %d certificates from the authority, want 1", got)
	}
	found := 0
	err := filepath.WalkDir(filepath.Join(w.DataDir, "acme"), func(path string, entry fs.DirEntry, err error) error {
		if err != nil || !entry.Type().IsRegular() {
			return err
		}
		found++
		content, err := os.ReadFile(path)
		if strings.Contains(string(content), "PRIVATE KEY") || strings.Contains(string(content), "operator@example.com") {
			t.Errorf("%s is not sealed", path)
		}
		return err
	})
	if err != nil || found == 0 {
		t.Errorf("got %d files, error %v", found, err)
	}

	must[*function.Domain](t)(w.DeleteDomain(&function.DeleteDomainRequest{DomainID: d.ID}))
	if _, _, err := get("api.example.com"); err == nil {
		t.Error("a call of a deleted domain succeeded")
	}
}

// wantCertificates checks that the state of the server names the hostnames of certificates.
func wantCertificates(t *testing.T, w *world, hostnames ...string) {
	t.Helper()
	request := must[*http.Request](t)(http.NewRequestWithContext(t.Context(), http.MethodGet, w.APIURL+"/jeton/v1/state", nil))
	request.Header.Set("X-Auth-Token", w.SecretKey)
	response := must[*http.Response](t)(http.DefaultClient.Do(request))
	defer response.Body.Close()
	var state api.ClusterState
	if err := json.NewDecoder(response.Body).Decode(&state); err != nil {
		t.Fatal(err)
	}
	if state.CertificateCount != len(hostnames) || len(state.Certificates) != len(hostnames) {
		t.Fatalf("got certificates %+v, want those of %q", state.Certificates, hostnames)
	}
	for i, hostname := range hostnames {
		if got := state.Certificates[i]; !strings.HasPrefix(got.Source, "ACME, 127.0.0.1:") || len(got.Names) != 1 || got.Names[0] != hostname || !got.NotAfter.After(time.Now()) {
			t.Errorf("got %+v, want a valid certificate of %s", got, hostname)
		}
	}
}

func TestLocalAuthority_CertifiesCustomHostname(t *testing.T) {
	t.Parallel()
	w := newWorld(t, func(c *server.Config) { c.GatewayTLSListen, c.LocalDomains = "127.0.0.1:0", []string{"example.com"} })
	f := w.function(python(w.namespace("local").ID, "f"), pythonHandler("return 'hello'"))
	d := must[*function.Domain](t)(w.CreateDomain(&function.CreateDomainRequest{FunctionID: f.ID, Hostname: "api.example.com"}))
	must[*function.Domain](t)(w.WaitForDomain(&function.WaitForDomainRequest{DomainID: d.ID, RetryInterval: often}))
	roots := x509.NewCertPool()
	roots.AppendCertsFromPEM(must[[]byte](t)(os.ReadFile(filepath.Join(w.DataDir, "ca.pem"))))
	client := &http.Client{Transport: &http.Transport{TLSClientConfig: &tls.Config{RootCAs: roots, ServerName: "api.example.com"}}}
	defer client.CloseIdleConnections()
	request := must[*http.Request](t)(http.NewRequestWithContext(t.Context(), http.MethodGet, w.GatewayTLSURL, nil))
	request.Host = "api.example.com"
	response := must[*http.Response](t)(client.Do(request))
	defer response.Body.Close()
	if body := must[[]byte](t)(io.ReadAll(response.Body)); response.StatusCode != 200 || string(body) != "hello" {
		t.Errorf("got %d %s", response.StatusCode, body)
	}
}
