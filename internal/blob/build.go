package blob

import (
	"cmp"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"sync"
	"time"
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
		if b.sizes[entry.Name()], err = Size(filepath.Join(dir, entry.Name())); err != nil {
			return nil, err
		}
		b.used[entry.Name()] = info.ModTime()
	}
	return b, b.shrink()
}

// Take puts the build of a name into the folder into, which must not be there, and
// returns what was noted with it; false if there is none.
func (b *Builds) Take(name, into string) (notes []byte, ok bool, err error) {
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
	if err := link(filepath.Join(entry, buildOutput), into); err != nil {
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
	if err := b.add(name, folder, notes); err != nil {
		return fmt.Errorf("keep build %s: %w", name, err)
	}
	return b.shrink()
}

func (b *Builds) add(name, folder string, notes []byte) error {
	b.mu.RLock()
	defer b.mu.RUnlock()
	size, err := Size(folder)
	if err != nil || size > b.limit {
		return err
	}
	unfinished, err := os.MkdirTemp(b.dir, unfinishedBuild)
	if err != nil {
		return err
	}
	defer os.RemoveAll(unfinished)
	err = errors.Join(
		link(folder, filepath.Join(unfinished, buildOutput)),
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
		if err := os.RemoveAll(filepath.Join(b.dir, name)); err != nil {
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

// Size returns the bytes of all files below a folder. What goes meanwhile does not
// count.
func Size(folder string) (int64, error) {
	var total int64
	err := filepath.WalkDir(folder, func(_ string, entry fs.DirEntry, err error) error {
		if err == nil && !entry.IsDir() {
			var info fs.FileInfo
			if info, err = entry.Info(); err == nil {
				total += info.Size()
			}
		}
		if errors.Is(err, fs.ErrNotExist) {
			return nil
		}
		return err
	})
	return total, err
}

// link makes a folder with the same files as another one.
func link(from, to string) error {
	return filepath.WalkDir(from, func(path string, entry fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		name, err := filepath.Rel(from, path)
		if err != nil {
			return err
		}
		target := filepath.Join(to, name)
		switch {
		case entry.IsDir():
			return os.Mkdir(target, 0o755)
		case entry.Type()&fs.ModeSymlink != 0:
			leads, err := os.Readlink(path)
			if err != nil {
				return err
			}
			return os.Symlink(leads, target)
		case entry.Type().IsRegular():
			if os.Link(path, target) == nil {
				return nil
			}
			// A file has only so many names, and not every file system has links.
			return copyFile(path, target, entry)
		}
		return fmt.Errorf("%s is no file", name)
	})
}

func copyFile(from, to string, entry fs.DirEntry) error {
	info, err := entry.Info()
	if err != nil {
		return err
	}
	source, err := os.Open(from)
	if err != nil {
		return err
	}
	defer source.Close()
	target, err := os.OpenFile(to, os.O_WRONLY|os.O_CREATE|os.O_EXCL, info.Mode().Perm())
	if err != nil {
		return err
	}
	_, err = io.Copy(target, source)
	return errors.Join(err, target.Close())
}
