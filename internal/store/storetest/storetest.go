// Package storetest is the test suite for implementations of store.Store.
package storetest

import (
	"errors"
	"fmt"
	"reflect"
	"sync"
	"testing"
	"time"

	"github.com/jeton-dev/jeton/internal/functions"
	"github.com/jeton-dev/jeton/internal/iam"
	"github.com/jeton-dev/jeton/internal/store"
)

// An Open opens the store with a name, which is empty the first time, or opens it
// again after it was closed.
type Open func(t *testing.T, name string, keep store.Retention) store.Store

// epoch is the creation time of the first objects.
var epoch = time.Date(2026, 7, 3, 13, 3, 53, 123456789, time.UTC)

// Run runs the suite with the stores that open returns.
func Run(t *testing.T, open Open) {
	t.Helper()
	RunDefault(t, open)
	t.Run("removes old changes", func(t *testing.T) {
		t.Parallel()
		removesOldChanges(t, open)
	})
}

// RunDefault runs the part of the suite that keeps the default number of changes. It is
// for stores whose followers load a snapshot whenever a change was removed early.
func RunDefault(t *testing.T, open Open) {
	t.Helper()
	for name, test := range map[string]func(*testing.T, func(*testing.T, string) store.Store){
		"stores whole objects":          keepsObjects,
		"stores attached objects":       keepsAttached,
		"stores projects and API keys":  keepsProjects,
		"lists pages in order":          listsPages,
		"reports missing objects":       notFound,
		"rolls back failed updates":     rollsBack,
		"refuses duplicate names":       refusesDuplicates,
		"numbers changes":               numbersChanges,
		"applies before it returns":     appliesFirst,
		"orders writers":                ordersWriters,
		"continues after a restart":     continuesAfterRestart,
		"stores last uses":              storesUses,
		"pages and counts many tokens":  pagesMany,
		"searches tokens":               searchesTokens,
		"replays changes":               replaysChanges,
		"reloads after another history": reloadsOtherHistory,
		"refuses invalid IDs":           refusesInvalidIDs,
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			test(t, func(t *testing.T, name string) store.Store {
				t.Helper()
				return open(t, name, store.DefaultRetention())
			})
		})
	}
}

func id(kind, n int) string { return fmt.Sprintf("%08d-0000-4000-8000-%012d", kind, n) }

var project = iam.Project{ID: id(1, 1), OrganizationID: id(2, 1), Name: "default", CreatedAt: epoch}

func namespace(n int) functions.Namespace {
	return functions.Namespace{
		ID: id(3, n), Region: "fr-par", ProjectID: project.ID, OrganizationID: project.OrganizationID,
		Name: fmt.Sprintf("namespace-%02d", n), Slug: "namespace", Description: `with "quotes" & <signs>`,
		Tags: []string{"a", "b"}, Variables: map[string]string{"KEY": "value"},
		Secrets: []functions.SecretVariable{{Key: "SECRET", Hash: "$argon2id$", Sealed: []byte{0, 1, 255}}},
		Status:  functions.Ready, PublicKey: "PEM", PrivateKey: []byte{1, 2, 3},
		CreatedAt: epoch.Add(time.Duration(n) * time.Second), UpdatedAt: epoch.Add(time.Hour),
	}
}

func theFunction() functions.Function {
	return functions.Function{
		ID: id(4, 1), Region: "fr-par", ProjectID: project.ID, OrganizationID: project.OrganizationID, NamespaceID: id(3, 1),
		Name: "function", Status: functions.Ready, MaxScale: 5, Runtime: "go126", Handler: "Handle",
		MemoryLimit: 256, CPULimit: 140, Timeout: 300 * time.Second, Privacy: functions.Private, DomainName: "host",
		CreatedAt: epoch, UpdatedAt: epoch, Archive: "digest", Generation: 7,
		Revision: &functions.Revision{
			ID: id(5, 1), Launch: []byte("{}"), Variables: map[string]string{"A": "b"}, Secrets: map[string][]byte{"S": {9}},
		},
	}
}

func tokenOf(n int) functions.Token {
	return functions.Token{
		ID: id(6, n), Region: "fr-par", ProjectID: project.ID, NamespaceID: id(3, 1), Status: functions.Creating,
		CreatedAt: epoch.Add(time.Duration(n) * time.Nanosecond), ExpiresAt: epoch.Add(time.Hour),
		Digest: functions.DigestOf(fmt.Sprint("text ", n)),
	}
}

