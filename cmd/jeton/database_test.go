package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	function "github.com/scaleway/scaleway-sdk-go/api/function/v1beta1"

	"github.com/jeton-dev/jeton/internal/audit"
	"github.com/jeton-dev/jeton/internal/server"
	"github.com/jeton-dev/jeton/test/clustertest"
	"github.com/jeton-dev/jeton/test/jetontest"
	"github.com/jeton-dev/jeton/test/postgres"
)

func TestMain(m *testing.M) { clustertest.Main(m) }

const databasePassword = "hidden-password"

func TestDoctor_ReportsDatabase(t *testing.T) {
	t.Parallel()
	address := postgres.With(postgres.Database(t), "jeton", databasePassword)
	for name, test := range map[string]struct {
		address string
		status  int
		want    []string
	}{
		"usable":      {address, 0, []string{"PostgreSQL 1", "usable      yes", "median of 5", "warning     fsync is off"}},
		"read-only":   {address + "&default_transaction_read_only=on", 1, []string{"usable      no", "not to a replica"}},
		"unreachable": {postgres.With("postgres://x@127.0.0.1:1/x", "jeton", databasePassword), 1, []string{"usable      no", "check host, port and network"}},
		"not a URL":   {"jeton:" + databasePassword, 1, []string{"want postgres://"}},
	} {
		status, output := command(t, "", "doctor", "--database", test.address)
		wantOutput(t, name, status, test.status, output, test.want...)
		if strings.Contains(output, databasePassword) {
			t.Errorf("%s: the output contains the password: %s", name, output)
		}
	}
}

func TestBackup_RefusesPostgreSQL(t *testing.T) {
	t.Parallel()
	dataDir, file := t.TempDir(), filepath.Join(t.TempDir(), "backup")
	status, output := command(t, "", "backup", "--data-dir", dataDir, "--database", "postgres://jeton@localhost/x", file)
	wantOutput(t, "with --database", status, 1, output, "pg_dump")
	if err := os.WriteFile(filepath.Join(dataDir, "database.id"), []byte("x\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	status, output = command(t, "", "backup", "--data-dir", dataDir, file)
	wantOutput(t, "of its data directory", status, 1, output, "pg_dump")
	if _, err := os.Stat(file); err == nil {
		t.Error("a file was created")
	}
}

func TestAudit_PrintsEntriesOfDatabase(t *testing.T) {
	jeton := jetontest.Start(t, func(c *server.Config) {
		c.Database, c.Node, c.AuditReads = postgres.Database(t), "node7", true
	})
	t.Setenv("JETON_DATA_DIR", jeton.DataDir)
	status, output := command(t, "", "project", "create", "audited")
	wantOutput(t, "project create", status, 0, output)
	if _, err := function.NewAPI(jeton.Client()).CreateNamespace(&function.CreateNamespaceRequest{Name: "audited"}); err != nil {
		t.Fatal(err)
	}
	for range 2 { // Reading the log does not extend it.
		e := commandJSON[audit.Entry](t, "audit", "--since", "1h")
		if e.Endpoint != "POST /projects" || e.From != audit.Owner || e.Node != "node7" {
			t.Errorf("first entry: got %+v, want POST /projects by the owner at node7", e)
		}
	}
	status, output = command(t, "", "audit")
	wantOutput(t, "audit", status, 0, output, "owner", "POST /projects", jeton.AccessKey, "200  POST /functions/v1beta1/regions/{region}/namespaces", "node7")
	if strings.Contains(output, "/audit") {
		t.Errorf("the log has entries of its readers: %s", output)
	}
	if _, err := os.Stat(filepath.Join(jeton.DataDir, audit.File)); err == nil {
		t.Error("there is a file with the log, too")
	}
	if status, printed := command(t, "", "audit", "--since", "0s"); status != 0 || printed != "" {
		t.Errorf("audit --since 0s: got status %d and %q, want no entries", status, printed)
	}
	jeton.Stop()
	status, output = command(t, "", "audit")
	wantOutput(t, "without a server", status, 1, output, "read the audit log", "start 'jeton serve' first")
}
