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
	// lockSuffix ends the name of the lock file of a folder. A process locks it while it
	// uses the folder.
	lockSuffix = ".lock"
	// removingPrefix begins the names of folders that are being removed.
	removingPrefix = "removing-"
)

// Limits bound the folders, in bytes. They are checked after each build.
type Limits struct {
	// Project bounds the folder of one project, and Total all folders together.
	Project, Total int64
}

// A Cache manages the folders of all projects. It is safe for concurrent use, also by
// several processes with the same folder.
type Cache struct {
	dir    string
	limits Limits
	now    func() time.Time
	log    *slog.Logger
	// mu is held while folders are removed.
	mu sync.Mutex
}

// Open returns the cache in dir. It calls Secure, and completes removals that a killed
// process has started.
func Open(dir string, limits Limits, now func() time.Time, log *slog.Logger) (*Cache, error) {
	if err := Secure(dir); err != nil {
		return nil, err
	}
	unfinished, err := filepath.Glob(filepath.Join(dir, removingPrefix+"*"))
	for _, path := range unfinished {
		err = errors.Join(err, tree.Remove(path))
	}
	return &Cache{dir: dir, limits: limits, now: now, log: log}, err
}

// Secure makes dir if it does not exist, and removes the permissions of group and
// others. It returns an error if dir belongs to another user or is not a folder. dir may
// be a symbolic link of this user to a folder of this user.
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
			return fmt.Errorf("use %s as a cache: it belongs to user %d: choose another folder with --cache-dir", dir, owner)
		}
	}
	if !info.IsDir() {
		return fmt.Errorf("use %s as a cache: not a folder: remove it or choose another folder with --cache-dir", dir)
	}
	if info.Mode().Perm()&0o077 != 0 {
		return os.Chmod(dir, 0o700)
	}
	return nil
}

// Use returns the folder of a project, which is not removed before done is called. The
// caller must call done once, when the build has ended: it cleans the folder, and removes
// folders that exceed the limits. Use waits for a removal of the folder until ctx ends.
func (c *Cache) Use(ctx context.Context, projectID string) (folder string, done func(), err error) {
	if projectID == "" || !filepath.IsLocal(projectID) || strings.ContainsAny(projectID, `/\`) || strings.HasPrefix(projectID, removingPrefix) {
		return "", nil, fmt.Errorf("use cache of project %q: not a valid project ID", projectID)
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
			c.log.Error("clean the build cache of a project", "project_id", projectID, "error", err)
		}
	}, nil
}

// shrink removes the folder of the project if it exceeds its limit or is spoiled, and
// then the least recently used folders until the total is within the limit. It does not
// remove folders in use.
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
		if !entry.IsDir() || strings.HasPrefix(entry.Name(), removingPrefix) {
			continue
		}
		info, err := entry.Info()
		if err != nil {
			continue // Another process has removed it.
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

// remove removes the folder of a project. It returns false if the folder is in use.
func (c *Cache) remove(projectID string) (removed bool, err error) {
	folder := filepath.Join(c.dir, projectID)
	lock := flock.New(folder + lockSuffix)
	if free, err := lock.TryLock(); err != nil || !free {
		return false, err
	}
	to, err := os.MkdirTemp(c.dir, removingPrefix+"*")
	if err != nil {
		return false, errors.Join(err, lock.Close())
	}
	err = os.Rename(folder, filepath.Join(to, "project"))
	if errors.Is(err, fs.ErrNotExist) {
		err = nil
	}
	// The removal takes long: it happens after the lock is released.
	return err == nil, errors.Join(err, lock.Close(), tree.Remove(to))
}
