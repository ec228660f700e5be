package projectcache_test

import (
	"errors"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/jeton-dev/jeton/internal/projectcache"
)

func open(t *testing.T, dir string, limits projectcache.Limits) *projectcache.Cache {
	t.Helper()
	now := time.Date(2027, 1, 1, 0, 0, 0, 0, time.UTC)
	c, err := projectcache.Open(dir, limits, func() time.Time {
		now = now.Add(time.Second)
		return now
	}, slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// use writes a file of a size to the folder of a project, as a build does, and returns
// the folder.
func use(t *testing.T, c *projectcache.Cache, project string, size int) string {
	t.Helper()
	folder, done, err := c.Use(t.Context(), project)
	if err != nil {
		t.Fatal(err)
	}
	defer done()
	if err := os.WriteFile(filepath.Join(folder, "file"), []byte(strings.Repeat("x", size)), 0o600); err != nil {
		t.Fatal(err)
	}
	return folder
}

func exists(t *testing.T, path string) bool {
	t.Helper()
	_, err := os.Lstat(path)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		t.Fatal(err)
	}
	return err == nil
}

func TestUse_ReturnsOneFolderPerProject(t *testing.T) {
	t.Parallel()
	c := open(t, filepath.Join(t.TempDir(), "cache"), projectcache.Limits{Project: 1 << 20, Total: 1 << 20})
	a, b := use(t, c, "a", 10), use(t, c, "b", 10)
	if a == b || !exists(t, filepath.Join(a, "file")) || !exists(t, filepath.Join(b, "file")) {
		t.Errorf("got folders %s and %s, want two that exist", a, b)
	}
	for _, id := range []string{"", "..", "a/b", "../a", `a\b`, "removing-1"} {
		if _, _, err := c.Use(t.Context(), id); err == nil {
			t.Errorf("Use(%q) = nil, want an error", id)
		}
	}
}

func TestUse_RemovesFoldersBeyondTheLimits(t *testing.T) {
	t.Parallel()
	c := open(t, filepath.Join(t.TempDir(), "cache"), projectcache.Limits{Project: 64 << 10, Total: 100 << 10})
	a, b := use(t, c, "a", 40<<10), use(t, c, "b", 40<<10)
	use(t, c, "a", 40<<10)
	d := use(t, c, "d", 40<<10)
	if !exists(t, a) || exists(t, b) || !exists(t, d) {
		t.Errorf("got folders a: %v, b: %v, d: %v, want only the least recently used b to be removed", exists(t, a), exists(t, b), exists(t, d))
	}
	if e := use(t, c, "e", 70<<10); exists(t, e) || !exists(t, a) {
		t.Errorf("got folders e: %v, a: %v, want only e, which exceeds its limit, to be removed", exists(t, e), exists(t, a))
	}
	folder, done, err := c.Use(t.Context(), "a")
	if err != nil {
		t.Fatal(err)
	}
	use(t, c, "f", 60<<10)
	use(t, c, "g", 60<<10)
	if !exists(t, folder) {
		t.Error("got a folder in use removed, want it to stay")
	}
	done()
}

func TestUse_CleansTheFolderAfterABuild(t *testing.T) {
	t.Parallel()
	c := open(t, filepath.Join(t.TempDir(), "cache"), projectcache.Limits{Project: 1 << 20, Total: 1 << 20})
	folder, done, err := c.Use(t.Context(), "a")
	if err != nil {
		t.Fatal(err)
	}
	program := filepath.Join(folder, "program")
	if err := errors.Join(os.WriteFile(program, nil, 0o755), os.Chmod(program, 0o755|fs.ModeSetuid)); err != nil {
		t.Fatal(err)
	}
	done()
	if info, err := os.Lstat(program); err != nil || info.Mode() != 0o755 {
		t.Errorf("got mode %v, %v, want 0755 without set-user-id", info.Mode(), err)
	}
}

func TestOpen_RefusesFoldersOfOtherUsers(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	link, file, loose := filepath.Join(dir, "link"), filepath.Join(dir, "file"), filepath.Join(dir, "loose")
	if err := errors.Join(os.Symlink(loose, link), os.WriteFile(file, nil, 0o600), os.Mkdir(loose, 0o700), os.Chmod(loose, 0o777)); err != nil {
		t.Fatal(err)
	}
	refused := []string{file}
	if os.Geteuid() == 0 {
		foreign, foreignLink := filepath.Join(dir, "foreign"), filepath.Join(dir, "foreign-link")
		if err := errors.Join(os.Mkdir(foreign, 0o700), os.Chown(foreign, 65534, 65534), os.Symlink(loose, foreignLink), os.Lchown(foreignLink, 65534, 65534)); err != nil {
			t.Fatal(err)
		}
		refused = append(refused, foreign, foreignLink)
	}
	for _, path := range refused {
		if _, err := projectcache.Open(path, projectcache.Limits{}, time.Now, slog.New(slog.DiscardHandler)); err == nil {
			t.Errorf("Open(%s) = nil, want an error", path)
		}
	}
	open(t, link, projectcache.Limits{})
	if info, err := os.Stat(loose); err != nil || info.Mode().Perm() != 0o700 {
		t.Errorf("got mode %v, %v, want 0700", info.Mode(), err)
	}
}
