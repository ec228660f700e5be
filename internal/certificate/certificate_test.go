package certificate_test

import (
	"bytes"
	"crypto/tls"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"io"
	"log/slog"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/jeton-dev/jeton/internal/certificate"
	"github.com/jeton-dev/jeton/internal/secret"
	"github.com/jeton-dev/jeton/test/testlog"
)

const (
	domain = "functions.fnc.fr-par.localhost"
	host   = "ns-f." + domain
)

var domains = []string{domain, "functions.fnc.nl-ams.localhost"}

// clock is a clock that the test advances.
type clock struct {
	mu  sync.Mutex
	now time.Time
}

func newClock() *clock { return &clock{now: time.Date(2026, 7, 3, 13, 0, 0, 0, time.UTC)} }

func (c *clock) Now() time.Time { c.mu.Lock(); defer c.mu.Unlock(); return c.now }

func (c *clock) advance(by time.Duration) { c.mu.Lock(); defer c.mu.Unlock(); c.now = c.now.Add(by) }

func newSealer(t *testing.T, fill byte) *secret.Sealer {
	t.Helper()
	sealer, err := secret.NewSealer(bytes.Repeat([]byte{fill}, secret.KeySize))
	if err != nil {
		t.Fatal(err)
	}
	return sealer
}

func open(t *testing.T, dir string, c *clock) *certificate.Authority {
	t.Helper()
	a, err := certificate.OpenAuthority(dir, domains, newSealer(t, 1), c.Now)
	if err != nil {
		t.Fatal(err)
	}
	return a
}

// source is the GetCertificate function of a server.
type source func(*tls.ClientHelloInfo) (*tls.Certificate, error)

// handshake connects a client with the given roots to a server, and returns the server's
// certificate.
func handshake(t *testing.T, get source, trusted []byte, name string, c *clock) (*x509.Certificate, error) {
	t.Helper()
	pool := x509.NewCertPool()
	if !pool.AppendCertsFromPEM(trusted) {
		t.Fatal("no PEM certificate to trust")
	}
	listener, err := tls.Listen("tcp", "127.0.0.1:0", &tls.Config{GetCertificate: get, MinVersion: tls.VersionTLS12})
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = listener.Close() }()
	go func() {
		if connection, err := listener.Accept(); err == nil {
			// Reading performs the handshake.
			_, _ = io.Copy(io.Discard, connection)
			connection.Close()
		}
	}()
	dialer := &tls.Dialer{Config: &tls.Config{RootCAs: pool, ServerName: name, Time: c.Now, MinVersion: tls.VersionTLS12}}
	connection, err := dialer.DialContext(t.Context(), "tcp", listener.Addr().String())
	if err != nil {
		return nil, err
	}
	defer connection.Close()
	return connection.(*tls.Conn).ConnectionState().PeerCertificates[0], nil
}

func known(names ...string) func(string) bool {
	return func(name string) bool {
		for _, n := range names {
			if n == name {
				return true
			}
		}
		return false
	}
}

func TestHosts_ServeKnownHostsOnly(t *testing.T) {
	t.Parallel()
	c := newClock()
	a := open(t, t.TempDir(), c)
	hosts := certificate.NewHosts(a, known(host))
	shown, err := handshake(t, hosts.GetCertificate, a.PEM(), host, c)
	if err != nil {
		t.Fatal(err)
	}
	if len(shown.DNSNames) != 1 || shown.DNSNames[0] != host || shown.IsCA {
		t.Errorf("got a certificate for %v, CA %v, want a leaf for %s", shown.DNSNames, shown.IsCA, host)
	}
	again, err := handshake(t, hosts.GetCertificate, a.PEM(), strings.ToUpper(host), c)
	if err != nil || !again.Equal(shown) {
		t.Errorf("hostname in capitals: got another certificate, %v", err)
	}
	for _, name := range []string{"other." + domain, "localhost", domain} {
		if _, err := handshake(t, hosts.GetCertificate, a.PEM(), name, c); err == nil {
			t.Errorf("%s: got a certificate, want an error", name)
		}
	}
	if _, err := hosts.GetCertificate(&tls.ClientHelloInfo{}); !errors.Is(err, certificate.ErrUnknownHost) {
		t.Errorf("client without SNI: got %v, want ErrUnknownHost", err)
	}
}

