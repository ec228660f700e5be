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

// diskFolder is the folder of a workspace in which the build runs.
const diskFolder = "disk"

// ReleaseWorkspace unmounts the file system that a server which was killed left
// mounted in a workspace.
func ReleaseWorkspace(dir string) error { return volume.Unmount(filepath.Join(dir, diskFolder)) }

// A workspace holds the files of one build.
type workspace struct {
	// dir is on the file system of the artifacts. The build runs in disk, which is
	// a folder in dir.
	dir, disk string
	// mounted reports whether disk is a file system of its own with the size of
	// the limits.
	mounted bool
	limits  tree.Limits
}

// newWorkspace creates a workspace. If the machine cannot mount a file system for it,
// the limits are checked by measuring the files.
func (r *Reconciler) newWorkspace(ctx context.Context) (*workspace, error) {
	dir, err := r.config.Artifacts.Workspace(ctx)
	if err != nil {
		return nil, err
	}
	w := &workspace{dir: dir, disk: filepath.Join(dir, diskFolder), limits: tree.Limits{Bytes: r.config.BuildDisk, Entries: tree.DefaultEntries}}
	if err := os.Mkdir(w.disk, 0o755); err != nil {
		return nil, errors.Join(err, w.close())
	}
	if !r.config.Volumes || r.volumesFail.Load() {
		return w, nil
	}
	image := filepath.Join(dir, "image")
	err = volume.Mount(ctx, image, w.disk, w.limits.Bytes, w.limits.Entries)
	switch {
	case err == nil:
		w.mounted = true
		r.volumesWork.Store(true)
		return w, nil
	case ctx.Err() != nil:
		return nil, errors.Join(context.Cause(ctx), w.close())
	}
	if r.volumesWork.Load() {
		// Other builds had one, so only this build fails.
		return nil, errors.Join(fmt.Errorf("mount a file system for the build: %w", err), w.close())
	}
	if !r.volumesFail.Swap(true) {
		r.config.Log.Warn("builds cannot have a file system of their own: their disk space is measured twice a second instead", "error", err)
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

// errDisk ends a build that occupies too much disk space.
var errDisk = errors.New("build occupies too much disk space")

// exceedsLimit reports whether the build exceeds its limits. It returns false if that
// cannot be measured now, because result checks the limits again.
func (w *workspace) exceedsLimit(ctx context.Context) bool {
	if w.mounted {
		bytes, entries, err := volume.Used(w.disk)
		return err == nil && (bytes > w.limits.Bytes || entries >= w.limits.Entries)
	}
	_, err := tree.Measure(ctx, w.disk, w.limits)
	return errors.Is(err, tree.ErrLimit)
}

// result returns a folder with the output of the build on the file system of the
// artifacts. It is safe for users of this machine: without special files, set-user-ID
// bits and write permissions for others.
func (w *workspace) result(ctx context.Context, output string) (string, error) {
	dir := output
	var err error
	if w.mounted {
		dir = filepath.Join(w.dir, "result")
		err = tree.Copy(ctx, output, dir, tree.Options{Limits: w.limits})
	} else if _, err = tree.Measure(ctx, output, w.limits); err == nil {
		err = tree.Clean(ctx, output)
	}
	if errors.Is(err, tree.ErrLimit) {
		return "", errDisk
	}
	if err != nil {
		return "", fmt.Errorf("copy the result of the build: %w", err)
	}
	return dir, nil
}

const (
	// mountedInterval and measuredInterval are the times between two checks of a
	// limit: by the counters of a file system, or by measuring all files.
	mountedInterval  = 50 * time.Millisecond
	measuredInterval = 500 * time.Millisecond
	// checkPause is the minimum pause after a check, in multiples of its duration.
	checkPause = 3
)

// watchDisk returns a context that ends with errDisk when the build occupies too much
// disk space, and with errCache when the cache of its project grows too large. The
// caller calls stop.
func (r *Reconciler) watchDisk(ctx context.Context, w *workspace, cache string) (limited context.Context, stop func()) {
	limited, cancel := context.WithCancelCause(ctx)
	interval := measuredInterval
	if w.mounted {
		interval = mountedInterval
	}
	ended := make(chan struct{}, 2)
	check := func(interval time.Duration, exceeded func() bool, cause error) {
		defer func() { ended <- struct{}{} }()
		timer := time.NewTimer(interval)
		defer timer.Stop()
		for {
			select {
			case <-limited.Done():
				return
			case <-timer.C:
			}
			began := time.Now()
			if exceeded() {
				cancel(cause)
				return
			}
			timer.Reset(max(interval, checkPause*time.Since(began)))
		}
	}
	go check(interval, func() bool { return w.exceedsLimit(limited) }, errDisk)
	go check(measuredInterval, func() bool { return r.cacheExceedsLimit(limited, cache) }, errCache)
	return limited, func() {
		cancel(nil)
		<-ended
		<-ended
	}
}

// errCache ends a build that leaves too much in the cache of its project.
var errCache = errors.New("build leaves too much in the cache of its project")

// cacheLimits returns the limits of the cache of a project during a build. The content
// from before the build counts too: Config.CacheLimit bounds it between builds.
func (r *Reconciler) cacheLimits() tree.Limits {
	return tree.Limits{Bytes: r.config.CacheLimit + r.config.BuildDisk, Entries: 4 * tree.DefaultEntries}
}

// cacheExceedsLimit reports whether the cache of a project is larger than a build may
// leave it.
func (r *Reconciler) cacheExceedsLimit(ctx context.Context, cache string) bool {
	_, err := tree.Measure(ctx, cache, r.cacheLimits())
	return errors.Is(err, tree.ErrLimit)
}
