package reconcile

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"time"

	"github.com/jeton-dev/jeton/internal/tree"
	"github.com/jeton-dev/jeton/internal/volume"
)

// diskFolder is the folder of a workspace in which the build works.
const diskFolder = "disk"

// ReleaseWorkspace unmounts what a server that was killed has left mounted in a
// workspace.
func ReleaseWorkspace(dir string) error { return volume.Unmount(filepath.Join(dir, diskFolder)) }

// A workspace is where one build works.
type workspace struct {
	// dir is on the disk of the artifacts; disk, in it, is where the build works.
	dir, disk string
	// mounted is true if disk is a file system of its own, which holds no more than
	// the build may take.
	mounted bool
	limits  tree.Limits
}

// workspace makes one. Where there can be no file system for it, what the build takes
// is measured instead.
func (r *Reconciler) workspace(ctx context.Context) (*workspace, error) {
	dir, err := r.Artifacts.Workspace(ctx)
	if err != nil {
		return nil, err
	}
	w := &workspace{dir: dir, disk: filepath.Join(dir, diskFolder), limits: tree.Limits{Bytes: r.BuildDisk, Entries: tree.DefaultEntries}}
	if err := os.Mkdir(w.disk, 0o755); err != nil {
		return nil, errors.Join(err, w.close())
	}
	if !r.Volumes || r.unmountable.Load() {
		return w, nil
	}
	image := filepath.Join(dir, "image")
	err = volume.Mount(ctx, image, w.disk, w.limits.Bytes, w.limits.Entries)
	switch {
	case err == nil:
		w.mounted = true
		r.mountable.Store(true)
		return w, nil
	case ctx.Err() != nil:
		return nil, errors.Join(context.Cause(ctx), w.close())
	}
	if r.mountable.Load() {
		// It is this build's misfortune, and must not lift the bound of all others.
		return nil, errors.Join(fmt.Errorf("give the build a file system: %w", err), w.close())
	}
	if !r.unmountable.Swap(true) {
		r.Log.Warn("builds have no file system of their own: what they take of the disk is measured twice a second", "error", err)
	}
	return w, tree.Remove(image)
}

func (w *workspace) close() error {
	var err error
	if w.mounted {
		err = volume.Unmount(w.disk)
	}
	return errors.Join(err, tree.Remove(w.dir))
}

// errDisk ends a build that takes too much of the disk.
var errDisk = errors.New("build takes too much of the disk")

// full tells whether the build takes more than it may. What cannot be looked at now
// is looked at with the result.
func (w *workspace) full(ctx context.Context) bool {
	if w.mounted {
		bytes, entries, err := volume.Used(w.disk)
		return err == nil && (bytes > w.limits.Bytes || entries >= w.limits.Entries)
	}
	_, err := tree.Measure(ctx, w.disk, w.limits)
	return errors.Is(err, tree.ErrLimit)
}

// result returns the folder of what was built, on the disk of the artifacts, in which
// nothing is left that could harm a user of this machine.
func (w *workspace) result(ctx context.Context, output string) (string, error) {
	taken := output
	var err error
	if w.mounted {
		taken = filepath.Join(w.dir, "result")
		err = tree.Copy(ctx, output, taken, tree.Options{Limits: w.limits})
	} else if _, err = tree.Measure(ctx, output, w.limits); err == nil {
		err = tree.Clean(ctx, output)
	}
	if errors.Is(err, tree.ErrLimit) {
		return "", errDisk
	}
	if err != nil {
		return "", fmt.Errorf("take the result of the build: %w", err)
	}
	return taken, nil
}

const (
	// mountedTick and measuredTick are how often one looks how much a build takes: at
	// the numbers of a file system, or by a walk.
	mountedTick  = 50 * time.Millisecond
	measuredTick = 500 * time.Millisecond
	// rest is how many times as long as a look the pause behind it is at least.
	rest = 3
)

// watch returns a context that ends with errDisk when the build takes too much of the
// disk, and with errCache when its project's cache grows too much. Call stop when it
// is no longer needed.
func (r *Reconciler) watch(ctx context.Context, w *workspace, cache string) (limited context.Context, stop func()) {
	limited, cancel := context.WithCancelCause(ctx)
	tick := measuredTick
	if w.mounted {
		tick = mountedTick
	}
	ended := make(chan struct{}, 2)
	look := func(tick time.Duration, over func() bool, cause error) {
		defer func() { ended <- struct{}{} }()
		timer := time.NewTimer(tick)
		defer timer.Stop()
		for {
			select {
			case <-limited.Done():
				return
			case <-timer.C:
			}
			began := time.Now()
			if over() {
				cancel(cause)
				return
			}
			timer.Reset(max(tick, rest*time.Since(began)))
		}
	}
	go look(tick, func() bool { return w.full(limited) }, errDisk)
	go look(measuredTick, func() bool { return r.overgrown(limited, cache) }, errCache)
	return limited, func() {
		cancel(nil)
		<-ended
		<-ended
	}
}

// errCache ends a build that leaves too much in the cache of its project.
var errCache = errors.New("build leaves too much in the cache")

// overgrown tells whether the cache of a project is larger than a build may leave it.
// What was there before counts too: the cache is bounded between builds.
func (r *Reconciler) overgrown(ctx context.Context, cache string) bool {
	_, err := tree.Measure(ctx, cache, tree.Limits{Bytes: r.CacheLimit + r.BuildDisk, Entries: 4 * tree.DefaultEntries})
	return errors.Is(err, tree.ErrLimit)
}