func TestHosts_RenewBeforeExpiry(t *testing.T) {
	t.Parallel()
	c := newClock()
	a := open(t, t.TempDir(), c)
	hosts := certificate.NewHosts(a, known(host))
	first, err := handshake(t, hosts.GetCertificate, a.PEM(), host, c)
	if err != nil {
		t.Fatal(err)
	}
	for _, days := range []int{59, 2, 365} {
		c.advance(time.Duration(days) * 24 * time.Hour)
		shown, err := handshake(t, hosts.GetCertificate, a.PEM(), host, c)
		if err != nil {
			t.Fatalf("after %d more days: %v", days, err)
		}
		if renewed := !shown.Equal(first); renewed != (days != 59) {
			t.Errorf("after %d more days: got renewed %v", days, renewed)
		}
		first = shown
	}
}

func TestAuthority_IsConstrainedToItsDomains(t *testing.T) {
	t.Parallel()
	c := newClock()
	a := open(t, t.TempDir(), c)
	for name, good := range map[string]bool{host: true, "ns-f." + domains[1]: true, "bank.example": false, "localhost": false} {
		hosts := certificate.NewHosts(a, known(name))
		if _, err := handshake(t, hosts.GetCertificate, a.PEM(), name, c); (err == nil) != good {
			t.Errorf("%s: got %v, want accepted %v", name, err, good)
		}
	}
}

func TestHosts_CacheIsBounded(t *testing.T) {
	t.Parallel()
	c := newClock()
	hosts := certificate.NewHosts(open(t, t.TempDir(), c), func(string) bool { return true })
	for i := range 1100 {
		if _, err := hosts.GetCertificate(&tls.ClientHelloInfo{ServerName: strconv.Itoa(i) + "." + domain}); err != nil {
			t.Fatal(err)
		}
	}
	if cached := hosts.Cached(); cached > 1000 || cached < 900 {
		t.Errorf("got %d cached certificates, want 900 to 1000", cached)
	}
}

func TestOpenAuthority_ReusesStoredAuthority(t *testing.T) {
	t.Parallel()
	dir, c := t.TempDir(), newClock()
	first := open(t, dir, c)
	if again := open(t, dir, c); !bytes.Equal(first.PEM(), again.PEM()) {
		t.Error("second OpenAuthority: got another authority")
	}
	written, err := os.ReadFile(filepath.Join(dir, certificate.AuthorityFile))
	if err != nil || !bytes.Equal(written, first.PEM()) {
		t.Errorf("file: got %s, %v, want the certificate", written, err)
	}
	keyPath := filepath.Join(dir, "ca.key")
	sealed, err := os.ReadFile(keyPath)
	if err != nil {
		t.Fatal(err)
	}
	if info, err := os.Stat(keyPath); err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("key: got mode %v, %v, want 0600", info.Mode(), err)
	}
	if _, err := x509.ParseECPrivateKey(sealed); err == nil || bytes.Contains(sealed, []byte("PRIVATE")) {
		t.Error("the key is not encrypted")
	}
}

func TestOpenAuthority_RefusesUnusableAuthority(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		damage func(t *testing.T, dir string)
		sealer byte
		want   string
		domain string
		later  time.Duration
	}{
		"key of another folder": {sealer: 2, want: "does not open"},
		"no key":                {damage: func(t *testing.T, dir string) { remove(t, dir, "ca.key") }, want: "no such file"},
		"not a certificate":     {damage: func(t *testing.T, dir string) { write(t, dir, "ca.pem", "x") }, want: "not a PEM certificate"},
		"another authority's certificate": {damage: func(t *testing.T, dir string) {
			other := open(t, t.TempDir(), newClock())
			write(t, dir, "ca.pem", string(other.PEM()))
		}, want: "another certificate"},
		"another domain": {domain: "example.com", want: "not [example.com]"},
		"expires soon":   {later: 10*365*24*time.Hour - 24*time.Hour, want: "it expires on 2036-"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			dir, c := t.TempDir(), newClock()
			open(t, dir, c)
			if test.damage != nil {
				test.damage(t, dir)
			}
			wanted := domains
			if test.domain != "" {
				wanted = []string{test.domain}
			}
			c.advance(test.later)
			_, err := certificate.OpenAuthority(dir, wanted, newSealer(t, max(test.sealer, 1)), c.Now)
			if err == nil || !strings.Contains(err.Error(), test.want) || !strings.Contains(err.Error(), "remove the file") {
				t.Errorf("got %v, want %q and the solution", err, test.want)
			}
		})
	}
}