func put(t *testing.T, s store.Store, objects ...store.Object) {
	t.Helper()
	err := s.Update(t.Context(), func(tx store.Tx) error {
		for _, o := range objects {
			if err := tx.Put(o); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		t.Fatalf("put: %v", err)
	}
}

func view(t *testing.T, s store.Store, read func(store.Tx) error) {
	t.Helper()
	if err := s.View(t.Context(), read); err != nil {
		t.Fatalf("view: %v", err)
	}
}

func equal(t *testing.T, what string, got, want any) {
	t.Helper()
	if !reflect.DeepEqual(got, want) {
		t.Errorf("%s:\n got %+v\nwant %+v", what, got, want)
	}
}

func keepsObjects(t *testing.T, open func(*testing.T, string) store.Store) {
	s := open(t, "keeps")
	put(t, s, project, namespace(1), theFunction(), tokenOf(1))
	view(t, s, func(tx store.Tx) error {
		n, err := tx.Namespace(id(3, 1))
		equal(t, "namespace", n, namespace(1))
		f, err2 := tx.Function(id(4, 1))
		equal(t, "function", f, theFunction())
		k, err3 := tx.Token(id(6, 1))
		equal(t, "token", k, tokenOf(1))
		return errors.Join(err, err2, err3)
	})
	changed := namespace(1)
	changed.Description, changed.Tags = "", nil
	put(t, s, changed)
	view(t, s, func(tx store.Tx) error {
		n, err := tx.Namespace(id(3, 1))
		equal(t, "changed namespace", n, changed)
		return err
	})
}

func listsPages(t *testing.T, open func(*testing.T, string) store.Store) {
	s := open(t, "lists")
	put(t, s, project, namespace(2), namespace(3), namespace(1))
	tests := map[string]struct {
		filter functions.Filter
		page   functions.Page
		want   []string
		total  int
	}{
		"all, oldest first":  {functions.Filter{}, functions.Page{}, []string{id(3, 1), id(3, 2), id(3, 3)}, 3},
		"newest first":       {functions.Filter{}, functions.Page{OrderBy: "created_at_desc"}, []string{id(3, 3), id(3, 2), id(3, 1)}, 3},
		"by name, backwards": {functions.Filter{}, functions.Page{Number: 1, Size: 2, OrderBy: "name_desc"}, []string{id(3, 3), id(3, 2)}, 3},
		"second page":        {functions.Filter{}, functions.Page{Number: 2, Size: 2}, []string{id(3, 3)}, 3},
		"past the end":       {functions.Filter{}, functions.Page{Number: 9, Size: 2}, nil, 3},
		"one name":           {functions.Filter{Name: "namespace-02"}, functions.Page{}, []string{id(3, 2)}, 1},
		"another region":     {functions.Filter{Region: "nl-ams"}, functions.Page{}, nil, 0},
		"another project":    {functions.Filter{ProjectID: id(1, 9)}, functions.Page{}, nil, 0},
		"a name with quotes": {functions.Filter{Name: `' OR 1=1 --`}, functions.Page{}, nil, 0},
	}
	for name, test := range tests {
		view(t, s, func(tx store.Tx) error {
			found, total, err := tx.Namespaces(test.filter, test.page)
			var ids []string
			for _, n := range found {
				ids = append(ids, n.ID)
			}
			equal(t, name, ids, test.want)
			equal(t, name+", total", total, test.total)
			return err
		})
	}
}

func notFound(t *testing.T, open func(*testing.T, string) store.Store) {
	s := open(t, "empty")
	view(t, s, func(tx store.Tx) error {
		_, err := tx.Namespace(id(3, 1))
		_, err2 := tx.Function(id(4, 1))
		_, err3 := tx.Token(id(6, 1))
		for want, got := range map[string]error{"Namespace was not found": err, "Function was not found": err2, "Token was not found": err3} {
			if functions.CodeOf(got) != functions.NotFound || got.Error() != want {
				t.Errorf("got %v, want %q", got, want)
			}
		}
		return nil
	})
}

func rollsBack(t *testing.T, open func(*testing.T, string) store.Store) {
	s := open(t, "rolls back")
	put(t, s, project)
	r := follow(t, s, store.Position{})
	broken := errors.New("broken")
	err := s.Update(t.Context(), func(tx store.Tx) error {
		if err := tx.Put(namespace(1)); err != nil {
			t.Errorf("put: %v", err)
		}
		return broken
	})
	if !errors.Is(err, broken) {
		t.Errorf("Update() = %v, want %v", err, broken)
	}
	func() {
		defer func() { _ = recover() }()
		_ = s.Update(t.Context(), func(tx store.Tx) error {
			_ = tx.Put(namespace(1))
			panic("broken")
		})
	}()
	view(t, s, func(tx store.Tx) error {
		_, total, err := tx.Namespaces(functions.Filter{}, functions.Page{})
		equal(t, "namespaces after a failed update", total, 0)
		return err
	})
	equal(t, "number of changes", len(r.changes), 0)
}

func refusesDuplicates(t *testing.T, open func(*testing.T, string) store.Store) {
	s := open(t, "duplicates")
	put(t, s, project, namespace(1))
	second := namespace(2)
	second.Name = namespace(1).Name
	if err := s.Update(t.Context(), func(tx store.Tx) error { return tx.Put(second) }); err == nil {
		t.Error("Update() = nil for a second namespace with the same name")
	}
	orphan := theFunction()
	orphan.NamespaceID = id(3, 9)
	if err := s.Update(t.Context(), func(tx store.Tx) error { return tx.Put(orphan) }); err == nil {
		t.Error("Update() = nil for a function without a namespace")
	}
}

func numbersChanges(t *testing.T, open func(*testing.T, string) store.Store) {
	s := open(t, "numbers")
	put(t, s, project, namespace(1), tokenOf(1))
	r := follow(t, s, store.Position{})
	equal(t, "snapshot", r.snapshot, []store.Object{project, namespace(1), tokenOf(1)})
	equal(t, "number of the snapshot", r.at.Number, int64(3))
	err := s.Update(t.Context(), func(tx store.Tx) error {
		return errors.Join(tx.Delete(tokenOf(1)), tx.Put(namespace(2)))
	})
	if err != nil {
		t.Fatal(err)
	}
	equal(t, "changes", r.plain(), []store.Change{
		{Number: 4, Object: tokenOf(1), Deleted: true},
		{Number: 5, Object: namespace(2)},
	})
	equal(t, "Newest()", s.Newest(), int64(5))
	uids := map[string]bool{r.at.UID: true}
	for _, c := range r.changes {
		if c.CommittedAt.IsZero() || c.UID == "" || uids[c.UID] {
			t.Errorf("change %d has the UID %q and the time %s", c.Number, c.UID, c.CommittedAt)
		}
		uids[c.UID] = true
	}
}

func appliesFirst(t *testing.T, open func(*testing.T, string) store.Store) {
	s := open(t, "applies")
	put(t, s, project, namespace(1), tokenOf(1))
	r := follow(t, s, store.Position{})
	if err := s.Update(t.Context(), func(tx store.Tx) error { return tx.Delete(tokenOf(1)) }); err != nil {
		t.Fatal(err)
	}
	if len(r.changes) != 1 || !r.changes[0].Deleted {
		t.Error("Update returned before the followers had applied the change")
	}
}

func ordersWriters(t *testing.T, open func(*testing.T, string) store.Store) {
	s := open(t, "orders")
	put(t, s, project, namespace(1))
	r := follow(t, s, store.Position{})
	const writers, each = 8, 10
	var group sync.WaitGroup
	for w := range writers {
		group.Go(func() {
			for n := range each {
				put(t, s, tokenOf(w*each+n))
			}
		})
	}
	group.Wait()
	if len(r.changes) != writers*each {
		t.Fatalf("%d changes, want %d", len(r.changes), writers*each)
	}
	for i, c := range r.changes {
		if want := int64(i + 3); c.Number != want {
			t.Fatalf("change %d has number %d, want %d", i, c.Number, want)
		}
	}
}

func continuesAfterRestart(t *testing.T, open func(*testing.T, string) store.Store) {
	s := open(t, "restart")
	put(t, s, project, namespace(1))
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	s = open(t, "restart")
	r := follow(t, s, store.Position{})
	put(t, s, namespace(2))
	equal(t, "changes", r.plain(), []store.Change{{Number: 3, Object: namespace(2)}})
}

// refusesInvalidIDs checks that an object that could not be read again is not stored.
func refusesInvalidIDs(t *testing.T, open func(*testing.T, string) store.Store) {
	s := open(t, "ids")
	put(t, s, project, namespace(1))
	for _, invalid := range []string{"", "a b", "../a", "a\x00"} {
		k := tokenOf(1)
		k.ID = invalid
		if err := s.Update(t.Context(), func(tx store.Tx) error { return tx.Put(k) }); err == nil {
			t.Errorf("a token with the ID %q is stored", invalid)
		}
	}
	equal(t, "Newest()", s.Newest(), int64(2))
}
