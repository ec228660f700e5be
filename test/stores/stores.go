// Package stores opens the store over which a package's tests run.
package stores

import (
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/jeton-dev/jeton/internal/store"
	"github.com/jeton-dev/jeton/internal/store/postgres"
	"github.com/jeton-dev/jeton/internal/store/sqlite"
	pgtest "github.com/jeton-dev/jeton/test/postgres"
)

// variable selects PostgreSQL if its value is "postgres".
const variable = "JETON_TEST_STORE"

// Open opens a new store, which is closed when the test ends. TestMain must call
// postgres.Main.
func Open(t testing.TB, now func() time.Time) store.Store {
	t.Helper()
	var s store.Store
	var err error
	if os.Getenv(variable) == "postgres" {
		s, err = postgres.Open(t.Context(), pgtest.Database(t), now)
	} else {
		s, err = sqlite.Open(t.Context(), filepath.Join(t.TempDir(), "jeton.db"), now)
	}
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = s.Close() })
	return s
}
