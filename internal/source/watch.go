package source

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"path/filepath"
	"time"

	"github.com/fsnotify/fsnotify"
)

// settle is how long a folder must be unchanged before a change is reported: editors write a
// file in several steps.
const settle = 25 * time.Millisecond

// Watch calls changed after each change of files in dir that are not ignored, with the time of
// the first event, until ctx ends. Several changes in short sequence are one. It calls ready
// once, when no further change can be missed.
func Watch(ctx context.Context, dir string, ready func(), changed func(first time.Time)) error {
	watcher, err := fsnotify.NewWatcher()
	if err != nil {
		return fmt.Errorf("watch %s: %w", dir, err)
	}
	defer func() { _ = watcher.Close() }()
	w := folderWatch{dir, watcher, Ignore{}}
	if err := w.begin(); err != nil {
		return err
	}
	ready()
	var first time.Time
	var quiet <-chan time.Time
	for {
		select {
		case <-ctx.Done():
			return nil
		case err := <-watcher.Errors:
			// Events were lost.
			if !errors.Is(err, fsnotify.ErrEventOverflow) {
				return fmt.Errorf("watch %s: %w", dir, err)
			}
			first, quiet = time.Now(), time.After(settle)
		case event := <-watcher.Events:
			if !w.concerns(event) {
				continue
			}
			if first.IsZero() {
				first = time.Now()
			}
			quiet = time.After(settle)
		case <-quiet:
			if err := w.begin(); err != nil {
				return err
			}
			changed(first)
			first, quiet = time.Time{}, nil
		}
	}
}

type folderWatch struct {
	dir     string
	watcher *fsnotify.Watcher
	ignore  Ignore
}

// begin reads the ignore file, and watches all folders that are not ignored. Folders that are
// watched already stay watched.
func (w *folderWatch) begin() (err error) {
	if w.ignore, err = LoadIgnore(w.dir); err != nil {
		return err
	}
	return filepath.WalkDir(w.dir, func(path string, entry fs.DirEntry, err error) error {
		if errors.Is(err, fs.ErrNotExist) && path != w.dir {
			return nil
		}
		if err != nil || !entry.IsDir() {
			return err
		}
		if path != w.dir && w.ignored(path) && w.ignore.prunes() {
			return fs.SkipDir
		}
		if err := w.watcher.Add(path); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return fmt.Errorf("watch %s: %w: raise fs.inotify.max_user_watches, or add folders to %s", path, err, IgnoreFile)
		}
		return nil
	})
}

func (w *folderWatch) ignored(path string) bool {
	name, err := filepath.Rel(w.dir, path)
	return err != nil || w.ignore.Match(name)
}

// concerns reports whether an event changes the code or what belongs to it.
func (w *folderWatch) concerns(event fsnotify.Event) bool {
	if event.Op == fsnotify.Chmod {
		return false
	}
	base := filepath.Base(event.Name)
	return base == IgnoreFile || base == ProjectFile || !w.ignored(event.Name)
}
