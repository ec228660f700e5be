package blob

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

	"github.com/jeton-dev/jeton/internal/tree"
)

// The parts of a build in the cache.
const (
	buildOutput = "output"
	buildNotes  = "notes"

	// unfinishedBuild matches the names of builds that are being added.
	unfinishedBuild = "new-*"
)

// Builds caches what was built, under a name that says of what: a second build of
// the same takes no more than its files take to be linked. Those that were not
// used for longest go when all together are too large. The files are shared by
// all who have taken them from here, and must not be changed.
type Builds struct {
	dir   string
	limit int64
	now   func() time.Time

	// mu is held for reading while a build is taken or added, and for writing
	// while some are removed.
	mu sync.RWMutex
	// known guards what follows. Who needs both takes mu first.
	known sync.Mutex
	sizes map[string]int64
	used  map[string]time.Time
}

// NewBuilds returns the cache below dir, which it makes, of at most so many bytes.
// It removes what a process which was killed has left half made.
func NewBuilds(dir string, limit int64, now func() time.Time) (*Builds, error) {
	if err := errors.Join(os.MkdirAll(dir, 0o700), removeMatching(filepath.Join(dir, unfinishedBuild))); err != nil {
		return nil, err
	}
	b := &Builds{dir: dir, limit: limit, now: now, sizes: map[string]int64{}, used: map[string]time.Time{}}
	entries, err := os.ReadDir(dir)
	if err != nil {
		return nil, err
	}
	for _, entry := range entries {
		info, err := entry.Info()
		if err != nil {
			return nil, err
		}
		if b.sizes[entry.Name()], err = size(filepath.Join(dir, entry.Name())); err != nil {
			return nil, err
		}
		b.used[entry.Name()] = info.ModTime()
	}
	return b, b.shrink()
}

// Take puts the build of a name into the folder into, which must not be there, and
// returns what was noted with it; false if there is none.
func (b *Builds) Take(name, into string) (notes []byte, ok bool, err error) {
	if err := check(name); err != nil {
		return nil, false, err
	}
	b.mu.RLock()
	defer b.mu.RUnlock()
	entry := filepath.Join(b.dir, name)
	notes, err = os.ReadFile(filepath.Join(entry, buildNotes))
	if errors.Is(err, fs.ErrNotExist) {
		return nil, false, nil
	}
	if err != nil {
		return nil, false, fmt.Errorf("take build %s: %w", name, err)
	}
	if err := tree.Copy(context.Background(), filepath.Join(entry, buildOutput), into, tree.Options{Link: true}); err != nil {
		return nil, false, fmt.Errorf("take build %s: %w", name, err)
	}
	now := b.now()
	b.known.Lock()
	b.used[name] = now
	b.known.Unlock()
	return notes, true, os.Chtimes(entry, now, now)
}

// Add keeps a folder as the build of a name, with notes. One that is larger than
// all may be together is not kept.
func (b *Builds) Add(name, folder string, notes []byte) error {
	if err := check(name); err != nil {
		return err
	}
	if err := b.add(name, folder, notes); err != nil {
		return fmt.Errorf("keep build %s: %w", name, err)
	}
	return b.shrink()
}

func (b *Builds) add(name, folder string, notes []byte) error {
	b.mu.RLock()
	defer b.mu.RUnlock()
	size, err := size(folder)
	if err != nil || size > b.limit {
		return err
	}
	unfinished, err := os.MkdirTemp(b.dir, unfinishedBuild)
	if err != nil {
		return err
	}
	defer func() { _ = tree.Remove(unfinished) }() // The next start removes it.
	err = errors.Join(
		tree.Copy(context.Background(), folder, filepath.Join(unfinished, buildOutput), tree.Options{Link: true}),
		os.WriteFile(filepath.Join(unfinished, buildNotes), notes, 0o600),
	)
	if err != nil {
		return err
	}
	err = os.Rename(unfinished, filepath.Join(b.dir, name))
	if errors.Is(err, fs.ErrExist) {
		return nil // somebody else has built the same
	}
	if err == nil {
		b.known.Lock()
		defer b.known.Unlock()
		b.sizes[name], b.used[name] = size, b.now()
	}
	return err
}

// shrink removes the builds that were not used for longest until the rest is
// small enough.
func (b *Builds) shrink() error {
	if b.total() <= b.limit {
		return nil
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	total := b.total()
	b.known.Lock()
	defer b.known.Unlock()
	oldest := slices.SortedFunc(maps.Keys(b.sizes), func(x, y string) int {
		return cmp.Or(b.used[x].Compare(b.used[y]), cmp.Compare(x, y))
	})
	for _, name := range oldest {
		if total <= b.limit {
			break
		}
		if err := tree.Remove(filepath.Join(b.dir, name)); err != nil {
			return fmt.Errorf("remove build %s: %w", name, err)
		}
		total -= b.sizes[name]
		delete(b.sizes, name)
		delete(b.used, name)
	}
	return nil
}

func (b *Builds) total() int64 {
	b.known.Lock()
	defer b.known.Unlock()
	var total int64
	for _, size := range b.sizes {
		total += size
	}
	return total
}

// size is what a folder takes of the disk, in bytes.
func size(folder string) (int64, error) {
	used, err := tree.Measure(context.Background(), folder, tree.Limits{})
	return used.Bytes, err
}
