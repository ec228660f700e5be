package postgres_test

import (
	"log/slog"
	"sync"
	"testing"
	"time"

	"github.com/jeton-dev/jeton/internal/store"
	"github.com/jeton-dev/jeton/internal/store/postgres"
	"github.com/jeton-dev/jeton/internal/store/storetest"
	server "github.com/jeton-dev/jeton/test/postgres"
)

func TestMain(m *testing.M) { server.Main(m) }

// open opens a store that is closed when the test ends.
func open(t *testing.T, address string, options ...postgres.Option) *postgres.Store {
	t.Helper()
	s, err := postgres.Open(t.Context(), address, time.Now, append([]postgres.Option{postgres.WithLog(slog.New(slog.NewTextHandler(t.Output(), nil)))}, options...)...)
	if err != nil {
		t.Fatalf("open: %v", err)
	}
	t.Cleanup(func() { _ = s.Close() })
	return s
}

func TestStore(t *testing.T) {
	t.Parallel()
	var mu sync.Mutex
	databases := map[string]string{}
	storetest.Run(t, func(t *testing.T, name string, keep store.Retention) store.Store {
		t.Helper()
		mu.Lock()
		address, ok := databases[name]
		if !ok {
			address = server.Database(t)
			databases[name] = address
		}
		mu.Unlock()
		return open(t, address, postgres.WithRetention(keep))
	})
}
