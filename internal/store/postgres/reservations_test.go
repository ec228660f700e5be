package postgres_test

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/jeton-dev/jeton/internal/blob"
	"github.com/jeton-dev/jeton/internal/store"
	server "github.com/jeton-dev/jeton/test/postgres"
)

// stored are archives that use some bytes.
type stored int64

// Usage returns the bytes, as those of all archives.
func (s stored) Usage(_ context.Context, _ []string, use func(int64) error) error {
	return use(int64(s))
}

// The quota of a project is one for the uploads through all nodes, and those of a node that
// is not a member any more do not count.
func TestReservations_CountTheUploadsOfAllNodes(t *testing.T) {
	t.Parallel()
	database := server.Database(t)
	var nodes []*blob.Reservations
	member := func(name string) store.Member {
		return store.Member{Incarnation: name, Node: name, JoinedAt: time.Now()}
	}
	for _, name := range []string{"a", "b"} {
		s := open(t, database)
		put(t, s, member(name))
		nodes = append(nodes, &blob.Reservations{Shared: s.Reservations(func() string { return name })})
	}
	errFull := errors.New("full")
	demand := func(bytes int64) blob.Demand {
		return blob.Demand{ProjectID: "p", Bytes: bytes, Check: func(used, more int64) error {
			if used+more > 100 {
				return errFull
			}
			return nil
		}}
	}
	reserve := func(node int, bytes int64, want error) func() {
		t.Helper()
		release, err := nodes[node].Reserve(t.Context(), stored(10), demand(bytes))
		if !errors.Is(err, want) {
			t.Errorf("Reserve(%d) at node %d = %v, want %v", bytes, node, err, want)
		}
		return release
	}
	first := reserve(0, 50, nil)
	reserve(1, 50, errFull)
	second := reserve(1, 40, nil) // The refused one does not count.
	if err := nodes[0].Check(t.Context(), stored(10), demand(1)); !errors.Is(err, errFull) {
		t.Errorf("Check() = %v, want that the uploads of both nodes count", err)
	}
	first()
	reserve(1, 50, nil)
	second()
	s := open(t, database)
	if err := s.Update(t.Context(), func(tx store.Tx) error { return tx.Delete(member("b")) }); err != nil {
		t.Fatal(err)
	}
	reserve(0, 90, nil)
}

// Of uploads that begin at the same time through several nodes, no more are accepted than
// the quota permits.
func TestReservations_AreExactUnderConcurrency(t *testing.T) {
	t.Parallel()
	database := server.Database(t)
	const each, limit = 10, 5
	results := make(chan error, 4*each)
	for _, name := range []string{"a", "b", "c", "d"} {
		s := open(t, database)
		put(t, s, store.Member{Incarnation: name, Node: name, JoinedAt: time.Now()})
		r := &blob.Reservations{Shared: s.Reservations(func() string { return name })}
		for range each {
			go func() {
				_, err := r.Reserve(t.Context(), stored(0), blob.Demand{ProjectID: "p", Bytes: 1, Check: func(used, more int64) error {
					if used+more > limit {
						return errors.New("full")
					}
					return nil
				}})
				results <- err
			}()
		}
	}
	accepted := 0
	for range 4 * each {
		if <-results == nil {
			accepted++
		}
	}
	if accepted == 0 || accepted > limit {
		t.Errorf("%d uploads were accepted, want 1 to %d", accepted, limit)
	}
}
