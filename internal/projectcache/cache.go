package projectcache

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/gofrs/flock"

	"github.com/jeton-dev/jeton/internal/tree"
)

const (
	// lockSuffix ends the name of the file that is locked while a folder is used, by
	// this process or another one with the same folder of caches.
	lockSuffix = ".lock"
	// unfinished matches folders that are being removed.
	unfinished = "removing-*"
)

// Limits bound the folders, in bytes.
type Limits struct {
	// Project bounds the folder of one project between builds, and Total all
	// together.
	Project, Total int64
}

// A Cache has the folders of all projects. It may be used concurrently, and by
// several processes.
type Cache struct {
	dir    string
	limits Limits
	now    func() time.Time
	log    *slog.Logger
	// mu is held while folders are removed.
	mu sync.Mutex
}

// Open returns the cache below dir, which it makes. It refuses a folder that belongs
// to another user, and takes the permissions of others away. It finishes removals
// that a process which was killed has begun.
func Open(dir string, limits Limits, now func() time.Time, log *slog.Logger) (*Cache, error) {
	if err := Secure(dir); err != nil {
		return nil, err
	}
	left, err := filepath.Glob(filepath.Join(dir, unfinished))
	for _, path := range left {
		err = errors.Join(err, tree.Remove(path))
	}
	return &Cache{dir: dir, limits: limits, now: now, log: log}, err
}

// Secure makes a folder that only this user can read and change. It returns an error
// for one that belongs to another user, or is no folder. A symbolic link of this user's
// to such a folder will do.
func Secure(dir string) error {
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return err
	}
	var info fs.FileInfo
	for _, look := range []func(string) (fs.FileInfo, error){os.Lstat, os.Stat} {
		var err error
		if info, err = look(dir); err != nil {
			return err
		}
		if owner, known := ownerOf(info); known && owner != os.Geteuid() {
			return fmt.Errorf("use %s as a cache: it belongs to user %d: name another one with --cache-dir", dir, owner)
		}
	}
	if !info.IsDir() {
		return fmt.Errorf("use %s as a cache: not a folder: remove it or name another one with --cache-dir", dir)
	}
	if info.Mode().Perm()&0o077 != 0 {
		return os.Chmod(dir, 0o700)
	}
	return nil
}

// Use returns the folder of a project, which exists until done was called. The caller
// calls done once, when the build has ended: it makes harmless what the build left,
// and removes folders beyond the limits.
func (c *Cache) Use(ctx context.Context, projectID string) (folder string, done func(), err error) {
	if projectID == "" || !filepath.IsLocal(projectID) || strings.ContainsAny(projectID, `/\`) || strings.HasPrefix(projectID, "removing-") {
		return "", nil, fmt.Errorf("use cache of project %q: not the ID of a project", projectID)
	}
	folder = filepath.Join(c.dir, projectID)
	lock := flock.New(folder + lockSuffix)
	if _, err := lock.TryRLockContext(ctx, 10*time.Millisecond); err != nil {
		return "", nil, fmt.Errorf("use cache of project %s: %w", projectID, err)
	}
	if err := os.MkdirAll(folder, 0o700); err != nil {
		return "", nil, errors.Join(err, lock.Close())
	}
	now := c.now()
	if err := os.Chtimes(folder, now, now); err != nil {
		return "", nil, errors.Join(err, lock.Close())
	}
	return folder, func() {
		err := tree.Clean(context.WithoutCancel(ctx), folder)
		if err := errors.Join(err, lock.Close(), c.shrink(projectID, err != nil)); err != nil {
			c.log.Error("the cache of a project is not as it should be", "project_id", projectID, "error", err)
		}
	}, nil
}

// shrink removes the folder of the project if it is too large, or spoiled, and then
// those that were used least recently until the rest is small enough. Folders in use
// stay.
func (c *Cache) shrink(projectID string, spoiled bool) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	if size, err := c.size(projectID); spoiled || err != nil || size > c.limits.Project {
		if _, err := c.remove(projectID); err != nil {
			return err
		}
	}
	entries, err := os.ReadDir(c.dir)
	if err != nil {
		return err
	}
	type project struct {
		id   string
		size int64
		used time.Time
	}
	var all []project
	var total int64
	for _, entry := range entries {
		if !entry.IsDir() || strings.HasPrefix(entry.Name(), "removing-") {
			continue
		}
		info, err := entry.Info()
		if err != nil {
			continue // Another process removes it.
		}
		size, err := c.size(entry.Name())
		if err != nil {
			return err
		}
		total += size
		all = append(all, project{entry.Name(), size, info.ModTime()})
	}
	slices.SortFunc(all, func(a, b project) int { return cmp.Or(a.used.Compare(b.used), cmp.Compare(a.id, b.id)) })
	for _, p := range all {
		if total <= c.limits.Total {
			break
		}
		removed, err := c.remove(p.id)
		if err != nil {
			return err
		}
		if removed {
			total -= p.size
		}
	}
	return nil
}

func (c *Cache) size(projectID string) (int64, error) {
	u, err := tree.Measure(context.Background(), filepath.Join(c.dir, projectID), tree.Limits{})
	return u.Bytes, err
}

// remove removes the folder of a project that is not in use.
func (c *Cache) remove(projectID string) (removed bool, err error) {
	folder := filepath.Join(c.dir, projectID)
	lock := flock.New(folder + lockSuffix)
	if free, err := lock.TryLock(); err != nil || !free {
		return false, err
	}
	to, err := os.MkdirTemp(c.dir, unfinished)
	if err != nil {
		return false, errors.Join(err, lock.Close())
	}
	err = os.Rename(folder, filepath.Join(to, "project"))
	if errors.Is(err, fs.ErrNotExist) {
		err = nil
	}
	// Nobody waits for what takes long.
	return err == nil, errors.Join(err, lock.Close(), tree.Remove(to))
}
