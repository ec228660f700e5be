package postgres_test

import (
	"context"
	"net/url"
	"path/filepath"
	"testing"
	"time"

	"github.com/jeton-dev/jeton/internal/store/postgres"
	"github.com/jeton-dev/jeton/test/link"
	server "github.com/jeton-dev/jeton/test/postgres"
)

// All connections hang without an error, as in a proxy that is paused. A catch-up gives up,
// and so does one that waits for another one.
func TestCatchUp_GivesUpOnConnectionsThatHang(t *testing.T) {
	t.Parallel()
	address := server.Database(t)
	l, err := link.New(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = l.Close() })
	direct, err := url.Parse(address)
	if err != nil {
		t.Fatal(err)
	}
	l.To("unix", filepath.Join(direct.Query().Get("host"), ".s.PGSQL.5432"))
	const patience = 500 * time.Millisecond
	s, err := postgres.Open(t.Context(), "postgres://jeton@"+l.Address()+direct.Path+"?sslmode=disable", time.Now, postgres.WithPatience(patience))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = s.Close() })
	follower := follow(t, s)
	l.Cut()
	ended := make(chan error, 2)
	go func() { ended <- s.CatchUp(context.WithoutCancel(t.Context())) }()
	short, cancel := context.WithTimeout(t.Context(), patience/5)
	defer cancel()
	go func() { ended <- s.CatchUp(short) }()
	for range 2 {
		select {
		case err := <-ended:
			if err == nil {
				t.Error("a catch-up without the database succeeds")
			}
		case <-time.After(time.Minute):
			t.Fatal("a catch-up does not end")
		}
	}
	l.Mend()
	other, err := postgres.Open(t.Context(), address, time.Now)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = other.Close() })
	put(t, other, project)
	if err := s.CatchUp(t.Context()); err != nil || follower.applied() != 1 {
		t.Errorf("CatchUp() = %v after %d changes, want nil after one", err, follower.applied())
	}
}
