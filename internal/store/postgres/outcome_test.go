package postgres_test

import (
	"errors"
	"sync/atomic"
	"testing"
	"time"

	"github.com/jeton-dev/jeton/internal/functions"
	"github.com/jeton-dev/jeton/internal/store"
	"github.com/jeton-dev/jeton/internal/store/postgres"
	"github.com/jeton-dev/jeton/test/await"
	server "github.com/jeton-dev/jeton/test/postgres"
)

var errConnection = errors.New("the connection was lost")

// The answer to a commit is lost: its outcome is looked up before Update returns.
func TestI12_OutcomeOfACommitIsLookedUp(t *testing.T) {
	t.Parallel()
	address := server.Database(t)
	var lose atomic.Bool
	s := open(t, address, postgres.WithCommitHook(func(err error) error {
		if lose.Swap(false) {
			return errors.Join(errConnection, err)
		}
		return err
	}))
	put(t, s, project, namespace)
	r := follow(t, s)
	lose.Store(true)
	runs := 0
	err := s.Update(t.Context(), func(tx store.Tx) error { runs++; return tx.Put(token("t")) })
	if err != nil || runs != 1 || r.applied() != 1 {
		t.Errorf("Update returns %v after %d runs and %d changes, want nil, 1 and 1", err, runs, r.applied())
	}
	put(t, s, token("u"))
	wantSameHistory(t, 2, r)
}

// The look-up fails, too: the store refuses writes and followers, and admits nothing,
// until it knows the outcome.
func TestStore_RefusesWhileAnOutcomeIsUnknown(t *testing.T) {
	t.Parallel()
	pg, err := server.Start()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := pg.Stop(); err != nil {
			t.Error(err)
		}
	})
	address := pg.Database(t)
	var lose atomic.Bool
	s := open(t, address, postgres.WithLookUp(300*time.Millisecond, 20*time.Millisecond), postgres.WithCommitHook(func(err error) error {
		if lose.Swap(false) {
			return errors.Join(errConnection, err, pg.Crash())
		}
		return err
	}))
	put(t, s, project, namespace, token("t"))
	r := follow(t, s)
	lose.Store(true)
	if err := s.Update(t.Context(), func(tx store.Tx) error { return tx.Delete(token("t")) }); !errors.Is(err, errConnection) || functions.CodeOf(err) != functions.Unavailable {
		t.Errorf("Update returns %v, want the lost connection with the code unavailable", err)
	}
	// The follower may have read the change between the commit and the crash.
	if s.Settled() || s.Check(t.Context()) == nil || r.applied() > 1 {
		t.Errorf("Settled() = %v, Check() = %v, %d changes were applied", s.Settled(), s.Check(t.Context()), r.applied())
	}
	ran := false
	if err := s.Update(t.Context(), func(store.Tx) error { ran = true; return nil }); functions.CodeOf(err) != functions.Unavailable || ran {
		t.Errorf("Update returns %v, and ran: %v", err, ran)
	}
	if err := s.Follow(t.Context(), store.Position{}, store.Hook{OnReload: func() { ran = true }}); functions.CodeOf(err) != functions.Unavailable || ran {
		t.Errorf("Follow returns %v, and loaded a snapshot: %v", err, ran)
	}
	if err := pg.Resume(); err != nil {
		t.Fatal(err)
	}
	await.True(t, "the outcome is known", s.Settled)
	if r.applied() != 1 || !r.changes[0].Deleted || len(tokenIDs(t, s)) != 0 {
		t.Errorf("%d changes were applied, and the tokens are %v", r.applied(), tokenIDs(t, s))
	}
}

// closedError is the error of pgx for a connection that is found closed, whether or not
// the commit was sent.
type closedError struct{}

// Error implements error.
func (closedError) Error() string { return "conn closed" }

// SafeToRetry is what pgconn.SafeToRetry examines.
func (closedError) SafeToRetry() bool { return true }

// The answer to every commit is lost.
func TestI12_LostAnswersCountOnce(t *testing.T) {
	t.Parallel()
	s := open(t, server.Database(t), postgres.WithCommitHook(func(err error) error { return errors.Join(closedError{}, err) }))
	put(t, s, project, namespace)
	r := follow(t, s)
	for _, id := range []string{"a", "b", "c"} {
		put(t, s, token(id))
	}
	wantSameHistory(t, 3, r)
}
