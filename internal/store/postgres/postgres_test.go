package postgres_test

import (
	"context"
	"errors"
	"log/slog"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"

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
	runSuite(t, storetest.Run)
}

// Every first commit of a transaction is aborted, or its answer is lost.
func TestI12_StoreWithFailingCommits(t *testing.T) {
	t.Parallel()
	for name, fail := range map[string]func(context.Context, pgx.Tx) error{
		"aborted": func(ctx context.Context, x pgx.Tx) error {
			return errors.Join(&pgconn.PgError{Code: "40001", SeverityUnlocalized: "ERROR"}, x.Rollback(ctx))
		},
		"answer lost": func(ctx context.Context, x pgx.Tx) error { return errors.Join(closedError{}, x.Commit(ctx)) },
		"lost":        func(ctx context.Context, x pgx.Tx) error { return errors.Join(closedError{}, x.Rollback(ctx)) },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var commits atomic.Int64
			t.Cleanup(func() {
				if commits.Load() < 10 {
					t.Errorf("got %d commits, want some that failed", commits.Load())
				}
			})
			runSuite(t, storetest.RunDefault, postgres.WithCommit(func(ctx context.Context, x pgx.Tx) error {
				if commits.Add(1)%2 == 1 {
					return fail(ctx, x)
				}
				return x.Commit(ctx)
			}))
		})
	}
}

// runSuite runs the suite for stores with options.
func runSuite(t *testing.T, suite func(*testing.T, storetest.Open), options ...postgres.Option) {
	t.Helper()
	var mu sync.Mutex
	databases := map[string]string{}
	suite(t, func(t *testing.T, name string, keep store.Retention) store.Store {
		t.Helper()
		mu.Lock()
		address, ok := databases[name]
		if !ok {
			address = server.Database(t)
			databases[name] = address
		}
		mu.Unlock()
		return open(t, address, append(options, postgres.WithRetention(keep))...)
	})
}
