package removal_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/jeton-dev/jeton/internal/blob"
	"github.com/jeton-dev/jeton/internal/blob/removal"
	"github.com/jeton-dev/jeton/internal/functions"
	"github.com/jeton-dev/jeton/internal/store"
	pgtest "github.com/jeton-dev/jeton/test/postgres"
)

func TestNew_RefusesMissingDependency(t *testing.T) {
	t.Parallel()
	database := struct{ removal.Database }{}
	for name, config := range map[string]removal.Config{
		"Database":  {Interval: 1, Now: time.Now},
		"Interval":  {Database: database, Now: time.Now},
		"Now":       {Database: database, Interval: 1},
		"Retention": {Database: database, Interval: 1, Now: time.Now, Retention: -1},
	} {
		if r, err := removal.New(config); r != nil || err == nil {
			t.Errorf("invalid %s: got %v, %v, want an error", name, r, err)
		}
	}
}

// Code that is not needed any more neither counts for the quota nor is it deleted before
// the end of the retention.
func TestCollect_DeletesAfterRetention(t *testing.T) {
	t.Parallel()
	c := newCluster(t)
	n := c.node(t)
	n.function()
	old := n.mustUpload("old code")
	digest := n.mustUpload("new")
	if err := n.prune(); err != nil {
		t.Fatal(err)
	}
	err := n.archives.Usage(t.Context(), []string{"f"}, func(bytes int64) error {
		if bytes != 3 {
			t.Errorf("Usage() = %d bytes, want 3", bytes)
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	c.after(retention - time.Second)
	n.collect()
	n.wantArchive(old, "old code")
	c.after(2 * time.Second)
	n.collect()
	if keys := c.keys(t); len(keys) != 1 || !strings.Contains(keys[0], digest) {
		t.Errorf("the bucket has %v, want the new archive only", keys)
	}
	n.wantArchive(digest, "new")
}

// A database that is restored to a time within the retention finds all objects of its
// functions. Those that were stored later are condemned.
func TestCollect_KeepsObjectsForRestoredDatabase(t *testing.T) {
	t.Parallel()
	c := newCluster(t)
	n := c.node(t)
	n.function()
	digest, ref := n.mustUpload("code"), n.build("a")
	if err := n.deploy(ref); err != nil {
		t.Fatal(err)
	}
	if err := n.db.Close(); err != nil {
		t.Fatal(err)
	}
	backup := pgtest.Copy(t, c.database)

	// A day of changes: other code, the deletion of the function, and the collection.
	n = c.node(t)
	n.mustUpload("other code")
	if err := n.prune(); err != nil {
		t.Fatal(err)
	}
	c.after(retention / 2)
	n.collect()
	deleteFunction(n)
	c.after(retention/2 - 2*time.Hour)
	n.collect()
	if err := n.db.Close(); err != nil {
		t.Fatal(err)
	}

	c.database = backup
	n = c.node(t)
	n.wantArchive(digest, "code")
	n.wantArtifact(ref, true)
	for range 3 {
		c.after(retention)
		n.collect()
	}
	n.wantArchive(digest, "code")
	n.wantArtifact(ref, true)
	if keys := c.keys(t); len(keys) != 2 {
		t.Errorf("the bucket has %v, want what the function needs", keys)
	}
}

// deleteFunction deletes f as the reconciler does.
func deleteFunction(n *node) {
	n.Helper()
	err := n.change(func(_ store.Tx, f *functions.Function) error {
		f.MarkDeleting(time.Time{})
		return nil
	})
	if err == nil {
		err = n.archives.Delete(n.Context(), "f")
	}
	if err == nil {
		err = n.artifacts.Delete(n.Context(), "f")
	}
	if err == nil {
		err = n.db.Update(n.Context(), func(tx store.Tx) error { return functions.RemoveFunction(tx, "f") })
	}
	if err != nil {
		n.Fatal(err)
	}
}

func TestCollect_DeletesObjectsOfDeletedFunction(t *testing.T) {
	t.Parallel()
	c := newCluster(t)
	n := c.node(t)
	n.function()
	n.mustUpload("code")
	if err := n.deploy(n.build("a")); err != nil {
		t.Fatal(err)
	}
	deleteFunction(n)
	c.after(retention + time.Second)
	n.collect()
	if keys := c.keys(t); len(keys) > 0 {
		t.Errorf("the bucket has %v, want nothing", keys)
	}
}

// A server that crashed has stored objects to which nothing refers. They are deleted, but
// not young ones, and not those of functions.
func TestCollect_FindsObjectsOfCrashedServer(t *testing.T) {
	t.Parallel()
	c := newCluster(t)
	n := c.node(t)
	n.function()
	digest, ref := n.mustUpload("code"), n.build("a")
	if err := n.deploy(ref); err != nil {
		t.Fatal(err)
	}
	const crashed = 2100
	var group errgroup.Group
	group.SetLimit(8)
	for i := range crashed {
		group.Go(func() error {
			key := fmt.Sprintf("archives/f/%d/attempt", i)
			if i%2 == 0 {
				key = fmt.Sprintf("artifacts/other-%d/a/digest", i)
			}
			c.putObject(t, key, "x")
			return nil
		})
	}
	_ = group.Wait()
	c.after(time.Minute)
	n.collect()
	if condemned, err := n.db.CondemnedBefore(t.Context(), c.clock().Add(time.Hour), 10); err != nil || len(condemned) > 0 {
		t.Errorf("young objects %v, %v were condemned", condemned, err)
	}
	sweeps := 0
	for ; sweeps < 10; sweeps++ {
		c.after(time.Hour)
		n.collect()
		before, err := n.db.CondemnedBefore(t.Context(), c.clock().Add(time.Hour), 2*crashed)
		if err != nil {
			t.Fatal(err)
		}
		if len(before) == crashed {
			break
		}
	}
	if sweeps == 0 || sweeps == 10 {
		t.Errorf("all objects were condemned after %d sweeps, want several", sweeps)
	}
	c.after(retention + time.Second)
	for range 3 {
		n.collect()
	}
	if keys := c.keys(t); len(keys) != 2 {
		t.Errorf("the bucket has %d objects, want 2", len(keys))
	}
	n.wantArchive(digest, "code")
	n.wantArtifact(ref, true)
}

// Of several nodes, one sweeps the bucket in each interval.
func TestCollect_SweepsOncePerInterval(t *testing.T) {
	t.Parallel()
	c := newCluster(t)
	one, two := c.node(t), c.node(t)
	c.after(time.Hour)
	begun := 0
	for range 3 {
		for _, n := range []*node{one, two} {
			if _, ok, err := n.db.BeginSweep(t.Context(), c.clock().Add(-time.Minute)); err != nil {
				t.Fatal(err)
			} else if ok {
				begun++
			}
		}
		c.after(time.Hour)
	}
	if begun != 3 {
		t.Errorf("%d sweeps in 3 intervals, want 3", begun)
	}
}

// A committed upload removes older copies only if it is not condemned itself.
func TestCondemnCopies_KeepsLastCopy(t *testing.T) {
	t.Parallel()
	c := newCluster(t)
	n := c.node(t)
	n.function()
	removals, err := removal.New(removal.Config{Database: n.db, Retention: retention, Interval: time.Minute, Now: c.clock})
	if err != nil {
		t.Fatal(err)
	}
	copies := make([]blob.Object, 3)
	for i := range copies {
		copies[i] = blob.Object{Key: fmt.Sprint("archives/f/digest/", i), FunctionID: "f", Archive: "digest"}
	}
	if err := removals.Condemn(t.Context(), "f", copies[2:]); err != nil {
		t.Fatal(err)
	}
	if err := n.service.CodeUploaded(t.Context(), "f", "digest", copies[1].Key); err != nil {
		t.Fatal(err)
	}
	if err := removals.CondemnCopies(t.Context(), copies[2], copies[:2]); err != nil {
		t.Fatal(err)
	}
	if condemned, err := removals.Condemned(t.Context(), []string{"f"}); err != nil || len(condemned) != 1 {
		t.Errorf("condemned are %v, %v, want the last copy only", condemned, err)
	}
	if err := removals.CondemnCopies(t.Context(), copies[1], copies[:1]); err != nil {
		t.Fatal(err)
	}
	condemned, err := removals.Condemned(t.Context(), []string{"f"})
	if err != nil || len(condemned) != 2 || condemned[copies[1].Key] {
		t.Errorf("condemned are %v, %v, want the first and the last", condemned, err)
	}
}
