package e2e_test

import (
	"errors"
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

// onPostgreSQL returns the option of a server that uses a PostgreSQL database.
func onPostgreSQL(database string) jetontest.Option {
	return func(c *server.Config) { c.Database = database }
}

// openError starts a server and returns its error.
func openError(t *testing.T, dataDir, database string) error {
	t.Helper()
	config := server.DefaultConfig(dataDir)
	config.APIListen, config.GatewayListen, config.OpsListen, config.ClusterListen = "127.0.0.1:0", "127.0.0.1:0", "", "127.0.0.1:0"
	config.Database = database
	s, err := server.Open(t.Context(), config, slog.New(slog.DiscardHandler))
	if err == nil {
		t.Fatal(errors.Join(errors.New("the server starts"), s.Close()))
	}
	return err
}

func TestPostgreSQL_KeepsFunctionsAndRevocations(t *testing.T) {
	t.Parallel()
	database := pgtest.Database(t)
	w := newWorld(t, onPostgreSQL(database))
	n := w.namespace("postgres")
	request := python(n.ID, "f")
	request.Privacy = function.FunctionPrivacyPrivate
	request.SecretEnvironmentVariables = []*function.Secret{{Key: "S", Value: pointer(jetontest.SecretMark)}}
	f := w.function(request, pythonHandler("return os.environ['S']"))
	kept := must[*function.Token](t)(w.CreateToken(&function.CreateTokenRequest{FunctionID: &f.ID}))
	revoked := must[*function.Token](t)(w.CreateToken(&function.CreateTokenRequest{NamespaceID: &n.ID}))
	must[*function.Token](t)(w.DeleteToken(&function.DeleteTokenRequest{TokenID: revoked.ID}))
	check := func(when string) {
		t.Helper()
		status, body := w.call(f, "/", kept.Token)
		if status != 200 || body != jetontest.SecretMark {
			t.Errorf("a call with a token %s: %d %s", when, status, body)
		}
		status, _ = w.call(f, "/", revoked.Token)
		wantStatus(t, "a revoked token "+when, status, 403)
	}
	check("before the restart")
	w.restart()
	check("after the restart")
	again := must[*function.Function](t)(w.GetFunction(&function.GetFunctionRequest{FunctionID: f.ID}))
	if !again.CreatedAt.Equal(*f.CreatedAt) || again.Status != f.Status || again.DomainName != f.DomainName {
		t.Errorf("after a restart: got function %+v, want %+v", again, f)
	}
}

// A server with the wrong data folder or database would delete archives as unused, or
// could not decrypt secrets.
func TestPostgreSQL_RefusesWrongDataFolder(t *testing.T) {
	t.Parallel()
	database, otherDatabase := pgtest.Database(t), pgtest.Database(t)
	w := newWorld(t, onPostgreSQL(database))
	w.Stop()
	other := newWorld(t, onPostgreSQL(otherDatabase))
	other.Stop()
	sqlite := newWorld(t)
	sqlite.Stop()
	for name, test := range map[string]struct{ dataDir, database, want string }{
		"a new folder":                        {filepath.Join(t.TempDir(), "new"), database, "secret.key is missing"},
		"the folder of another database":      {other.DataDir, database, "is not the key that sealed"},
		"the folder of SQLite":                {sqlite.DataDir, database, "start without --database"},
		"the folder without a database":       {w.DataDir, "", "pass its URL with --database"},
		"a new database for an old folder":    {w.DataDir, pgtest.Database(t), "belongs to another database"},
		"a database that cannot be connected": {w.DataDir, "postgres://jeton:hidden@127.0.0.1:1/x", "check host, port and network"},
	} {
		t.Run(name, func(t *testing.T) {
			err := openError(t, test.dataDir, test.database)
			if !strings.Contains(err.Error(), test.want) || strings.Contains(err.Error(), "hidden") {
				t.Errorf("got %v, want an error with %q", err, test.want)
			}
			if _, err := os.Stat(filepath.Join(test.dataDir, "jeton.db")); err == nil && test.dataDir != sqlite.DataDir {
				t.Error("the server created an SQLite database")
			}
		})
	}
	w.restart()
}
