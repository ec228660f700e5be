package files_test

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/jeton-dev/jeton/internal/blob"
	"github.com/jeton-dev/jeton/internal/blob/blobtest"
	"github.com/jeton-dev/jeton/internal/blob/files"
)

// clock returns a function that returns a time one second later on each call.
func clock() func() time.Time {
	var mu sync.Mutex
	now := time.Date(2027, 1, 1, 0, 0, 0, 0, time.UTC)
	return func() time.Time {
		mu.Lock()
		defer mu.Unlock()
		now = now.Add(time.Second)
		return now
	}
}

func openBuildCache(t *testing.T, dir string, limit int64) *files.BuildCache {
	t.Helper()
	c, err := files.OpenBuildCache(dir, limit, clock())
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// get reports whether the cache has an entry. It counts as a use of the entry.
func get(t *testing.T, c *files.BuildCache, name string) bool {
	t.Helper()
	_, err := c.Get(t.Context(), name, filepath.Join(t.TempDir(), "got"))
	if err != nil && !errors.Is(err, blob.ErrNotFound) {
		t.Fatal(err)
	}
	return err == nil
}

func TestBuildCache(t *testing.T) {
	t.Parallel()
	blobtest.BuildCache(t, func(t *testing.T) blob.BuildCache {
		return openBuildCache(t, filepath.Join(t.TempDir(), "builds"), 1<<20)
	})
}

func TestBuildCache_KeepsEntriesAcrossRestarts(t *testing.T) {
	t.Parallel()
	dir := filepath.Join(t.TempDir(), "builds")
	built := blobtest.Folder(t, map[string]string{"program": "#!"})
	if err := openBuildCache(t, dir, 1<<20).Put(t.Context(), "one", built, nil); err != nil {
		t.Fatal(err)
	}
	if !get(t, openBuildCache(t, dir, 1<<20), "one") {
		t.Error("the entry is missing after a restart")
	}
}

func TestBuildCache_EvictsLeastRecentlyUsed(t *testing.T) {
	t.Parallel()
	dir := filepath.Join(t.TempDir(), "builds")
	c := openBuildCache(t, dir, 250<<10)
	hundred := blobtest.Folder(t, map[string]string{"x": strings.Repeat("x", 100<<10)})
	for _, name := range []string{"one", "two"} {
		if err := c.Put(t.Context(), name, hundred, nil); err != nil {
			t.Fatal(err)
		}
	}
	if !get(t, c, "one") {
		t.Fatal("got no entry one, want it within the limit")
	}
	if err := c.Put(t.Context(), "three", hundred, nil); err != nil {
		t.Fatal(err)
	}
	if one, two, three := get(t, c, "one"), get(t, c, "two"), get(t, c, "three"); !one || two || !three {
		t.Errorf("got one %t, two %t, three %t, want two evicted", one, two, three)
	}
	huge := blobtest.Folder(t, map[string]string{"x": strings.Repeat("x", 251<<10)})
	if err := c.Put(t.Context(), "huge", huge, nil); err != nil {
		t.Fatal(err)
	}
	if get(t, c, "huge") || !get(t, c, "one") {
		t.Error("an entry larger than the limit was stored, or evicted others")
	}
	c = openBuildCache(t, dir, 150<<10)
	if get(t, c, "one") == get(t, c, "three") {
		t.Error("got both or none of two entries, want one after a restart with a lower limit")
	}
}

func TestBuildCache_ConcurrentUse(t *testing.T) {
	t.Parallel()
	c := openBuildCache(t, filepath.Join(t.TempDir(), "builds"), 350<<10) // Fits three of ten entries.
	built := blobtest.Folder(t, map[string]string{"x": strings.Repeat("x", 100<<10)})
	into := t.TempDir()
	var group errgroup.Group
	for worker := range 8 {
		group.Go(func() error {
			for n := range 50 {
				name := fmt.Sprint("build", (worker+n)%10)
				got := filepath.Join(into, fmt.Sprint(worker, "-", n))
				_, err := c.Get(t.Context(), name, got)
				if errors.Is(err, blob.ErrNotFound) {
					err = c.Put(t.Context(), name, built, nil)
				} else if content, _ := os.ReadFile(filepath.Join(got, "x")); err == nil && len(content) != 100<<10 {
					err = fmt.Errorf("get %s: got %d bytes, want %d", name, len(content), 100<<10)
				}
				if err != nil {
					return err
				}
			}
			return nil
		})
	}
	if err := group.Wait(); err != nil {
		t.Error(err)
	}
}

func TestOpenBuildCache_RemovesUnfinishedEntries(t *testing.T) {
	t.Parallel()
	dir := blobtest.Folder(t, map[string]string{"new-123/output/x": "half"})
	openBuildCache(t, dir, 100)
	if entries, err := os.ReadDir(dir); err != nil || len(entries) > 0 {
		t.Errorf("got %v, %v, want an empty folder", entries, err)
	}
}
