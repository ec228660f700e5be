package reconcile

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"golang.org/x/sys/unix"

	"github.com/jeton-dev/jeton/internal/archive"
	"github.com/jeton-dev/jeton/internal/blob"
	"github.com/jeton-dev/jeton/internal/functions"
	"github.com/jeton-dev/jeton/internal/runtime"
	"github.com/jeton-dev/jeton/internal/tree"
)

// The messages of a build's steps, and how a failed one begins, are the real
// service's, from recorded traffic.
const (
	stepPrepare = "step 1 of 3: function build preparation in progress"
	stepBuild   = "step 2 of 3: function build in progress"
	stepKeep    = "step 3 of 3: function image is being pushed to container registry"

	buildFailed = "an error occurred during function source code build step"
)

// built is what a build leaves behind.
type built struct {
	artifact string
	launch   []byte
}

// artifact returns what was built of the function's code, and builds it unless
// the serving revision was built of the same. The artifact is held under its
// own name.
func (r *Reconciler) artifact(ctx context.Context, f functions.Function, projectID string) (b built, err error) {
	if serving := f.Revision; !f.Rebuild && serving != nil && serving.Archive == f.Target && serving.Handler == f.Handler {
		r.live.hold(f.ID, serving.Artifact, serving.Artifact)
		has, err := r.Artifacts.Has(ctx, blob.Ref{FunctionID: f.ID, Name: serving.Artifact})
		if err == nil && has {
			return built{artifact: serving.Artifact, launch: serving.Launch}, nil
		}
		r.live.release(f.ID, serving.Artifact)
		if err != nil {
			return built{}, err
		}
	}
	if !f.FromScratch {
		if b, ok, err := r.cached(ctx, f, projectID); ok || err != nil {
			return b, err
		}
	}
	// The first turn bounds how many builds have something on the disk, the second
	// one how many work. A build that waits for the network has the first one only.
	giveBegun, err := r.begun.take(ctx, projectID, false)
	if err != nil {
		return built{}, err
	}
	defer giveBegun()
	give, err := r.building.take(ctx, projectID, false)
	if err != nil {
		return built{}, err
	}
	turn := &turn{reconciler: r, projectID: projectID, give: give}
	defer func() { turn.give() }()
	w, err := r.workspace(ctx)
	if err != nil {
		return built{}, err
	}
	defer func() { err = errors.Join(err, w.close()) }()
	ctx, end := r.begin(ctx, Build, f)
	b, err = r.limitedBuild(ctx, f, w, turn)
	end(resultOf(ctx, err))
	return b, err
}

// A turn is that of one build to work.
type turn struct {
	reconciler *Reconciler
	projectID  string
	// give gives the place back; it may be called again.
	give   func()
	budget *budget
}

// download lets another build work while a step waits for the network. Neither
// waiting for the step nor for the next turn counts as time of the build.
func (t *turn) download(ctx context.Context, step func(context.Context) error) error {
	t.give()
	t.budget.pause()
	defer t.budget.resume()
	giveDownload, err := t.reconciler.downloading.take(ctx, t.projectID, false)
	if err != nil {
		return err
	}
	t.budget.resume()
	stepErr := step(ctx)
	giveDownload()
	t.budget.pause()
	give, err := t.reconciler.building.take(ctx, t.projectID, true)
	if err != nil {
		return errors.Join(stepErr, err)
	}
	t.give = give
	return stepErr
}

