package storetest

import (
	"errors"
	"testing"
	"time"

	"github.com/jeton-dev/jeton/internal/iam"
	"github.com/jeton-dev/jeton/internal/store"
	"github.com/jeton-dev/jeton/internal/usage"
)

func storesUses(t *testing.T, open func(*testing.T, string) store.Store) {
	s := open(t, "uses")
	key := iam.APIKey{AccessKey: "SCWKEY", ProjectID: project.ID, CreatedAt: epoch}
	put(t, s, project, key, namespace(1), theFunction(), tokenOf(1), tokenOf(2))
	r := follow(t, s, store.Position{})
	minute := epoch.Truncate(time.Minute)
	note := func(kind usage.Kind, uses ...usage.Use) {
		t.Helper()
		if err := s.NoteUses(t.Context(), kind, uses); err != nil {
			t.Fatal(err)
		}
	}
	want := func(what string, kind usage.Kind, uses map[string]time.Time) {
		t.Helper()
		got, err := s.LastUses(t.Context(), kind, []string{key.AccessKey, id(6, 1), id(6, 2), id(6, 3)})
		if err != nil {
			t.Fatal(err)
		}
		equal(t, what, got, uses)
	}
	note(usage.Tokens)
	want("before the first use", usage.Tokens, map[string]time.Time{})
	note(usage.Tokens, usage.Use{ID: id(6, 1), At: epoch}, usage.Use{ID: id(6, 3), At: epoch})
	note(usage.APIKeys, usage.Use{ID: key.AccessKey, At: epoch.Add(time.Hour)})
	want("the existing token", usage.Tokens, map[string]time.Time{id(6, 1): minute})
	want("the key", usage.APIKeys, map[string]time.Time{key.AccessKey: minute.Add(time.Hour)})
	note(usage.Tokens, usage.Use{ID: id(6, 1), At: epoch.Add(-time.Hour)})
	want("an earlier use", usage.Tokens, map[string]time.Time{id(6, 1): minute})
	note(usage.Tokens, usage.Use{ID: id(6, 1), At: epoch.Add(time.Hour)})
	want("a later use", usage.Tokens, map[string]time.Time{id(6, 1): minute.Add(time.Hour)})
	equal(t, "number of changes", len(r.changes), 0)

	err := s.Update(t.Context(), func(tx store.Tx) error { return errors.Join(tx.Put(key), tx.Delete(tokenOf(1))) })
	if err != nil {
		t.Fatal(err)
	}
	want("a deleted token", usage.Tokens, map[string]time.Time{})
	want("a changed key", usage.APIKeys, map[string]time.Time{key.AccessKey: minute.Add(time.Hour)})

	many := make([]usage.Use, 2500)
	for i := range many {
		many[i] = usage.Use{ID: id(6, 3), At: epoch}
	}
	many[len(many)-1].ID = id(6, 2)
	note(usage.Tokens, many...)
	want("the last of many", usage.Tokens, map[string]time.Time{id(6, 2): minute})
}
