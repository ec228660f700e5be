package files

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"sync"
	"time"

	"github.com/jeton-dev/jeton/internal/blob"
	"github.com/jeton-dev/jeton/internal/tree"
)

const (
	// buildOutput and buildNotes are the parts of a cache entry.
	buildOutput = "output"
	buildNotes  = "notes"

	// unfinishedBuild matches the names of entries that are being written.
	unfinishedBuild = "new-*"
)

// BuildCache implements blob.BuildCache with one folder per entry. Get and Put link
// files instead of copying them.
type BuildCache struct {
	dir   string
	limit int64
	now   func() time.Time

	// mu is held for reading while entries are read or written, and for writing
	// while entries are removed. Lock it before known.
	mu sync.RWMutex
	// known guards sizes and used, which both have one item per entry.
	known sync.Mutex
	sizes map[string]int64
	used  map[string]time.Time
}

var _ blob.BuildCache = (*BuildCache)(nil)

// OpenBuildCache opens the cache below dir, which holds at most limit bytes. It
// creates dir, removes what a process that was killed left unfinished, and evicts
// entries if the limit is lower than before.
func OpenBuildCache(dir string, limit int64, now func() time.Time) (*BuildCache, error) {
	if err := errors.Join(os.MkdirAll(dir, 0o700), removeMatching(filepath.Join(dir, unfinishedBuild))); err != nil {
		return nil, fmt.Errorf("open build cache: %w", err)
	}
	c := &BuildCache{dir: dir, limit: limit, now: now, sizes: map[string]int64{}, used: map[string]time.Time{}}
	if err := c.load(); err != nil {
		return nil, fmt.Errorf("open build cache: %w", err)
	}
	return c, c.shrink()
}

func (c *BuildCache) load() error {
	entries, err := os.ReadDir(c.dir)
	if err != nil {
		return err
	}
	for _, entry := range entries {
		info, err := entry.Info()
		if err != nil {
			return err
		}
		if c.sizes[entry.Name()], err = size(context.Background(), filepath.Join(c.dir, entry.Name())); err != nil {
			return err
		}
		c.used[entry.Name()] = info.ModTime()
	}
	return nil
}

// Get implements blob.BuildCache.
func (c *BuildCache) Get(ctx context.Context, name, into string) (notes []byte, err error) {
	if err := check(name); err != nil {
		return nil, err
	}
	c.mu.RLock()
	defer c.mu.RUnlock()
	entry := filepath.Join(c.dir, name)
	notes, err = os.ReadFile(filepath.Join(entry, buildNotes))
	if err == nil {
		err = tree.Copy(ctx, filepath.Join(entry, buildOutput), into, tree.Options{Link: true})
	} else {
		err = notFound(err)
	}
	if err != nil {
		return nil, fmt.Errorf("get build %s from the cache: %w", name, err)
	}
	now := c.now()
	c.known.Lock()
	c.used[name] = now
	c.known.Unlock()
	// The next process reads the time of the last use from the folder.
	return notes, os.Chtimes(entry, now, now)
}

// Put implements blob.BuildCache.
func (c *BuildCache) Put(ctx context.Context, name, dir string, notes []byte) error {
	if err := check(name); err != nil {
		return err
	}
	if err := c.put(ctx, name, dir, notes); err != nil {
		return fmt.Errorf("put build %s into the cache: %w", name, err)
	}
	return c.shrink()
}

func (c *BuildCache) put(ctx context.Context, name, dir string, notes []byte) error {
	c.mu.RLock()
	defer c.mu.RUnlock()
	size, err := size(ctx, dir)
	if err != nil || size > c.limit {
		return err
	}
	unfinished, err := os.MkdirTemp(c.dir, unfinishedBuild)
	if err != nil {
		return err
	}
	defer func() { _ = tree.Remove(unfinished) }() // If that fails, OpenBuildCache removes it.
	err = errors.Join(
		tree.Copy(ctx, dir, filepath.Join(unfinished, buildOutput), tree.Options{Link: true}),
		os.WriteFile(filepath.Join(unfinished, buildNotes), notes, 0o600),
	)
	if err == nil {
		// After a crash of the machine, an entry must not have empty files.
		err = tree.Sync(ctx, unfinished)
	}
	if err != nil {
		return err
	}
	err = os.Rename(unfinished, filepath.Join(c.dir, name))
	if errors.Is(err, fs.ErrExist) {
		return nil // Another build with the same input finished first.
	}
	if err == nil {
		c.known.Lock()
		defer c.known.Unlock()
		c.sizes[name], c.used[name] = size, c.now()
	}
	return err
}

// shrink removes the least recently used entries until the rest is within the limit.
func (c *BuildCache) shrink() error {
	if c.total() <= c.limit {
		return nil
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	total := c.total()
	c.known.Lock()
	defer c.known.Unlock()
	oldest := slices.SortedFunc(maps.Keys(c.sizes), func(x, y string) int {
		return cmp.Or(c.used[x].Compare(c.used[y]), cmp.Compare(x, y))
	})
	for _, name := range oldest {
		if total <= c.limit {
			break
		}
		if err := tree.Remove(filepath.Join(c.dir, name)); err != nil {
			return fmt.Errorf("remove build %s from the cache: %w", name, err)
		}
		total -= c.sizes[name]
		delete(c.sizes, name)
		delete(c.used, name)
	}
	return nil
}

// total returns the size of all entries in bytes.
func (c *BuildCache) total() int64 {
	c.known.Lock()
	defer c.known.Unlock()
	var total int64
	for _, size := range c.sizes {
		total += size
	}
	return total
}

// size returns the disk space that a folder occupies in bytes.
func size(ctx context.Context, folder string) (int64, error) {
	used, err := tree.Measure(ctx, folder, tree.Limits{})
	return used.Bytes, err
}
