package e2e_test

import (
	"crypto/tls"
	"crypto/x509"
	"log/slog"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"

	function "github.com/scaleway/scaleway-sdk-go/api/function/v1beta1"
	"github.com/scaleway/scaleway-sdk-go/scw"

	"github.com/jeton-dev/jeton/internal/audit"
	"github.com/jeton-dev/jeton/internal/server"
)

// trusting returns a client that trusts only the certificates of a file.
func trusting(t *testing.T, file string) *http.Client {
	t.Helper()
	roots := x509.NewCertPool()
	if !roots.AppendCertsFromPEM(must[[]byte](t)(os.ReadFile(file))) {
		t.Fatalf("%s has no certificate", file)
	}
	return &http.Client{Transport: &http.Transport{TLSClientConfig: &tls.Config{RootCAs: roots}}}
}

// A local authority certifies the addresses of this machine and the public host, for clients with
// and without SNI. Signed URLs are those of the port.
func TestAPITLS_LocalAuthority(t *testing.T) {
	t.Parallel()
	w := newWorld(t, func(c *server.Config) {
		c.APITLSListen, c.APIURL = "127.0.0.1:0", ""
	})
	endpoints, _ := server.Reach(w.DataDir)
	client := trusting(t, server.APIAuthorityFile(w.DataDir))
	t.Cleanup(client.CloseIdleConnections)
	n := w.namespace("tls")
	for name, address := range map[string]string{"ip": endpoints.APITLS, "host": strings.Replace(endpoints.APITLS, "127.0.0.1", "localhost", 1)} {
		sdk := w.Client(scw.WithAPIURL(address), scw.WithHTTPClient(client))
		api := function.NewAPI(sdk)
		f := must[*function.Function](t)(api.CreateFunction(python(n.ID, name)))
		upload := must[*function.UploadURL](t)(api.GetFunctionUploadURL(&function.GetFunctionUploadURLRequest{FunctionID: f.ID, ContentLength: 10}))
		if !strings.HasPrefix(upload.URL, address+"/") {
			t.Errorf("got upload URL %s, want one of %s", upload.URL, address)
		}
	}
	if _, err := http.Get(endpoints.APITLS); err == nil || !strings.Contains(err.Error(), "certificate") {
		t.Errorf("a client without the authority: got error %v, want one about the certificate", err)
	}
}

func TestAPITLS_RefusesIncompleteSettings(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		configure func(*server.Config)
		want      string
	}{
		"no key":  {func(c *server.Config) { c.APITLSListen, c.APITLSCert = "127.0.0.1:0", "cert.pem" }, "--api-tls-key"},
		"no port": {func(c *server.Config) { c.APITLSCert, c.APITLSKey = "cert.pem", "key.pem" }, "--api-tls-listen"},
	} {
		config := server.DefaultConfig(filepath.Join(t.TempDir(), "data"))
		config.APIListen, config.GatewayListen, config.OpsListen = "127.0.0.1:0", "127.0.0.1:0", ""
		test.configure(&config)
		s, err := server.Open(t.Context(), config, slog.New(slog.DiscardHandler))
		if err == nil {
			_ = s.Close()
		}
		if err == nil || !strings.Contains(err.Error(), test.want) {
			t.Errorf("%s: got error %v, want %s in it", name, err, test.want)
		}
	}
}

// Operators find functions by name.
func TestNames_AreInLogsAndAudit(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	n := w.namespace("shop")
	f := w.function(python(n.ID, "broken"), map[string]string{"handler.py": "not python"})
	if log := w.Log.String(); !strings.Contains(log, "function_id="+f.ID) || !strings.Contains(log, "function=shop/broken") {
		t.Errorf("got no function=shop/broken in the log of the server")
	}
	entries := string(must[[]byte](t)(os.ReadFile(filepath.Join(w.DataDir, audit.File))))
	for _, want := range []string{`"object":"` + f.ID + `","name":"shop/broken"`, `"object":"` + n.ID + `","name":"shop"`} {
		if !strings.Contains(entries, want) {
			t.Errorf("got no %s in the audit log:\n%s", want, entries)
		}
	}
}