// limitedBuild builds within the time and the disk that a build may take. What its
// author can put right is a fault.
func (r *Reconciler) limitedBuild(ctx context.Context, f functions.Function, w *workspace, t *turn) (built, error) {
	cache, done, err := r.Caches.Use(ctx, t.projectID)
	if err != nil {
		return built{}, err
	}
	defer done()
	timed, budget := newBudget(ctx, r.BuildTimeout)
	defer budget.end()
	t.budget = budget
	limited, stop := r.watch(timed, w, cache)
	defer stop()
	log := &runtime.BuildLog{}
	b, err := r.build(limited, f, w, cache, t, log)
	if context.Cause(limited) == nil && r.overgrown(ctx, cache) {
		if err == nil {
			r.live.release(f.ID, b.artifact)
		}
		err = errors.Join(err, errCache)
	}
	if ctx.Err() == nil {
		r.tell(f, log, err)
	}
	if err == nil || ctx.Err() != nil {
		return b, err
	}
	cause := context.Cause(limited)
	switch {
	case errors.Is(cause, errDisk), errors.Is(err, errDisk), w.mounted && isNoSpace(err), w.full(ctx):
		return b, &fault{fmt.Sprintf("%s: it took more than %d MiB of disk, or made more than %d files and folders",
			buildFailed, r.BuildDisk>>20, tree.DefaultEntries)}
	case errors.Is(cause, errCache), errors.Is(err, errCache):
		return b, &fault{fmt.Sprintf("%s: it left more than %d MiB, or too many files and folders, in the cache of its project",
			buildFailed, r.BuildDisk>>20)}
	case errors.Is(cause, errTime):
		return b, &fault{fmt.Sprintf("%s: it took longer than %s", buildFailed, r.BuildTimeout)}
	}
	if e, ok := errors.AsType[*runtime.BuildError](err); ok {
		return b, &fault{buildFailed + ": " + e.Message}
	}
	if e, ok := errors.AsType[*archive.Error](err); ok {
		return b, &fault{buildFailed + ": " + e.Error()}
	}
	return b, err
}

// isNoSpace tells whether a build failed for the lack of space, in its tool's words
// or the system's.
func isNoSpace(err error) bool {
	return errors.Is(err, unix.ENOSPC) || strings.Contains(strings.ToLower(err.Error()), unix.ENOSPC.Error())
}

// build unpacks and builds the code within the workspace, and keeps the result.
func (r *Reconciler) build(ctx context.Context, f functions.Function, w *workspace, cache string, t *turn, log *runtime.BuildLog) (built, error) {
	info, handler, err := parse(f)
	if err != nil {
		return built{}, err
	}
	source, output := filepath.Join(w.disk, "source"), filepath.Join(w.disk, "output")
	if err := errors.Join(os.Mkdir(source, 0o755), os.Mkdir(output, 0o755)); err != nil {
		return built{}, err
	}
	if err := r.say(ctx, f, stepPrepare); err != nil {
		return built{}, err
	}
	if err := r.unpack(ctx, f, source); err != nil {
		return built{}, err
	}
	if err := r.say(ctx, f, stepBuild); err != nil {
		return built{}, err
	}
	launch, err := r.Builders.Build(ctx, runtime.Build{
		Runtime: info, Handler: handler, Source: source, Output: output, Cache: cache, Download: t.download, Log: log,
	})
	if err != nil {
		return built{}, err
	}
	result, err := w.result(ctx, output)
	if err != nil {
		return built{}, err
	}
	if err := r.cache(ctx, f, t.projectID, result, launch, log); err != nil {
		return built{}, err
	}
	if err := r.say(ctx, f, stepKeep); err != nil {
		return built{}, err
	}
	return r.keep(ctx, f, launch, result)
}

func parse(f functions.Function) (runtime.Runtime, runtime.Handler, error) {
	info, _ := runtime.Lookup(f.Runtime)
	handler, err := runtime.ParseHandler(info.Language, f.Handler)
	return info, handler, err
}

func (r *Reconciler) unpack(ctx context.Context, f functions.Function, into string) error {
	code, err := r.Archives.Open(ctx, f.ID, f.Target)
	if err != nil {
		return fmt.Errorf("open uploaded code: %w", err)
	}
	defer code.Close()
	return archive.Extract(ctx, code, code.Size(), into, archive.Limits{Packed: r.Limits.ArchiveSize})
}

func (r *Reconciler) keep(ctx context.Context, f functions.Function, launch runtime.Launch, output string) (built, error) {
	encoded, err := json.Marshal(launch)
	if err != nil {
		return built{}, err
	}
	name := r.NewID()
	r.live.hold(f.ID, name, name)
	if err := r.Artifacts.Put(ctx, blob.Ref{FunctionID: f.ID, Name: name}, output); err != nil {
		r.live.release(f.ID, name)
		return built{}, err
	}
	return built{artifact: name, launch: encoded}, nil
}

// say tells users how far the build is.
func (r *Reconciler) say(ctx context.Context, f functions.Function, message string) error {
	return r.advance(ctx, f, func(f *functions.Function) { f.BuildMessage = message })
}
