package postgres_test

import (
	"errors"
	"fmt"
	"reflect"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/jeton-dev/jeton/internal/functions"
	"github.com/jeton-dev/jeton/internal/iam"
	"github.com/jeton-dev/jeton/internal/store"
	"github.com/jeton-dev/jeton/internal/store/postgres"
	"github.com/jeton-dev/jeton/test/await"
	server "github.com/jeton-dev/jeton/test/postgres"
)

// A recorder is a follower that keeps what it receives.
type recorder struct {
	mu      sync.Mutex
	changes []store.Change
	// snapshot and at are those of the last reload, reloads is their number.
	snapshot []store.Object
	at       store.Position
	reloads  int
}

// Apply implements store.Follower.
func (r *recorder) Apply(c store.Change) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.changes = append(r.changes, c)
}

// Reload implements store.Follower.
func (r *recorder) Reload(at store.Position) store.Loader {
	var objects []store.Object
	return store.Loader{
		Add: func(o store.Object) { objects = append(objects, o) },
		Swap: func() {
			r.mu.Lock()
			defer r.mu.Unlock()
			r.snapshot, r.at, r.reloads = objects, at, r.reloads+1
		},
	}
}

// applied returns the number of changes so far.
func (r *recorder) applied() int {
	r.mu.Lock()
	defer r.mu.Unlock()
	return len(r.changes)
}

func (r *recorder) loaded() int {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.reloads
}

func follow(t *testing.T, s *postgres.Store) *recorder {
	t.Helper()
	r := &recorder{}
	if err := s.Follow(t.Context(), store.Position{}, r); err != nil {
		t.Fatal(err)
	}
	return r
}

var (
	project   = iam.Project{ID: "p", OrganizationID: "o", Name: "p"}
	namespace = functions.Namespace{ID: "n", Region: "fr-par", ProjectID: "p", Name: "n"}
)

func token(id string) functions.Token {
	return functions.Token{ID: id, Region: "fr-par", ProjectID: "p", NamespaceID: "n"}
}

func put(t *testing.T, s store.Store, objects ...store.Object) {
	t.Helper()
	if err := tryPut(t, s, objects...); err != nil {
		t.Fatal(err)
	}
}

func tryPut(t *testing.T, s store.Store, objects ...store.Object) error {
	t.Helper()
	return s.Update(t.Context(), func(tx store.Tx) (err error) {
		for _, o := range objects {
			err = errors.Join(err, tx.Put(o))
		}
		return err
	})
}

