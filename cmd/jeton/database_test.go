package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/jeton-dev/jeton/test/clustertest"
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
