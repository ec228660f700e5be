package sqlite_test

import (
	"errors"
	"path/filepath"
	"testing"
	"time"

	"github.com/jeton-dev/jeton/internal/functions"
	"github.com/jeton-dev/jeton/internal/iam"
	"github.com/jeton-dev/jeton/internal/store/sqlite"
)

// doubtful is a store with one token, whose driver can be made to fail. What the
// followers are told is sent to told.
type doubtful struct {
	*sqlite.Store

	driver *faultyDriver
	token  functions.Token
	told   chan functions.Change
}

func openDoubtful(t *testing.T, retry time.Duration) *doubtful {
	t.Helper()
	d := &doubtful{driver: &faultyDriver{}, token: functions.Token{ID: "t", Region: "fr-par", ProjectID: "p", NamespaceID: "n"}, told: make(chan functions.Change, 100)}
	store, err := sqlite.OpenWith(t.Context(), d.driver.register(t.Name()), filepath.Join(t.TempDir(), "jeton.db"), retry)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = store.Close() })
	d.Store = store
	err = d.Update(t.Context(), func(tx functions.Tx) error {
		return errors.Join(
			tx.Put(iam.Project{ID: "p"}), tx.Put(functions.Namespace{ID: "n", Region: "fr-par", ProjectID: "p", Name: "n"}), tx.Put(d.token),
		)
	})
	if err != nil {
		t.Fatal(err)
	}
	if err := d.Follow(t.Context(), func(c functions.Change) {
		if c.Number > 0 {
			d.told <- c
		}
	}); err != nil {
		t.Fatal(err)
	}
	return d
}

func (d *doubtful) deleteToken(t *testing.T) error {
	t.Helper()
	return d.Update(t.Context(), func(tx functions.Tx) error { return tx.Delete(d.token) })
}

func (d *doubtful) hasToken(t *testing.T) bool {
	t.Helper()
	var err error
	if viewed := d.View(t.Context(), func(tx functions.Tx) error { _, err = tx.Token(d.token.ID); return nil }); viewed != nil {
		t.Fatal(viewed)
	}
	return err == nil
}

func TestUpdate_ResolvesCommitOfUnknownOutcome(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		fail      func(*faultyDriver)
		committed bool
	}{
		"it took place": {func(d *faultyDriver) { d.afterCommit.Store(true) }, true},
		"it did not":    {func(d *faultyDriver) { d.instead.Store(true) }, false},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			d := openDoubtful(t, time.Hour)
			test.fail(d.driver)
			err := d.deleteToken(t)
			if committed := err == nil; committed != test.committed || committed == d.hasToken(t) {
				t.Fatalf("Update returns %v, and the row is there: %v", err, d.hasToken(t))
			}
			if told := len(d.told); told > 0 != test.committed {
				t.Errorf("the followers are told of %d changes", told)
			}
			if !d.Settled() {
				t.Error("the outcome is known, and the store not settled")
			}
			d.driver.afterCommit.Store(false)
			d.driver.instead.Store(false)
			if err := d.deleteToken(t); err != nil {
				t.Errorf("the next change: %v", err)
			}
			var last int64
			for len(d.told) > 0 {
				change := <-d.told
				if !change.Deleted || last > 0 && change.Number != last+1 {
					t.Errorf("told of %+v after number %d", change, last)
				}
				last = change.Number
			}
			if last != d.Newest() {
				t.Errorf("the last change told is %d, the newest %d", last, d.Newest())
			}
		})
	}
}

// While the outcome cannot be looked up, the store says so and takes no change;
// what took place reaches the followers as soon as it can be looked up.
func TestUpdate_RefusesWhileOutcomeIsUnknown(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		fail      func(*faultyDriver)
		committed bool
	}{
		"it took place": {func(d *faultyDriver) { d.afterCommit.Store(true) }, true},
		"it did not":    {func(d *faultyDriver) { d.instead.Store(true) }, false},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			d := openDoubtful(t, time.Hour)
			test.fail(d.driver)
			d.driver.unreadable.Store(true)
			if err := d.deleteToken(t); !errors.Is(err, errDisk) || functions.CodeOf(err) != functions.Unavailable {
				t.Fatalf("Update returns %v, want the fault of the disk, as unavailable", err)
			}
			if d.Settled() || d.Check(t.Context()) == nil || len(d.told) != 0 {
				t.Errorf("settled: %v, told: %d", d.Settled(), len(d.told))
			}
			ran := false
			err := d.Update(t.Context(), func(functions.Tx) error { ran = true; return nil })
			if err == nil || ran {
				t.Errorf("a change during the doubt: %v, run: %v", err, ran)
			}
			if err := d.Follow(t.Context(), func(functions.Change) { ran = true }); err == nil || ran {
				t.Errorf("a follower during the doubt: %v, told: %v", err, ran)
			}
			d.driver.unreadable.Store(false)
			d.driver.instead.Store(false)
			d.driver.afterCommit.Store(false)
			// Whoever changes something next sees what took place.
			if err := d.Update(t.Context(), func(functions.Tx) error { ran = true; return nil }); err != nil || !ran {
				t.Errorf("afterwards: %v", err)
			}
			if told := len(d.told); told > 0 != test.committed || told > 0 == d.hasToken(t) || !d.Settled() {
				t.Errorf("told of %d changes, has the token: %v, settled: %v", told, d.hasToken(t), d.Settled())
			}
		})
	}
}

func TestStore_SettlesByItself(t *testing.T) {
	t.Parallel()
	d := openDoubtful(t, time.Millisecond)
	d.driver.afterCommit.Store(true)
	d.driver.unreadable.Store(true)
	if err := d.deleteToken(t); err == nil {
		t.Fatal("the outcome cannot be known, and Update returns nil")
	}
	d.driver.unreadable.Store(false)
	if change := <-d.told; !change.Deleted || change.Object.ObjectID() != d.token.ID {
		t.Errorf("told of %+v", change)
	}
}

func TestClose_EndsTheLookUp(t *testing.T) {
	t.Parallel()
	d := openDoubtful(t, time.Hour)
	d.driver.afterCommit.Store(true)
	d.driver.unreadable.Store(true)
	if err := d.deleteToken(t); err == nil {
		t.Fatal("the outcome cannot be known, and Update returns nil")
	}
	if err := d.Close(); err != nil {
		t.Error(err)
	}
}

// stranger is of no type that the store knows, though its ID is that of a token.
type stranger struct{ id string }

// ObjectID implements functions.Object.
func (s stranger) ObjectID() string { return s.id }

func TestDelete_RefusesUnknownType(t *testing.T) {
	t.Parallel()
	d := openDoubtful(t, time.Hour)
	for name, object := range map[string]functions.Object{
		"another type": stranger{d.token.ID}, "a pointer to a token": &d.token,
	} {
		for what, change := range map[string]func(functions.Tx, functions.Object) error{
			"delete": functions.Tx.Delete, "put": functions.Tx.Put,
		} {
			err := d.Update(t.Context(), func(tx functions.Tx) error { return change(tx, object) })
			if err == nil || !d.hasToken(t) || len(d.told) != 0 {
				t.Errorf("%s of %s: %v, told of %d changes", what, name, err, len(d.told))
			}
		}
	}
}
