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

// clock is moved by hand.
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

// source is where a server gets its certificates.
type source func(*tls.ClientHelloInfo) (*tls.Certificate, error)

// handshake connects a client, which trusts the given certificates, to a
// server, and returns the certificate that the client was shown.
func handshake(t *testing.T, get source, trusted []byte, name string, c *clock) (*x509.Certificate, error) {
	t.Helper()
	pool := x509.NewCertPool()
	if !pool.AppendCertsFromPEM(trusted) {
		t.Fatal("nothing to trust")
	}
	listener, err := tls.Listen("tcp", "127.0.0.1:0", &tls.Config{GetCertificate: get, MinVersion: tls.VersionTLS12})
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = listener.Close() }()
	go func() {
		if connection, err := listener.Accept(); err == nil {
			// It reads the client's half of the handshake, or why it fails.
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

func TestAuthorityServesKnownHosts(t *testing.T) {
	t.Parallel()
	c := newClock()
	a := open(t, t.TempDir(), c)
	hosts := certificate.NewHosts(a, known(host))
	shown, err := handshake(t, hosts.GetCertificate, a.PEM(), host, c)
	if err != nil {
		t.Fatal(err)
	}
	if len(shown.DNSNames) != 1 || shown.DNSNames[0] != host || shown.IsCA {
		t.Errorf("the certificate is for %v, authority: %v", shown.DNSNames, shown.IsCA)
	}
	again, err := handshake(t, hosts.GetCertificate, a.PEM(), strings.ToUpper(host), c)
	if err != nil || !again.Equal(shown) {
		t.Errorf("the same host in capitals is shown another certificate, %v", err)
	}
	for _, name := range []string{"other." + domain, "localhost", domain} {
		if _, err := handshake(t, hosts.GetCertificate, a.PEM(), name, c); err == nil {
			t.Errorf("%s is shown a certificate", name)
		}
	}
	if _, err := hosts.GetCertificate(&tls.ClientHelloInfo{}); !errors.Is(err, certificate.ErrUnknownHost) {
		t.Errorf("a client that names no host gets %v", err)
	}
}

func TestLeafIsRenewedInTime(t *testing.T) {
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
			t.Errorf("after %d more days, renewed: %v", days, renewed)
		}
		first = shown
	}
}

func TestAuthoritySignsForItsDomainsOnly(t *testing.T) {
	t.Parallel()
	c := newClock()
	a := open(t, t.TempDir(), c)
	for name, good := range map[string]bool{host: true, "ns-f." + domains[1]: true, "bank.example": false, "localhost": false} {
		hosts := certificate.NewHosts(a, known(name))
		if _, err := handshake(t, hosts.GetCertificate, a.PEM(), name, c); (err == nil) != good {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestManyHosts(t *testing.T) {
	t.Parallel()
	c := newClock()
	hosts := certificate.NewHosts(open(t, t.TempDir(), c), func(string) bool { return true })
	for i := range 1100 {
		if _, err := hosts.GetCertificate(&tls.ClientHelloInfo{ServerName: strconv.Itoa(i) + "." + domain}); err != nil {
			t.Fatal(err)
		}
	}
	if kept := hosts.Kept(); kept > 1000 || kept < 900 {
		t.Errorf("%d certificates are kept", kept)
	}
}

func TestAuthorityIsKept(t *testing.T) {
	t.Parallel()
	dir, c := t.TempDir(), newClock()
	first := open(t, dir, c)
	if again := open(t, dir, c); !bytes.Equal(first.PEM(), again.PEM()) {
		t.Error("a second start makes another authority")
	}
	written, err := os.ReadFile(filepath.Join(dir, certificate.AuthorityFile))
	if err != nil || !bytes.Equal(written, first.PEM()) {
		t.Errorf("the file holds %s, %v", written, err)
	}
	keyPath := filepath.Join(dir, "ca.key")
	sealed, err := os.ReadFile(keyPath)
	if err != nil {
		t.Fatal(err)
	}
	if info, err := os.Stat(keyPath); err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("the key has mode %v, %v", info.Mode(), err)
	}
	if _, err := x509.ParseECPrivateKey(sealed); err == nil || bytes.Contains(sealed, []byte("PRIVATE")) {
		t.Error("the key is in clear")
	}
}

func TestAuthorityIsRefused(t *testing.T) {
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
		"no certificate in it":  {damage: func(t *testing.T, dir string) { write(t, dir, "ca.pem", "x") }, want: "no PEM"},
		"another authority's certificate": {damage: func(t *testing.T, dir string) {
			other := open(t, t.TempDir(), newClock())
			write(t, dir, "ca.pem", string(other.PEM()))
		}, want: "another certificate"},
		"another domain": {domain: "example.com", want: "not for [example.com]"},
		"near its end":   {later: 10*365*24*time.Hour - 24*time.Hour, want: "it ends on 2036-"},
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
				t.Errorf("got %v, want it to say %q and what to do", err, test.want)
			}
		})
	}
}

// A crash between writing the key and the certificate is put right.
func TestAuthorityWithoutCertificateIsMadeAgain(t *testing.T) {
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

// writePair has an authority of its own sign a certificate for the host, and
// writes both files.
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

func TestFilesAreReadAgain(t *testing.T) {
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
	wantTrusted("at first", old)
	renewed := writePair(t, dir, c)
	wantTrusted("within the second", old)
	c.advance(time.Second)
	wantTrusted("a second later", renewed)

	write(t, dir, "cert.pem", "half of a certif")
	c.advance(time.Second)
	wantTrusted("with a broken file", renewed)
	c.advance(time.Second)
	wantTrusted("with the same broken file", renewed)
	if got := strings.Count(log.String(), "cannot be used"); got != 1 {
		t.Errorf("the broken file is logged %d times, want once: %s", got, log)
	}
	remove(t, dir, "key.pem")
	c.advance(time.Second)
	wantTrusted("without a key", renewed)

	last := writePair(t, dir, c)
	c.advance(time.Second)
	wantTrusted("when it is whole again", last)
	if strings.Contains(log.String(), "PRIVATE") {
		t.Errorf("the key is in the log: %s", log)
	}
}

func TestFilesMustBeGoodAtTheStart(t *testing.T) {
	t.Parallel()
	dir, c := t.TempDir(), newClock()
	if _, err := openFiles(dir, c, io.Discard); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("without files: %v", err)
	}
	writePair(t, dir, c)
	key, err := os.ReadFile(filepath.Join(dir, "key.pem"))
	if err != nil {
		t.Fatal(err)
	}
	writePair(t, dir, c)
	write(t, dir, "key.pem", string(key))
	if _, err := openFiles(dir, c, io.Discard); err == nil || !strings.Contains(err.Error(), "cert.pem") {
		t.Errorf("with the key of another certificate: %v", err)
	}
}
