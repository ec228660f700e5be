package e2e_test

import (
	"bytes"
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"log/slog"
	"net"
	"net/http"
	"testing"
	"time"

	"github.com/jeton-dev/jeton/internal/certificate"
	"github.com/jeton-dev/jeton/internal/secret"
	"github.com/jeton-dev/jeton/internal/store/postgres"
	"github.com/jeton-dev/jeton/test/nameserver"
	pgtest "github.com/jeton-dev/jeton/test/postgres"
)

// An acmeNode has the certificates of a node, and its ports for challenges.
type acmeNode struct {
	*certificate.ACME
	http, tls net.Listener
}

func listen(t *testing.T) net.Listener {
	t.Helper()
	l := must[net.Listener](t)(net.Listen("tcp", "127.0.0.1:0"))
	t.Cleanup(func() { _ = l.Close() })
	return l
}

func port(l net.Listener) int { return l.Addr().(*net.TCPAddr).Port }

// newACMENode returns a node of a database. The project has a budget of requests.
func newACMENode(t *testing.T, database string, signed *authority, budget int) *acmeNode {
	t.Helper()
	store := must[*postgres.Store](t)(postgres.Open(t.Context(), database, time.Now))
	t.Cleanup(func() { _ = store.Close() })
	n := &acmeNode{http: listen(t), tls: listen(t)}
	n.ACME = must[*certificate.ACME](t)(certificate.OpenACME(certificate.ACMEConfig{
		Directory: signed.directory, Email: "operator@example.com", Roots: signed.rootsFile, Records: store.Certificates(),
		Sealer:  must[*secret.Sealer](t)(secret.NewSealer(bytes.Repeat([]byte{1}, secret.KeySize))),
		Project: func(host string) (string, bool) { return "p", true }, Budget: certificate.NewBudget(budget, time.Now),
		HTTPPort: port(n.http), TLSPort: port(n.tls), Log: slog.New(slog.NewTextHandler(t.Output(), nil)),
	}))
	t.Cleanup(func() { _ = n.Close() })
	return n
}

// serve answers challenges.
func (n *acmeNode) serve(t *testing.T) {
	server := &http.Server{Handler: n.Challenges(http.NotFoundHandler()), ReadHeaderTimeout: time.Minute}
	secure := &http.Server{
		TLSConfig:         &tls.Config{GetCertificate: n.GetCertificate, NextProtos: []string{certificate.Protocol, "http/1.1"}},
		ReadHeaderTimeout: time.Minute,
	}
	for _, run := range []func() error{func() error { return server.Serve(n.http) }, func() error { return secure.ServeTLS(n.tls, "", "") }} {
		go func() {
			if err := run(); !errors.Is(err, http.ErrServerClosed) && !errors.Is(err, net.ErrClosed) {
				t.Error(err)
			}
		}()
	}
	t.Cleanup(func() { _ = server.Close(); _ = secure.Close() })
}

// One node requests a certificate, the challenge arrives at another node, and each of them
// serves the certificate.
func TestACME_AnotherNodeAnswersChallenge(t *testing.T) {
	address := pgtest.Database(t)
	names := nameserver.Start(t)
	names.LeadTo([4]byte{127, 0, 0, 1})
	signed := startAuthority(t)
	requests, answers := newACMENode(t, address, signed, 1), newACMENode(t, address, signed, 0)
	answers.serve(t)
	issued := signed.start(t, names, port(answers.http), port(answers.tls), "blocked.example.com")

	const hostname = "api.example.com"
	names.Alias(hostname, "f.functions.example.com")
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	if err := requests.Obtain(ctx, hostname, "p"); err != nil {
		t.Fatal(err)
	}
	dialer := &tls.Dialer{Config: &tls.Config{RootCAs: issued, ServerName: hostname}}
	connection := must[net.Conn](t)(dialer.DialContext(ctx, "tcp", answers.tls.Addr().String()))
	defer connection.Close()
	shown := connection.(*tls.Conn).ConnectionState().PeerCertificates[0]
	own := must[*tls.Certificate](t)(requests.GetCertificate(&tls.ClientHelloInfo{ServerName: hostname, SupportedVersions: []uint16{tls.VersionTLS13}, CipherSuites: []uint16{tls.TLS_AES_128_GCM_SHA256}, Conn: connection}))
	if leaf := must[*x509.Certificate](t)(x509.ParseCertificate(own.Certificate[0])); !leaf.Equal(shown) {
		t.Errorf("the nodes have different certificates: %v and %v", leaf.SerialNumber, shown.SerialNumber)
	}
}
