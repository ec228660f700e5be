package postgres_test

import (
	"errors"
	"testing"
	"time"

	"github.com/jeton-dev/jeton/internal/store/postgres"
	server "github.com/jeton-dev/jeton/test/postgres"
)

func TestOpen_RefusesAPoolerInTransactionMode(t *testing.T) {
	t.Parallel()
	s, err := server.Start()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = s.Stop() })
	for mode, want := range map[string]error{"transaction": postgres.ErrPooler, "statement": postgres.ErrPooler, "session": nil} {
		p, err := s.StartPooler(mode)
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _ = p.Stop() })
		address := p.URL(s.Database(t))
		// For `jeton doctor`.
		if _, err := postgres.Inspect(t.Context(), address); !errors.Is(err, want) {
			t.Errorf("mode %s: Inspect() = %v, want %v", mode, err, want)
		}
		db, err := postgres.Open(t.Context(), address, time.Now)
		if !errors.Is(err, want) {
			t.Errorf("mode %s: Open() = %v, want %v", mode, err, want)
		}
		if err != nil {
			continue
		}
		t.Cleanup(func() { _ = db.Close() })
		follower := follow(t, db)
		if put(t, db, project); follower.applied() != 1 {
			t.Errorf("mode %s: got %d changes, want one", mode, follower.applied())
		}
	}
}

// Each session has the timeouts, also behind a pooler that does not pass parameters on.
func TestOpen_SetsTheTimeoutsOfSessions(t *testing.T) {
	t.Parallel()
	address := server.Database(t)
	s, err := postgres.Open(t.Context(), address+"&lock_timeout=4321", time.Now)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = s.Close() })
	put(t, s, project)
	got, err := s.SettingsOfSession(t.Context(), "idle_in_transaction_session_timeout", "statement_timeout", "lock_timeout")
	if want := [3]string{"3s", "30s", "4321ms"}; err != nil || [3]string(got) != want {
		t.Errorf("got %q, %v; want %q", got, err, want)
	}
}
