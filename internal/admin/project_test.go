package admin_test

import (
	"errors"
	"path/filepath"
	"testing"
	"time"

	"github.com/google/uuid"

	"github.com/jeton-dev/jeton/internal/admin"
	"github.com/jeton-dev/jeton/internal/functions"
	"github.com/jeton-dev/jeton/internal/iam"
	"github.com/jeton-dev/jeton/internal/store"
	"github.com/jeton-dev/jeton/internal/store/sqlite"
)

// TestCreateProject_RequiresFirstProject: its organization is that of the first one.
func TestCreateProject_RequiresFirstProject(t *testing.T) {
	t.Parallel()
	db, err := sqlite.Open(t.Context(), filepath.Join(t.TempDir(), "jeton.db"), time.Now)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = db.Close() })
	service := newService(t, admin.Config{Store: db, Uses: noUses{}, Now: time.Now, NewID: uuid.NewString})
	p, err := service.CreateProject(t.Context(), "second")
	if refused, ok := errors.AsType[*functions.Error](err); !ok || refused.Code != functions.NotFound {
		t.Errorf("CreateProject() = %+v, %v, want the code not_found", p, err)
	}
	if all, err := service.Projects(t.Context()); len(all) != 0 || err != nil {
		t.Errorf("got the projects %+v, %v, want none", all, err)
	}
}

func TestCreateProject_HasQuota(t *testing.T) {
	t.Parallel()
	db, err := sqlite.Open(t.Context(), filepath.Join(t.TempDir(), "jeton.db"), time.Now)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = db.Close() })
	first := iam.Project{ID: uuid.NewString(), OrganizationID: uuid.NewString(), Name: "first"}
	if err := db.Update(t.Context(), func(tx store.Tx) error { return tx.Put(first) }); err != nil {
		t.Fatal(err)
	}
	service := newService(t, admin.Config{Store: db, Uses: noUses{}, Now: time.Now, NewID: uuid.NewString, MaxProjects: 2})
	if _, err := service.CreateProject(t.Context(), "second"); err != nil {
		t.Fatal(err)
	}
	_, err = service.CreateProject(t.Context(), "third")
	if refused, ok := errors.AsType[*functions.Error](err); !ok || refused.Code != functions.QuotaExceeded || refused.Quota != 2 {
		t.Errorf("a third project: got %v, want the code quota_exceeded", err)
	}
}
