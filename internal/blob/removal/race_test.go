package removal_test

import (
	"errors"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/jeton-dev/jeton/internal/functions"
	"github.com/jeton-dev/jeton/internal/store"
	"github.com/jeton-dev/jeton/test/await"
)

// Another node removes an upload before its commit. The commit is refused, and the
// archive is uploaded again.
func TestUpload_AfterItsRemoval(t *testing.T) {
	t.Parallel()
	c := newCluster(t)
	one, two := c.node(t), c.node(t)
	one.function()
	attempts := 0
	a, err := one.upload("code", func(attempt int) {
		attempts = attempt
		if attempt == 1 {
			if err := two.prune(); err != nil {
				t.Error(err)
			}
		}
	})
	if err != nil || attempts != 2 {
		t.Fatalf("upload: %v after %d attempts, want 2", err, attempts)
	}
	c.after(retention + time.Second)
	two.collect()
	if keys := c.keys(t); len(keys) != 1 {
		t.Errorf("the bucket has %v, want the second upload only", keys)
	}
	one.wantArchive(a.Digest, "code")
	two.wantArchive(a.Digest, "code")
}

// Another node decides to remove an upload, and the upload is committed before the
// removal.
func TestUpload_BeforeItsRemoval(t *testing.T) {
	t.Parallel()
	c := newCluster(t)
	one, two := c.node(t), c.node(t)
	one.function()
	stored, decided, uploaded := make(chan struct{}), make(chan struct{}), make(chan error, 1)
	go func() {
		_, err := one.upload("code", func(int) { close(stored); <-decided })
		uploaded <- err
	}()
	await.Receive(t, "the upload is stored", stored)
	err := two.pruneAfter(func() {
		close(decided)
		if err := await.Receive(t, "the upload is committed", uploaded); err != nil {
			t.Error(err)
		}
	})
	if err != nil {
		t.Fatal(err)
	}
	c.after(retention + time.Second)
	two.collect()
	f, err := two.service.FunctionByID(t.Context(), "f")
	if err != nil {
		t.Fatal(err)
	}
	two.wantArchive(f.Archive, "code")
}

// The removal waits for a transaction that refers to the object, and sees its result.
func TestCondemn_WaitsForTransactionThatRefersToObject(t *testing.T) {
	t.Parallel()
	c := newCluster(t)
	one, two := c.node(t), c.node(t)
	one.function()
	ref := one.build("a")
	kept := make(chan error, 1)
	err := one.change(func(tx store.Tx, f *functions.Function) error {
		f.Revision = &functions.Revision{ID: "r", Artifact: ref.Name}
		err := tx.Usable(ref.Key())
		go func() { kept <- two.keep(func() {}) }()
		await.True(t, "the removal waits for the lock", func() bool { return waiting(t, c.database) })
		return err
	})
	if err := errors.Join(err, await.Receive(t, "the end of the removal", kept)); err != nil {
		t.Fatal(err)
	}
	c.after(retention + time.Second)
	one.collect()
	two.wantArtifact(ref, true)
}

// waiting reports whether a transaction of a database waits for a lock.
func waiting(t *testing.T, address string) bool {
	conn, err := pgx.Connect(t.Context(), address)
	if err != nil {
		t.Error(err)
		return true
	}
	defer func() { _ = conn.Close(t.Context()) }()
	var count int
	err = conn.QueryRow(t.Context(), "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'").Scan(&count)
	if err != nil {
		t.Error(err)
		return true
	}
	return count > 0
}

// Another node removes an artifact before the deployment refers to it, or decides to do so
// before and removes it after.
func TestDeployment_RacingRemovalOfItsArtifact(t *testing.T) {
	t.Parallel()
	c := newCluster(t)
	one, two := c.node(t), c.node(t)
	one.function()
	removed := one.build("removed")
	if err := two.keep(func() {}); err != nil {
		t.Fatal(err)
	}
	if err := one.deploy(removed); !errors.Is(err, functions.ErrCondemned) {
		t.Errorf("deploy after the removal: %v, want %v", err, functions.ErrCondemned)
	}
	served := one.build("served")
	err := two.keep(func() {
		if err := one.deploy(served); err != nil {
			t.Error(err)
		}
	})
	if err != nil {
		t.Fatal(err)
	}
	c.after(retention + time.Second)
	two.collect()
	one.wantArtifact(removed, false)
	one.wantArtifact(served, true)
}

// A node that was paused between upload and commit commits after the object was deleted.
func TestUpload_AfterDeletionOfItsObject(t *testing.T) {
	t.Parallel()
	c := newCluster(t)
	one, two := c.node(t), c.node(t)
	one.function()
	a, err := one.upload("code", func(attempt int) {
		if attempt > 1 {
			return
		}
		if err := two.prune(); err != nil {
			t.Error(err)
		}
		c.after(retention + time.Second)
		two.collect()
		if keys := c.keys(t); len(keys) > 0 {
			t.Errorf("the bucket has %v, want nothing", keys)
		}
	})
	if err != nil {
		t.Fatal(err)
	}
	one.wantArchive(a.Digest, "code")
}

// Several uploads of the same archive are committed. One copy remains, also if the one
// that another node keeps is condemned meanwhile.
func TestUpload_OfSameArchiveByTwoNodes(t *testing.T) {
	t.Parallel()
	c := newCluster(t)
	one, two := c.node(t), c.node(t)
	one.function()
	// The commits have the other order than the uploads.
	a, err := one.upload("code", func(attempt int) {
		if attempt == 1 {
			c.after(time.Second)
			two.mustUpload("code")
		}
	})
	if err != nil {
		t.Fatal(err)
	}
	for range 3 {
		c.after(time.Second)
		one.mustUpload("code")
	}
	c.after(retention + time.Second)
	two.collect()
	if keys := c.keys(t); len(keys) != 1 {
		t.Errorf("the bucket has %v, want one copy", keys)
	}
	two.wantArchive(a.Digest, "code")
	condemned, err := one.db.CondemnedOf(t.Context(), []string{"f"})
	if err != nil || len(condemned) > 0 {
		t.Errorf("condemned are %v, %v, want none", condemned, err)
	}
}
