package gateway_test

import (
	"bufio"
	"errors"
	"io"
	"net"
	"net/http"
	"net/netip"
	"os"
	"testing"
	"time"

	"github.com/jeton-dev/jeton/internal/functions"
	"github.com/jeton-dev/jeton/internal/gateway"
	"github.com/jeton-dev/jeton/internal/iam"
	"github.com/jeton-dev/jeton/internal/store"
)

func proxies(t *testing.T, prefixes ...string) gateway.Proxies {
	t.Helper()
	var all gateway.Proxies
	for _, text := range prefixes {
		all = append(all, netip.MustParsePrefix(text))
	}
	return all
}

// echoProtocol switches to a protocol that echoes all data.
func echoProtocol(w http.ResponseWriter, _ *http.Request) {
	connection, buffered, err := http.NewResponseController(w).Hijack()
	if err != nil {
		return
	}
	defer connection.Close()
	_, _ = io.WriteString(connection, "HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: echo\r\n\r\n")
	_, _ = io.Copy(connection, buffered)
}

// upgrade returns a connection that has switched to echoProtocol.
func upgrade(t *testing.T, address, token string) (net.Conn, *bufio.Reader) {
	t.Helper()
	var dialer net.Dialer
	connection, err := dialer.DialContext(t.Context(), "tcp", address)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = connection.Close() })
	_, _ = io.WriteString(connection, "GET / HTTP/1.1\r\nHost: "+host+"\r\nX-Auth-Token: "+token+"\r\nConnection: Upgrade\r\nUpgrade: echo\r\n\r\n")
	reader := bufio.NewReader(connection)
	response, err := http.ReadResponse(reader, nil)
	if err != nil || response.StatusCode != http.StatusSwitchingProtocols {
		t.Fatalf("got %+v, %v, want status 101", response, err)
	}
	return connection, reader
}

// alive reports whether the connection echoes data.
func alive(connection net.Conn, reader *bufio.Reader) bool {
	_ = connection.SetDeadline(time.Now().Add(20 * time.Second))
	if _, err := io.WriteString(connection, "x"); err != nil {
		return false
	}
	_, err := reader.ReadByte()
	return err == nil
}

func TestUpgradedConnection_EndsWithItsToken(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		// ends is whether the connection must end after change.
		change func(*world, functions.Token, iam.APIKey)
		key    bool
		ends   bool
	}{
		"the token is deleted": {func(w *world, token functions.Token, _ iam.APIKey) {
			w.config.Table.Apply(store.Change{Object: token, Deleted: true})
		}, false, true},
		"the token expires": {func(w *world, _ functions.Token, _ iam.APIKey) {
			w.mu.Lock()
			defer w.mu.Unlock()
			w.clock = w.clock.Add(time.Hour)
		}, false, true},
		"the API key is revoked": {func(w *world, _ functions.Token, key iam.APIKey) { w.directory.Apply(key, true) }, true, true},
		"the function is deleted": {func(w *world, _ functions.Token, _ iam.APIKey) {
			w.function(func(f *functions.Function) { f.Status = functions.Deleting })
		}, false, true},
		"another token is deleted": {func(w *world, _ functions.Token, _ iam.APIKey) {
			w.config.Table.Apply(store.Change{Object: w.token("other", functions.Token{ID: tokenID(2), FunctionID: functionID}), Deleted: true})
		}, false, false},
		"the function becomes public": {func(w *world, _ functions.Token, _ iam.APIKey) {
			w.function(func(f *functions.Function) { f.Privacy = functions.Public })
		}, false, false},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t, echoProtocol)
			w.function(nil)
			token := w.token("text", functions.Token{ID: tokenID(1), FunctionID: functionID, ExpiresAt: start.Add(time.Hour)})
			key, secretKey := iam.NewAPIKey(iam.Project{ID: projectID}, start, iam.PrivateAccess)
			w.directory.Apply(key, false)
			presented := "text"
			if test.key {
				presented = secretKey.Reveal()
			}
			connection, reader := upgrade(t, strictServer(t, w), presented)
			if !alive(connection, reader) {
				t.Fatal("the connection ended before the change")
			}
			test.change(w, token, key)
			w.Recheck()
			if got := !alive(connection, reader); got != test.ends {
				t.Errorf("got ended %t, want %t", got, test.ends)
			}
		})
	}
}

// Recheck is not called when a token expires.
func TestUpgradedConnection_EndsAtExpiry(t *testing.T) {
	t.Parallel()
	w := newWorld(t, echoProtocol)
	w.function(nil)
	w.token("text", functions.Token{ID: tokenID(1), FunctionID: functionID, ExpiresAt: start.Add(time.Hour)})
	connection, reader := upgrade(t, strictServer(t, w), "text")
	w.mu.Lock()
	w.clock = w.clock.Add(time.Hour)
	w.mu.Unlock()
	_ = connection.SetReadDeadline(time.Now().Add(20 * time.Second))
	if _, err := reader.ReadByte(); err == nil {
		t.Error("got data, want the end of the connection")
	} else if errors.Is(err, os.ErrDeadlineExceeded) {
		t.Error("the connection has not ended after 20 s")
	}
}
