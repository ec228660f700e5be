package iam_test

import (
	"errors"
	"testing"
	"time"

	"github.com/jeton-dev/jeton/internal/iam"
)

func TestReload_DropsWhatWasDeletedBetweenSnapshots(t *testing.T) {
	t.Parallel()
	now := time.Date(2026, 7, 3, 13, 0, 0, 0, time.UTC)
	kept, gone := iam.Project{ID: "kept", OrganizationID: "o"}, iam.Project{ID: "gone", OrganizationID: "o"}
	keptKey, keptSecret := iam.NewAPIKey(kept, now, iam.FullAccess)
	keptKey.Organization = true
	goneKey, goneSecret := iam.NewAPIKey(kept, now, iam.FullAccess)
	d := iam.NewDirectory()
	load := func(objects ...any) {
		add, swap := d.Reload()
		for _, o := range objects {
			add(o)
		}
		swap()
	}
	load(kept, gone, keptKey, goneKey)
	for _, secretKey := range []string{keptSecret.Reveal(), goneSecret.Reveal()} {
		if _, err := d.Authenticate(secretKey, now); err != nil {
			t.Fatal(err)
		}
	}

	load(kept, keptKey)
	if _, err := d.Authenticate(goneSecret.Reveal(), now); !errors.Is(err, iam.ErrUnknown) {
		t.Errorf("a deleted key gets %v, want ErrUnknown", err)
	}
	if _, err := d.Recheck(goneKey.AccessKey, now); !errors.Is(err, iam.ErrUnknown) {
		t.Errorf("the access key of a deleted key gets %v, want ErrUnknown", err)
	}
	if visible := d.Visible(keptKey); len(visible) != 1 || visible[0] != kept.ID || d.Project(gone.ID).ID != "" {
		t.Errorf("visible projects are %v", visible)
	}
	if uses := d.Uses(); len(uses) != 1 || uses[0].ID != keptKey.AccessKey {
		t.Errorf("the uses before the reload are %v, want that of the kept key", uses)
	}
}
