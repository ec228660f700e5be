package storetest

import (
	"errors"
	"testing"
	"time"

	"github.com/jeton-dev/jeton/internal/functions"
	"github.com/jeton-dev/jeton/internal/iam"
	"github.com/jeton-dev/jeton/internal/store"
)

// keepsProjects stores projects and API keys.
func keepsProjects(t *testing.T, open func(*testing.T, string) store.Store) {
	s := open(t, "iam")
	second := iam.Project{ID: id(1, 2), OrganizationID: project.OrganizationID, Name: "second", CreatedAt: epoch.Add(time.Second)}
	key := iam.APIKey{AccessKey: "SCWKEY", Digest: iam.SecretDigest{1, 2}, ProjectID: project.ID, Permissions: []string{iam.FullAccess}, CreatedAt: epoch}
	put(t, s, second, project, key)
	view(t, s, func(tx store.Tx) error {
		one, err := tx.Project(second.ID)
		equal(t, "project", one, second)
		all, err2 := tx.Projects()
		equal(t, "projects", all, []iam.Project{project, second})
		found, err3 := tx.APIKey(key.AccessKey)
		equal(t, "API key", found, key)
		keys, err4 := tx.APIKeys()
		equal(t, "API keys", keys, []iam.APIKey{key})
		return errors.Join(err, err2, err3, err4)
	})
	if err := s.Update(t.Context(), func(tx store.Tx) error { return tx.Delete(key) }); err != nil {
		t.Fatal(err)
	}
	view(t, s, func(tx store.Tx) error {
		_, err := tx.APIKey(key.AccessKey)
		_, err2 := tx.Project(id(1, 3))
		for want, got := range map[string]error{"API key was not found": err, "Project was not found": err2} {
			if functions.CodeOf(got) != functions.NotFound || got.Error() != want {
				t.Errorf("got %v, want %q", got, want)
			}
		}
		return nil
	})
}