// A crash between writing the key and the certificate leaves only the key.
func TestOpenAuthority_ReplacesKeyWithoutCertificate(t *testing.T) {
	t.Parallel()
	dir, c := t.TempDir(), newClock()
	open(t, dir, c)
	remove(t, dir, "ca.pem")
	a := open(t, dir, c)
	if _, err := handshake(t, certificate.NewHosts(a, known(host)).GetCertificate, a.PEM(), host, c); err != nil {
		t.Error(err)
	}
}

func remove(t *testing.T, dir, name string) {
	t.Helper()
	if err := os.Remove(filepath.Join(dir, name)); err != nil {
		t.Fatal(err)
	}
}

func write(t *testing.T, dir, name, content string) {
	t.Helper()
	if err := os.WriteFile(filepath.Join(dir, name), []byte(content), 0o600); err != nil {
		t.Fatal(err)
	}
}

// writePair writes a key and a certificate from a new authority, and returns the authority's
// certificate.
func writePair(t *testing.T, dir string, c *clock) (authority []byte) {
	t.Helper()
	a := open(t, t.TempDir(), c)
	made, err := certificate.NewHosts(a, known(host)).GetCertificate(&tls.ClientHelloInfo{ServerName: host})
	if err != nil {
		t.Fatal(err)
	}
	key, err := x509.MarshalPKCS8PrivateKey(made.PrivateKey)
	if err != nil {
		t.Fatal(err)
	}
	write(t, dir, "key.pem", string(pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: key})))
	write(t, dir, "cert.pem", string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: made.Certificate[0]})))
	return a.PEM()
}

func openFiles(dir string, c *clock, log io.Writer) (*certificate.Files, error) {
	return certificate.OpenFiles(filepath.Join(dir, "cert.pem"), filepath.Join(dir, "key.pem"), c.Now, slog.New(slog.NewTextHandler(log, nil)))
}

func TestFiles_AreReadAgainAfterChange(t *testing.T) {
	t.Parallel()
	dir, c, log := t.TempDir(), newClock(), &testlog.Buffer{}
	old := writePair(t, dir, c)
	files, err := openFiles(dir, c, log)
	if err != nil {
		t.Fatal(err)
	}
	wantTrusted := func(when string, authority []byte) {
		t.Helper()
		if _, err := handshake(t, files.GetCertificate, authority, host, c); err != nil {
			t.Errorf("%s: %v", when, err)
		}
	}
	wantTrusted("first files", old)
	renewed := writePair(t, dir, c)
	wantTrusted("changed files within a second", old)
	c.advance(time.Second)
	wantTrusted("changed files after a second", renewed)

	write(t, dir, "cert.pem", "half of a certif")
	c.advance(time.Second)
	wantTrusted("broken certificate", renewed)
	c.advance(time.Second)
	wantTrusted("unchanged broken certificate", renewed)
	if got := strings.Count(log.String(), "cannot use the new certificate"); got != 1 {
		t.Errorf("broken certificate: got %d log lines, want 1: %s", got, log)
	}
	remove(t, dir, "key.pem")
	c.advance(time.Second)
	wantTrusted("missing key", renewed)

	last := writePair(t, dir, c)
	c.advance(time.Second)
	wantTrusted("complete files again", last)
	if strings.Contains(log.String(), "PRIVATE") {
		t.Errorf("the log contains the key: %s", log)
	}
}

func TestOpenFiles_RefusesInvalidFiles(t *testing.T) {
	t.Parallel()
	dir, c := t.TempDir(), newClock()
	if _, err := openFiles(dir, c, io.Discard); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("no files: got %v, want os.ErrNotExist", err)
	}
	writePair(t, dir, c)
	key, err := os.ReadFile(filepath.Join(dir, "key.pem"))
	if err != nil {
		t.Fatal(err)
	}
	writePair(t, dir, c)
	write(t, dir, "key.pem", string(key))
	if _, err := openFiles(dir, c, io.Discard); err == nil || !strings.Contains(err.Error(), "cert.pem") {
		t.Errorf("key of another certificate: got %v, want an error", err)
	}
}