// tokenIDs returns the IDs of all tokens in the store.
func tokenIDs(t *testing.T, s store.Store) []string {
	t.Helper()
	var ids []string
	err := s.View(t.Context(), func(tx store.Tx) error {
		all, _, err := tx.Tokens(functions.Filter{}, functions.Page{})
		ids = nil
		for _, k := range all {
			ids = append(ids, k.ID)
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	slices.Sort(ids)
	return ids
}

// wantSameHistory checks that followers applied the same changes in the order of their
// numbers, without gaps.
func wantSameHistory(t *testing.T, total int, recorders ...*recorder) {
	t.Helper()
	const first = 3 // after the project and the namespace
	for i, r := range recorders {
		await.True(t, fmt.Sprintf("follower %d has applied all changes", i), func() bool { return r.applied() >= total })
		if len(r.changes) != total || r.reloads != 1 {
			var got []string
			for _, c := range r.changes {
				got = append(got, fmt.Sprint(c.Number, " ", c.Object.ObjectID()))
			}
			t.Fatalf("follower %d: got %d changes and %d snapshots, want %d and 1: %q", i, len(r.changes), r.reloads, total, got)
		}
		for n, c := range r.changes {
			if c.Number != first+int64(n) {
				t.Fatalf("follower %d: change %d has number %d, want %d", i, n, c.Number, first+int64(n))
			}
		}
		if !reflect.DeepEqual(r.changes, recorders[0].changes) {
			t.Errorf("followers 0 and %d applied different changes", i)
		}
	}
}

func TestI1_ChangesOfTwoStoresHaveOneOrder(t *testing.T) {
	t.Parallel()
	address := server.Database(t)
	stores := []*postgres.Store{open(t, address), open(t, address)}
	put(t, stores[0], project, namespace)
	recorders := []*recorder{follow(t, stores[0]), follow(t, stores[1])}
	const writers, each = 4, 25
	var group sync.WaitGroup
	for i, s := range stores {
		for w := range writers {
			group.Go(func() {
				for n := range each {
					k := token(fmt.Sprintf("t-%d-%d-%d", i, w, n))
					put(t, s, k)
					r := recorders[i]
					r.mu.Lock()
					if !slices.ContainsFunc(r.changes, func(c store.Change) bool { return c.Object.ObjectID() == k.ID }) {
						t.Errorf("Update returned before its followers had applied %s", k.ID)
					}
					r.mu.Unlock()
				}
			})
		}
	}
	group.Wait()
	wantSameHistory(t, 2*writers*each, recorders...)
}

// The store polls, so that a lost notification does not matter.
func TestFollow_DoesNotNeedNotifications(t *testing.T) {
	t.Parallel()
	address := server.Database(t)
	s := open(t, address)
	put(t, s, project, namespace)
	r := follow(t, s)
	server.Execute(t, address, `BEGIN; INSERT INTO tokens VALUES ('t', 'fr-par', 'p', 'n', NULL, 0, '{"ID":"t","Region":"fr-par","ProjectID":"p","NamespaceID":"n"}');
		INSERT INTO changes VALUES (3, 0, 'tokens', 't', false, 'uid', '{"ID":"t"}'); UPDATE head SET number = 3, uid = 'uid'; COMMIT`)
	await.True(t, "the follower has applied the change", func() bool { return r.applied() == 1 })
}

func TestFollow_LoadsSnapshotWhenTheLogWasTrimmed(t *testing.T) {
	t.Parallel()
	address := server.Database(t)
	s := open(t, address)
	put(t, s, project, namespace)
	r := follow(t, s)
	// One transaction makes more changes than are kept.
	other := open(t, address, postgres.WithRetention(store.Retention{Changes: 2, Bytes: 1 << 40, Age: time.Hour}))
	put(t, other, token("a"), token("b"), token("c"), token("d"))
	await.True(t, "the follower has loaded a snapshot", func() bool { return r.loaded() == 2 })
	if len(r.snapshot) != 6 || r.at.Number != 6 || !s.Settled() {
		t.Errorf("got %d objects at %d, settled %v, want 6 at 6", len(r.snapshot), r.at.Number, s.Settled())
	}
	put(t, s, token("e"))
	if len(r.changes) != 1 || r.changes[0].Number != 7 {
		t.Errorf("got %d changes, want change 7", len(r.changes))
	}
}

// A database that was restored to an earlier state lacks changes that the follower has
// applied, and gives their numbers to others.
func TestStore_ReloadsAfterTheDatabaseWentBackInTime(t *testing.T) {
	t.Parallel()
	const back = `BEGIN; SELECT FROM head FOR UPDATE; DELETE FROM tokens WHERE id IN ('b', 'c'); DELETE FROM changes WHERE number > 3;
		UPDATE head SET number = 3, uid = (SELECT uid FROM changes WHERE number = 3); COMMIT`
	for name, test := range map[string]struct {
		// after is executed after the restore, before the store reads the database.
		after string
		// update reports that an Update finds the fork.
		update bool
	}{
		"found by a poll":                     {"", false},
		"found by a write":                    {"", true},
		"numbers were used again":             {`UPDATE head SET number = 5, uid = 'other'; INSERT INTO changes SELECT n, 0, 'tokens', 'x', true, 'other', '{"ID":"x"}' FROM generate_series(4, 5) n`, false},
		"numbers were used again, by a write": {`UPDATE head SET number = 6, uid = 'other'; INSERT INTO changes SELECT n, 0, 'tokens', 'x', true, 'other', '{"ID":"x"}' FROM generate_series(4, 6) n`, true},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			address := server.Database(t)
			s := open(t, address)
			put(t, s, project, namespace, token("a"))
			r := follow(t, s)
			put(t, s, token("b"))
			put(t, s, token("c"))
			server.Execute(t, address, back[:len(back)-len(" COMMIT")]+test.after+"; COMMIT")
			if test.update {
				// The poll may find the fork first.
				if err := tryPut(t, s, token("d")); err != nil && !errors.Is(err, postgres.ErrForked) {
					t.Errorf("Update returns %v, want ErrForked or nil", err)
				}
			}
			await.True(t, "the follower has loaded a snapshot", func() bool { return r.loaded() == 2 })
			await.True(t, "the store is settled", s.Settled)
			put(t, s, token("e"))
			r.mu.Lock()
			defer r.mu.Unlock()
			seen := map[string]bool{}
			for _, o := range r.snapshot {
				seen[o.ObjectID()] = true
			}
			if seen["b"] || seen["c"] || !seen["a"] || !seen["n"] {
				t.Errorf("the snapshot has %v", seen)
			}
			if last := r.changes[len(r.changes)-1]; last.Object.ObjectID() != "e" || last.Number != s.Newest() {
				t.Errorf("the last change is %+v, want that of token e with number %d", last, s.Newest())
			}
		})
	}
}

// Connections are terminated while two stores write: every change that was acknowledged
// is in the database and was applied once, in order, by both.
func TestUpdate_SurvivesTerminatedConnections(t *testing.T) {
	t.Parallel()
	address := server.Database(t)
	stores := []*postgres.Store{open(t, address), open(t, address)}
	put(t, stores[0], project, namespace)
	recorders := []*recorder{follow(t, stores[0]), follow(t, stores[1])}
	acknowledged := write(t, stores, 40, func(n int) {
		if n%10 == 3 {
			server.Execute(t, address, "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()")
		}
	})
	wantAll(t, stores, recorders, acknowledged)
}

func TestUpdate_SurvivesCrashOfTheServer(t *testing.T) {
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
	stores := []*postgres.Store{open(t, address), open(t, address)}
	put(t, stores[0], project, namespace)
	recorders := []*recorder{follow(t, stores[0]), follow(t, stores[1])}
	acknowledged := write(t, stores, 40, func(n int) {
		if n%20 == 7 {
			if err := errors.Join(pg.Crash(), pg.Resume()); err != nil {
				t.Error(err)
			}
		}
	})
	wantAll(t, stores, recorders, acknowledged)
}

// write puts tokens through all stores concurrently, calls disturb after each of the
// first one, and returns the IDs of the tokens that were acknowledged.
func write(t *testing.T, stores []*postgres.Store, each int, disturb func(n int)) []string {
	t.Helper()
	var mu sync.Mutex
	var acknowledged []string
	var group sync.WaitGroup
	for i, s := range stores {
		group.Go(func() {
			for n := range each {
				id := fmt.Sprintf("t-%d-%02d", i, n)
				err := tryPut(t, s, token(id))
				if err == nil {
					mu.Lock()
					acknowledged = append(acknowledged, id)
					mu.Unlock()
				} else if functions.CodeOf(err) != functions.Unavailable {
					t.Errorf("put %s: %v", id, err)
				}
				if i == 0 {
					disturb(n)
				}
			}
		})
	}
	group.Wait()
	slices.Sort(acknowledged)
	return acknowledged
}

func wantAll(t *testing.T, stores []*postgres.Store, recorders []*recorder, acknowledged []string) {
	t.Helper()
	await.True(t, "the outcome of every commit is known", func() bool { return stores[0].Settled() && stores[1].Settled() })
	stored := tokenIDs(t, stores[0])
	for _, id := range acknowledged {
		if !slices.Contains(stored, id) {
			t.Errorf("token %s was acknowledged and is lost", id)
		}
	}
	t.Logf("%d changes acknowledged, %d stored", len(acknowledged), len(stored))
	if len(acknowledged) < len(stored)*9/10 {
		t.Errorf("only %d of %d changes were acknowledged", len(acknowledged), len(stored))
	}
	wantSameHistory(t, len(stored), recorders...)
}

func TestI12_TransactionRunsAgainAfterLostConnection(t *testing.T) {
	t.Parallel()
	address := server.Database(t)
	s := open(t, address)
	put(t, s, project, namespace)
	r := follow(t, s)
	runs := 0
	err := s.Update(t.Context(), func(tx store.Tx) error {
		if runs++; runs == 1 {
			server.Execute(t, address, "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()")
		}
		return tx.Put(token("t"))
	})
	if err != nil || runs != 2 || r.applied() != 1 {
		t.Errorf("Update returns %v after %d runs and %d changes, want nil after 2 and 1", err, runs, r.applied())
	}
}

// A paused process must not keep the others from writing.
func TestI1_PausedWriterLosesTheHeadLock(t *testing.T) {
	t.Parallel()
	address := server.Database(t)
	s := open(t, address)
	put(t, s, project)
	paused, err := pgx.Connect(t.Context(), address+"&idle_in_transaction_session_timeout=300")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = paused.Close(t.Context()) })
	if _, err := paused.Exec(t.Context(), "BEGIN; SELECT FROM head FOR UPDATE"); err != nil {
		t.Fatal(err)
	}
	put(t, s, namespace)
	if s.Newest() != 2 {
		t.Errorf("Newest() = %d, want 2", s.Newest())
	}
}

func listNamespaces(t *testing.T, s store.Store, f functions.Filter) (found []functions.Namespace, err error) {
	t.Helper()
	err = s.View(t.Context(), func(tx store.Tx) (err error) {
		found, _, err = tx.Namespaces(f, functions.Page{})
		return err
	})
	return found, err
}
