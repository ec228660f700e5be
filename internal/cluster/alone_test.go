package cluster_test

import (
	"context"
	"net/http"
	"net/http/httptest"
	"sync"
	"testing"
	"time"

	"github.com/jeton-dev/jeton/internal/cluster"
	"github.com/jeton-dev/jeton/internal/functions"
	"github.com/jeton-dev/jeton/internal/store"
	"github.com/jeton-dev/jeton/internal/store/sqlite"
)

// alone returns a store that no other node uses, and its node.
func alone(t *testing.T) (*sqlite.Store, *cluster.Node) {
	t.Helper()
	s, err := sqlite.Open(t.Context(), t.TempDir()+"/jeton.db", time.Now)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = s.Close() })
	return s, cluster.Alone(s, "only")
}

// A read of the database shows a change as soon as it is committed. The response waits until
// the views that admit calls have it too, also if no other node exists.
func TestI6_AnswerOfANodeThatIsAloneWaitsForItsViews(t *testing.T) {
	t.Parallel()
	s, n := alone(t)
	applying, admit := make(chan struct{}), make(chan struct{})
	var once sync.Once
	table := store.Hook{OnChange: func(store.Change) {
		once.Do(func() { close(applying) })
		<-admit
	}}
	if err := s.Follow(t.Context(), store.Position{}, store.NewFanout(table, n.First(), n.Follower())); err != nil {
		t.Fatal(err)
	}
	written := make(chan error, 1)
	go func() {
		written <- s.Update(t.Context(), func(tx store.Tx) error { return tx.Put(project) })
	}()
	<-applying

	get := func(ctx context.Context) int {
		r := httptest.NewRecorder()
		n.Gate(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			if err := s.View(r.Context(), readsProject); err != nil {
				t.Errorf("the read does not show the change that is being applied: %v", err)
			}
			w.WriteHeader(http.StatusOK)
		})).ServeHTTP(r, httptest.NewRequestWithContext(ctx, http.MethodGet, "/", nil))
		return r.Code
	}
	short, cancel := context.WithTimeout(t.Context(), 100*time.Millisecond)
	defer cancel()
	if got := get(short); got != http.StatusServiceUnavailable {
		t.Errorf("before the table has applied the change: got status %d, want 503", got)
	}
	close(admit)
	if err := <-written; err != nil {
		t.Fatal(err)
	}
	if got := get(t.Context()); got != http.StatusOK {
		t.Errorf("afterwards: got status %d, want 200", got)
	}
}

func readsProject(tx store.Tx) error {
	_, err := tx.Project(project.ID)
	return err
}

// A read of a state that all views have does not wait, and neither does one during a change
// that it does not show.
func TestI6_AnswerOfANodeThatIsAloneWaitsForNothingElse(t *testing.T) {
	t.Parallel()
	s, n := alone(t)
	if err := s.Follow(t.Context(), store.Position{}, store.NewFanout(n.First(), n.Follower())); err != nil {
		t.Fatal(err)
	}
	get := func() int {
		r := httptest.NewRecorder()
		n.Gate(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			_ = s.View(r.Context(), readsProject)
			w.WriteHeader(http.StatusOK)
		})).ServeHTTP(r, httptest.NewRequest(http.MethodGet, "/", nil))
		return r.Code
	}
	if got := get(); got != http.StatusOK {
		t.Errorf("empty: got status %d", got)
	}
	err := s.Update(t.Context(), func(tx store.Tx) error {
		if err := tx.Put(project); err != nil {
			return err
		}
		if got := get(); got != http.StatusOK {
			t.Errorf("before the commit: got status %d", got)
		}
		return functions.NotFoundError("project", project.ID)
	})
	if !functions.IsNotFound(err) {
		t.Errorf("Update() = %v", err)
	}
	if got := get(); got != http.StatusOK {
		t.Errorf("after a transaction that was not committed: got status %d", got)
	}
}
