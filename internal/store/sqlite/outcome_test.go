package sqlite_test

import (
	"errors"
	"path/filepath"
	"testing"
	"time"

	"github.com/jeton-dev/jeton/internal/functions"
	"github.com/jeton-dev/jeton/internal/iam"
	"github.com/jeton-dev/jeton/internal/store"
	"github.com/jeton-dev/jeton/internal/store/sqlite"
)

// An unreliable store has one token and a driver that can be made to fail. The
// follower sends each change to changes.
type unreliable struct {
	*sqlite.Store

	driver  *faultyDriver
	token   functions.Token
	changes chan store.Change
}

func openUnreliable(t *testing.T, retry time.Duration) *unreliable {
	t.Helper()
	u := &unreliable{
		driver: &faultyDriver{}, token: functions.Token{ID: "t", Region: "fr-par", ProjectID: "p", NamespaceID: "n"},
		changes: make(chan store.Change, 100),
	}
	var err error
	u.Store, err = sqlite.OpenWith(t.Context(), u.driver.register(t.Name()), filepath.Join(t.TempDir(), "jeton.db"), retry)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = u.Close() })
	err = u.Update(t.Context(), func(tx store.Tx) error {
		return errors.Join(
			tx.Put(iam.Project{ID: "p"}), tx.Put(functions.Namespace{ID: "n", Region: "fr-par", ProjectID: "p", Name: "n"}), tx.Put(u.token),
		)
	})
	if err != nil {
		t.Fatal(err)
	}
	if err := u.Follow(t.Context(), store.Position{}, store.Hook{OnChange: func(c store.Change) { u.changes <- c }}); err != nil {
		t.Fatal(err)
	}
	return u
}

func (u *unreliable) deleteToken(t *testing.T) error {
	t.Helper()
	return u.Update(t.Context(), func(tx store.Tx) error { return tx.Delete(u.token) })
}

func (u *unreliable) hasToken(t *testing.T) bool {
	t.Helper()
	var err error
	if viewed := u.View(t.Context(), func(tx store.Tx) error { _, err = tx.Token(u.token.ID); return nil }); viewed != nil {
		t.Fatal(viewed)
	}
	return err == nil
}

// repair makes the driver work again.
func (u *unreliable) repair() {
	u.driver.afterCommit.Store(false)
	u.driver.instead.Store(false)
	u.driver.unreadable.Store(false)
}

// wantRefusal checks that the store accepts nothing while an outcome is unknown.
func (u *unreliable) wantRefusal(t *testing.T) {
	t.Helper()
	if u.Settled() || u.Check(t.Context()) == nil || len(u.changes) != 0 {
		t.Errorf("Settled() = %v, Check() = %v, %d changes were applied", u.Settled(), u.Check(t.Context()), len(u.changes))
	}
	ran := false
	if err := u.Update(t.Context(), func(store.Tx) error { ran = true; return nil }); functions.CodeOf(err) != functions.Unavailable || ran {
		t.Errorf("Update returns %v, and ran: %v", err, ran)
	}
	hook := store.Hook{OnReload: func() { ran = true }}
	if err := u.Follow(t.Context(), store.Position{}, hook); functions.CodeOf(err) != functions.Unavailable || ran {
		t.Errorf("Follow returns %v, and loaded a snapshot: %v", err, ran)
	}
}

func TestUpdate_ResolvesCommitOfUnknownOutcome(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		fail func(*faultyDriver)
		// unreadable reports that the outcome cannot be looked up at first.
		unreadable, committed bool
	}{
		"committed":                      {func(d *faultyDriver) { d.afterCommit.Store(true) }, false, true},
		"not committed":                  {func(d *faultyDriver) { d.instead.Store(true) }, false, false},
		"committed, known later":         {func(d *faultyDriver) { d.afterCommit.Store(true) }, true, true},
		"not committed, known only late": {func(d *faultyDriver) { d.instead.Store(true) }, true, false},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			u := openUnreliable(t, time.Hour)
			test.fail(u.driver)
			u.driver.unreadable.Store(test.unreadable)
			err := u.deleteToken(t)
			if test.unreadable {
				if !errors.Is(err, errDisk) || functions.CodeOf(err) != functions.Unavailable {
					t.Fatalf("Update returns %v, want the fault of the disk with the code unavailable", err)
				}
				u.wantRefusal(t)
			} else if (err == nil) != test.committed {
				t.Fatalf("Update returns %v, committed: %v", err, test.committed)
			}
			u.repair()
			if err := u.Update(t.Context(), func(store.Tx) error { return nil }); err != nil || !u.Settled() {
				t.Fatalf("after the repair Update returns %v, Settled() = %v", err, u.Settled())
			}
			if deleted := len(u.changes) > 0; deleted != test.committed || deleted == u.hasToken(t) {
				t.Errorf("the followers applied %d changes, and the row exists: %v", len(u.changes), u.hasToken(t))
			}
			if err := u.deleteToken(t); err != nil {
				t.Errorf("the next change: %v", err)
			}
			var last int64
			for len(u.changes) > 0 {
				change := <-u.changes
				if !change.Deleted || last > 0 && change.Number != last+1 {
					t.Errorf("applied %+v after number %d", change, last)
				}
				last = change.Number
			}
			if last != u.Newest() {
				t.Errorf("the last change applied is %d, the newest %d", last, u.Newest())
			}
		})
	}
}

func TestStore_LooksUpOutcomeByItself(t *testing.T) {
	t.Parallel()
	u := openUnreliable(t, time.Millisecond)
	u.driver.afterCommit.Store(true)
	u.driver.unreadable.Store(true)
	if err := u.deleteToken(t); err == nil {
		t.Fatal("Update returns nil although the outcome is unknown")
	}
	u.driver.unreadable.Store(false)
	if change := <-u.changes; !change.Deleted || change.Object.ObjectID() != u.token.ID {
		t.Errorf("applied %+v", change)
	}
}

func TestClose_EndsLookUp(t *testing.T) {
	t.Parallel()
	u := openUnreliable(t, time.Hour)
	u.driver.afterCommit.Store(true)
	u.driver.unreadable.Store(true)
	if err := u.deleteToken(t); err == nil {
		t.Fatal("Update returns nil although the outcome is unknown")
	}
	if err := u.Close(); err != nil {
		t.Error(err)
	}
}

// A stranger has a type that the store does not know, and the ID of a token.
type stranger struct{ id string }

// ObjectID implements store.Object.
func (s stranger) ObjectID() string { return s.id }

func TestStore_RefusesUnknownType(t *testing.T) {
	t.Parallel()
	u := openUnreliable(t, time.Hour)
	for name, object := range map[string]store.Object{
		"another type": stranger{u.token.ID}, "a pointer to a token": &u.token,
	} {
		for what, change := range map[string]func(store.Tx, store.Object) error{
			"delete": store.Tx.Delete, "put": store.Tx.Put,
		} {
			err := u.Update(t.Context(), func(tx store.Tx) error { return change(tx, object) })
			if err == nil || !u.hasToken(t) || len(u.changes) != 0 {
				t.Errorf("%s of %s: %v, %d changes were applied", what, name, err, len(u.changes))
			}
		}
	}
}
