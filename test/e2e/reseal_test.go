package e2e_test

import (
	"bytes"
	"encoding/base64"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"testing"

	function "github.com/scaleway/scaleway-sdk-go/api/function/v1beta1"

	"github.com/jeton-dev/jeton/internal/server"
	"github.com/jeton-dev/jeton/test/jetontest"
	pgtest "github.com/jeton-dev/jeton/test/postgres"
)

// The sealing key is replaced while the server runs, and the earlier one is dropped. Every
// value still opens: the key that signs tokens, and the secrets of functions.
func TestReseal_ReplacesTheKeyOfARunningServer(t *testing.T) {
	t.Parallel()
	for name, database := range map[string]string{"SQLite": "", "PostgreSQL": pgtest.Database(t)} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			keys := filepath.Join(t.TempDir(), "keys")
			write := func(fills ...byte) {
				t.Helper()
				var text strings.Builder
				for _, fill := range fills {
					text.WriteString(base64.StdEncoding.EncodeToString(bytes.Repeat([]byte{fill}, 32)) + "\n")
				}
				// As a mounted Secret, the file is replaced.
				if err := os.WriteFile(keys+".new", []byte(text.String()), 0o600); err != nil {
					t.Fatal(err)
				}
				if err := os.Rename(keys+".new", keys); err != nil {
					t.Fatal(err)
				}
			}
			write(1)
			w := newWorld(t, func(c *server.Config) { c.Database, c.SealingKey, c.GatewayTLSListen = database, keys, "127.0.0.1:0" })
			n := w.namespace("reseal")
			request := python(n.ID, "f")
			request.Privacy = function.FunctionPrivacyPrivate
			request.SecretEnvironmentVariables = []*function.Secret{{Key: "S", Value: pointer(jetontest.SecretMark)}}
			f := w.function(request, pythonHandler("return os.environ['S']"))
			earlier := must[*function.Token](t)(w.CreateToken(&function.CreateTokenRequest{FunctionID: &f.ID})).Token
			check := func(when string) {
				t.Helper()
				created := must[*function.Token](t)(w.CreateToken(&function.CreateTokenRequest{FunctionID: &f.ID})).Token
				w.deploy(f.ID, zipOf(t, pythonHandler("return os.environ['S']")))
				for _, token := range []string{earlier, created} {
					status, body := w.call(f, "/", token)
					if status != 200 || body != jetontest.SecretMark {
						t.Errorf("a call %s: %d %s", when, status, body)
					}
				}
			}
			reseal := func(want bool) {
				t.Helper()
				resealed, err := w.Admin.Reseal(t.Context())
				if err != nil || (resealed.Count > 0) != want {
					t.Errorf("Reseal() = %+v, %v, want a change: %v", resealed, err, want)
				}
			}
			reseal(false)
			// The current key must stay in the file.
			write(2)
			if _, err := w.Admin.Reseal(t.Context()); err == nil || !strings.Contains(err.Error(), "keep that key in the file") {
				t.Errorf("without the current key: got %v", err)
			}
			write(1, 2)
			reseal(false)
			write(2, 1)
			reseal(true)
			reseal(false)
			check("after the values were sealed again")
			write(2)
			reseal(false)
			w.restart()
			check("after a restart without the earlier key")

			// Another key is refused.
			w.Stop()
			write(3)
			c := server.DefaultConfig(w.DataDir)
			c.APIListen, c.GatewayListen, c.OpsListen, c.ClusterListen = "127.0.0.1:0", "127.0.0.1:0", "", "127.0.0.1:0"
			c.Database, c.SealingKey = database, keys
			if err := openServer(t, c); err == nil || !strings.Contains(err.Error(), "has not the key") && !strings.Contains(err.Error(), "is not the key") {
				t.Errorf("with another key: got %v", err)
			}
			c.SealingKey = keys + ".missing"
			if err := openServer(t, c); err == nil || !strings.Contains(err.Error(), "no such file") {
				t.Errorf("without the file: got %v", err)
			}
		})
	}
}

// openServer opens a server and returns its error.
func openServer(t *testing.T, c server.Config) error {
	t.Helper()
	s, err := server.Open(t.Context(), c, slog.New(slog.DiscardHandler))
	if err == nil {
		_ = s.Close()
	}
	return err
}
