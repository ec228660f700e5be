package storetest

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/jeton-dev/jeton/internal/store"
)

// A recorder is a follower that keeps what it receives.
type recorder struct {
	// at, snapshot and reloads are the position, the objects and the number of
	// snapshots.
	at       store.Position
	snapshot []store.Object
	reloads  int
	changes  []store.Change
}

// follow makes a new recorder follow the store.
func follow(t *testing.T, s store.Store, from store.Position) *recorder {
	t.Helper()
	r := &recorder{}
	if err := s.Follow(t.Context(), from, r); err != nil {
		t.Fatalf("follow: %v", err)
	}
	return r
}

// Apply implements store.Follower.
func (r *recorder) Apply(c store.Change) { r.changes = append(r.changes, c) }

// Reload implements store.Follower.
func (r *recorder) Reload(at store.Position) store.Loader {
	var objects []store.Object
	return store.Loader{
		Add:  func(o store.Object) { objects = append(objects, o) },
		Swap: func() { r.at, r.snapshot, r.reloads = at, objects, r.reloads+1 },
	}
}

// plain returns the changes without what differs from run to run.
func (r *recorder) plain() []store.Change {
	all := slices.Clone(r.changes)
	for i := range all {
		all[i].UID, all[i].CommittedAt = "", time.Time{}
	}
	return all
}

// replaysChanges checks that a follower which has applied some changes gets all
// later ones, also after a restart, and no snapshot.
func replaysChanges(t *testing.T, open func(*testing.T, string) store.Store) {
	s := open(t, "replays")
	first := follow(t, s, store.Position{})
	put(t, s, project, namespace(1), theFunction(), cronOf(1), triggerOf(1), domainOf(1), tokenOf(1))
	if err := s.Update(t.Context(), func(tx store.Tx) error { return tx.Delete(tokenOf(1)) }); err != nil {
		t.Fatal(err)
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	s = open(t, "replays")
	for i, change := range first.changes {
		r := follow(t, s, change.Position())
		equal(t, fmt.Sprintf("snapshots after change %d", i+1), r.reloads, 0)
		equal(t, fmt.Sprintf("changes after change %d", i+1), r.plain(), slices.Concat([]store.Change(nil), first.plain()[i+1:]))
		for j, c := range r.changes {
			equal(t, "UID", c.UID, first.changes[i+1+j].UID)
		}
	}
	r := follow(t, s, first.changes[3].Position())
	put(t, s, tokenOf(2))
	equal(t, "next change", r.plain()[len(r.changes)-1], store.Change{Number: 9, Object: tokenOf(2)})
}

// reloadsOtherHistory checks that a position that is not in the log leads to a
// snapshot.
func reloadsOtherHistory(t *testing.T, open func(*testing.T, string) store.Store) {
	s := open(t, "history")
	r := follow(t, s, store.Position{})
	put(t, s, project, namespace(1))
	for name, from := range map[string]store.Position{
		"another UID":       {Number: 1, UID: r.changes[1].UID},
		"no UID":            {Number: 1},
		"a later number":    {Number: 3, UID: r.changes[1].UID},
		"before all number": {Number: 0, UID: r.changes[0].UID},
	} {
		other := follow(t, s, from)
		equal(t, name+": snapshots", other.reloads, 1)
		equal(t, name+": position", other.at, r.changes[1].Position())
		equal(t, name+": objects", other.snapshot, []store.Object{project, namespace(1)})
		equal(t, name+": changes", len(other.changes), 0)
	}
}

// removesOldChanges checks each bound of the log: a follower within it replays, and
// one behind it loads a snapshot.
func removesOldChanges(t *testing.T, open Open) {
	const many = 1 << 40
	body := int64(200) // no token of the test has a smaller document
	for name, keep := range map[string]store.Retention{
		"by number": {Changes: 3, Bytes: many, Age: time.Hour},
		"by size":   {Changes: many, Bytes: 4 * body, Age: time.Hour},
		"by age":    {Changes: many, Bytes: many, Age: -time.Hour},
	} {
		s := open(t, "removes "+name, keep)
		first := follow(t, s, store.Position{})
		put(t, s, project, namespace(1))
		for n := range 10 {
			put(t, s, tokenOf(n))
		}
		last := first.changes[len(first.changes)-1]
		old := follow(t, s, first.changes[2].Position())
		equal(t, name+": snapshots of a follower that is behind", old.reloads, 1)
		equal(t, name+": objects of its snapshot", len(old.snapshot), 12)
		equal(t, name+": position of its snapshot", old.at, last.Position())
		current := follow(t, s, last.Position())
		equal(t, name+": snapshots of a current follower", current.reloads, 0)
		put(t, s, tokenOf(10))
		equal(t, name+": changes of the follower", old.plain(), []store.Change{{Number: 13, Object: tokenOf(10)}})
		equal(t, name+": changes of the current follower", current.plain(), old.plain())
		if err := s.Close(); err != nil {
			t.Fatal(err)
		}
		s = open(t, "removes "+name, keep)
		equal(t, name+": Newest() after a restart", s.Newest(), int64(13))
	}
}
