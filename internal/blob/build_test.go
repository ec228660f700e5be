package blob_test

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/jeton-dev/jeton/internal/blob"
)

// clock is a time that moves by a second each time it is asked for.
func clock() func() time.Time {
	now := time.Date(2027, 1, 1, 0, 0, 0, 0, time.UTC)
	return func() time.Time {
		now = now.Add(time.Second)
		return now
	}
}

func folder(t *testing.T, files map[string]string) string {
	t.Helper()
	dir := filepath.Join(t.TempDir(), "folder")
	for name, content := range files {
		path := filepath.Join(dir, name)
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(content), 0o755); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

func builds(t *testing.T, dir string, limit int64) *blob.Builds {
	t.Helper()
	b, err := blob.NewBuilds(dir, limit, clock())
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// has tells whether the cache has a build, by taking it.
func has(t *testing.T, b *blob.Builds, name string) bool {
	t.Helper()
	_, ok, err := b.Take(name, filepath.Join(t.TempDir(), "taken"))
	if err != nil {
		t.Fatal(err)
	}
	return ok
}

func TestBuilds(t *testing.T) {
	t.Parallel()
	dir := filepath.Join(t.TempDir(), "builds")
	b := builds(t, dir, 1<<20)
	built := folder(t, map[string]string{"a/b": "content", "program": "#!"})
	if err := os.Symlink("../program", filepath.Join(built, "a", "link")); err != nil {
		t.Fatal(err)
	}
	if has(t, b, "one") {
		t.Error("an empty cache has something")
	}
	for range 2 { // the second time somebody else has been faster
		if err := b.Add("one", built, []byte("notes")); err != nil {
			t.Fatal(err)
		}
	}
	// What was built may go: the cache has its own.
	if err := os.RemoveAll(built); err != nil {
		t.Fatal(err)
	}
	b = builds(t, dir, 1<<20)
	into := filepath.Join(t.TempDir(), "into")
	notes, ok, err := b.Take("one", into)
	if err != nil || !ok || string(notes) != "notes" {
		t.Fatalf("Take() = %q, %t, %v", notes, ok, err)
	}
	for name, want := range map[string]string{"a/b": "content", "program": "#!", "a/link": "#!"} {
		if got, err := os.ReadFile(filepath.Join(into, name)); err != nil || string(got) != want {
			t.Errorf("%s has %q, %v, want %q", name, got, err, want)
		}
	}
	if info, err := os.Stat(filepath.Join(into, "program")); err != nil || info.Mode().Perm() != 0o755 {
		t.Errorf("the program has the mode %v, %v", info.Mode(), err)
	}
}

func TestBuildsAreBounded(t *testing.T) {
	t.Parallel()
	dir := filepath.Join(t.TempDir(), "builds")
	b := builds(t, dir, 250<<10)
	hundred := folder(t, map[string]string{"x": strings.Repeat("x", 100<<10)})
	for _, name := range []string{"one", "two"} {
		if err := b.Add(name, hundred, nil); err != nil {
			t.Fatal(err)
		}
	}
	if !has(t, b, "one") { // and uses it
		t.Fatal("the first build is gone at once")
	}
	if err := b.Add("three", hundred, nil); err != nil {
		t.Fatal(err)
	}
	if has(t, b, "two") || !has(t, b, "one") || !has(t, b, "three") {
		t.Error("of three builds another one is gone than the one that was not used for longest")
	}
	if err := b.Add("huge", folder(t, map[string]string{"x": strings.Repeat("x", 251<<10)}), nil); err != nil {
		t.Fatal(err)
	}
	if has(t, b, "huge") || !has(t, b, "one") {
		t.Error("one that is too large was kept, or has others gone")
	}
	// A cache that has become smaller is so from its start.
	b = builds(t, dir, 150<<10)
	if has(t, b, "one") == has(t, b, "three") {
		t.Error("of two builds not one is left where only one has room")
	}
}

// TestBuildsOfMany takes and adds at once, in a cache that has room for few.
func TestBuildsOfMany(t *testing.T) {
	t.Parallel()
	var mu sync.Mutex
	tick := clock()
	now := func() time.Time {
		mu.Lock()
		defer mu.Unlock()
		return tick()
	}
	b, err := blob.NewBuilds(filepath.Join(t.TempDir(), "builds"), 350<<10, now)
	if err != nil {
		t.Fatal(err)
	}
	built := folder(t, map[string]string{"x": strings.Repeat("x", 100<<10)})
	into := t.TempDir()
	var group errgroup.Group
	for worker := range 8 {
		group.Go(func() error {
			for n := range 50 {
				name := fmt.Sprint("build", (worker+n)%10)
				taken := filepath.Join(into, fmt.Sprint(worker, "-", n))
				if _, ok, err := b.Take(name, taken); err != nil || ok {
					if content, _ := os.ReadFile(filepath.Join(taken, "x")); err != nil || len(content) != 100<<10 {
						return fmt.Errorf("take %s: %d bytes, %w", name, len(content), err)
					}
					continue
				}
				if err := b.Add(name, built, nil); err != nil {
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

func TestBuildsHalfMade(t *testing.T) {
	t.Parallel()
	dir := folder(t, map[string]string{"new-123/output/x": "half"})
	builds(t, dir, 100)
	if entries, err := os.ReadDir(dir); err != nil || len(entries) > 0 {
		t.Errorf("the half of a build is left: %v, %v", entries, err)
	}
}
