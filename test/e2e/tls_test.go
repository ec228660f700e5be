package e2e_test

import (
	"bufio"
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"io"
	"log/slog"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"

	function "github.com/scaleway/scaleway-sdk-go/api/function/v1beta1"

	"github.com/jeton-dev/jeton/internal/server"
)

// tlsClient returns a client that trusts the server's local authority and connects to
// the server for every host.
func (w *world) tlsClient(http2 bool) *http.Client {
	w.t.Helper()
	protocols := new(http.Protocols)
	protocols.SetHTTP1(!http2)
	protocols.SetHTTP2(http2)
	transport := &http.Transport{
		Protocols: protocols, TLSClientConfig: w.tlsConfig(),
		DialContext: func(ctx context.Context, network, _ string) (net.Conn, error) {
			return new(net.Dialer).DialContext(ctx, network, w.tlsAddress())
		},
	}
	w.t.Cleanup(transport.CloseIdleConnections)
	return &http.Client{Transport: transport}
}

func (w *world) tlsAddress() string { return strings.TrimPrefix(w.GatewayTLSURL, "https://") }

func (w *world) tlsConfig() *tls.Config {
	w.t.Helper()
	pool := x509.NewCertPool()
	if !pool.AppendCertsFromPEM(must[[]byte](w.t)(os.ReadFile(filepath.Join(w.DataDir, "ca.pem")))) {
		w.t.Fatal("ca.pem contains no certificate")
	}
	return &tls.Config{RootCAs: pool, MinVersion: tls.VersionTLS12}
}

func withTLS(c *server.Config) { c.GatewayTLSListen = "127.0.0.1:0" }

func TestTLS_ServesHTTP1AndHTTP2(t *testing.T) {
	t.Parallel()
	w := newWorld(t, withTLS)
	request := python(w.namespace("tls").ID, "f")
	redirected := function.FunctionHTTPOptionRedirected
	request.HTTPOption = redirected
	request.Privacy = function.FunctionPrivacyPrivate
	f := w.function(request, pythonHandler("return event['headers']['X-Forwarded-Proto'] + ' ' + event['headers']['Forwarded']"))
	token := must[*function.Token](t)(w.CreateToken(&function.CreateTokenRequest{FunctionID: &f.ID}))
	for protocol, http2 := range map[string]bool{"HTTP/1.1": false, "HTTP/2.0": true} {
		client := w.tlsClient(http2)
		for presented, want := range map[string]int{token.Token: 200, "": 403} {
			r := must[*http.Request](t)(http.NewRequestWithContext(t.Context(), http.MethodGet, "https://"+f.DomainName+"/", nil))
			r.Header.Set("X-Auth-Token", presented)
			response, err := client.Do(r)
			if err != nil {
				t.Fatalf("%s: %v", protocol, err)
			}
			body := must[[]byte](t)(io.ReadAll(response.Body))
			response.Body.Close()
			if response.StatusCode != want || response.Proto != protocol {
				t.Errorf("%s: got %d over %s, want %d", protocol, response.StatusCode, response.Proto, want)
			}
			if want == 200 && string(body) != "https for=127.0.0.1;proto=https" {
				t.Errorf("%s: the function got %q", protocol, body)
			}
		}
	}
	for name, host := range map[string]string{"a host of no function": "other." + f.DomainName, "another domain": "localhost", "no host": ""} {
		config := w.tlsConfig()
		config.ServerName, config.InsecureSkipVerify = host, true
		dialer := &tls.Dialer{Config: config}
		if connection, err := dialer.DialContext(t.Context(), "tcp", w.tlsAddress()); err == nil {
			connection.Close()
			t.Errorf("%s: got a certificate", name)
		}
	}
}

// Requests that two parsers could read differently are refused over TLS, too.
func TestTLS_RefusesAmbiguousRequests(t *testing.T) {
	t.Parallel()
	w := newWorld(t, withTLS)
	f := w.function(python(w.namespace("strict").ID, "f"), pythonHandler("return 'x'"))
	for request, want := range map[string]int{
		"GET / HTTP/1.1\r\nHost: " + f.DomainName + "\r\n\r\n":                                                              200,
		"POST / HTTP/1.1\r\nHost: " + f.DomainName + "\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n": 400,
		"POST / HTTP/1.1\r\nHost: " + f.DomainName + "\r\nContent-Length: 1\r\nContent-Length: 1\r\n\r\nx":                  400,
		"GET / HTTP/1.1\r\nHost: " + f.DomainName + "\r\nHost: " + f.DomainName + "\r\n\r\n":                                400,
	} {
		config := w.tlsConfig()
		config.ServerName = f.DomainName
		dialer := &tls.Dialer{Config: config}
		connection := must[net.Conn](t)(dialer.DialContext(t.Context(), "tcp", w.tlsAddress()))
		must[int](t)(io.WriteString(connection, request))
		response, err := http.ReadResponse(bufio.NewReader(connection), nil)
		if err != nil {
			t.Fatal(err)
		}
		response.Body.Close()
		connection.Close()
		wantStatus(t, request, response.StatusCode, want)
	}
}

func TestTLS_RequiresCertificateAndKey(t *testing.T) {
	t.Parallel()
	for name, change := range map[string]func(*server.Config){
		"no key":         func(c *server.Config) { withTLS(c); c.TLSCert = "cert.pem" },
		"no certificate": func(c *server.Config) { withTLS(c); c.TLSKey = "key.pem" },
		"no port":        func(c *server.Config) { c.TLSCert, c.TLSKey = "cert.pem", "key.pem" },
		"no such files":  func(c *server.Config) { withTLS(c); c.TLSCert, c.TLSKey = "/none/cert.pem", "/none/key.pem" },
	} {
		config := server.DefaultConfig(filepath.Join(t.TempDir(), "data"))
		config.APIListen, config.GatewayListen, config.OpsListen = "127.0.0.1:0", "127.0.0.1:0", ""
		change(&config)
		if running, err := server.Open(t.Context(), config, slog.New(slog.DiscardHandler)); err == nil {
			t.Errorf("%s: got no error", name)
			_ = running.Close()
		} else if name == "no such files" && !errors.Is(err, os.ErrNotExist) {
			t.Errorf("%s: got error %v", name, err)
		}
	}
}
