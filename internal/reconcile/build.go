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
	"github.com/jeton-dev/jeton/internal/store"
	"github.com/jeton-dev/jeton/internal/tree"
)

// The build messages, and the start of the error message of a failed build, are the
// real service's, from recorded traffic.
const (
	stepPrepare = "step 1 of 3: function build preparation in progress"
	stepBuild   = "step 2 of 3: function build in progress"
	stepKeep    = "step 3 of 3: function image is being pushed to container registry"

	buildFailed = "an error occurred during function source code build step"
)

// built is the result of a build: the name of an artifact and the JSON of a
// runtime.Launch.
type built struct {
	artifact string
	launch   []byte
}

// artifact returns the artifact of the function's code. It builds one unless the
// serving revision or the build cache has it. The artifact is in use, with its own
// name as the holder, until the caller releases it.
func (r *Reconciler) artifact(ctx context.Context, f functions.Function, projectID string) (built, error) {
	if b, ok, err := r.servingArtifact(ctx, f); ok || err != nil {
		return b, err
	}
	if !f.FromScratch {
		if b, ok, err := r.cachedArtifact(ctx, f, projectID); ok || err != nil {
			return b, err
		}
	}
	return r.newArtifact(ctx, f, projectID)
}

// servingArtifact returns the artifact of the serving revision, if the deployment
// does not need another one.
func (r *Reconciler) servingArtifact(ctx context.Context, f functions.Function) (b built, ok bool, err error) {
	serving := f.Revision
	if f.Rebuild || serving == nil || serving.Archive != f.Target || serving.Handler != f.Handler {
		return built{}, false, nil
	}
	r.inUse.hold(f.ID, serving.Artifact, serving.Artifact)
	ok, err = r.config.Artifacts.Has(ctx, blob.Ref{FunctionID: f.ID, Name: serving.Artifact})
	if err != nil || !ok {
		r.inUse.release(f.ID, serving.Artifact)
		return built{}, false, err
	}
	return built{artifact: serving.Artifact, launch: serving.Launch}, true, nil
}

// newArtifact builds the function's code.
func (r *Reconciler) newArtifact(ctx context.Context, f functions.Function, projectID string) (b built, err error) {
	// A build that waits for the network has a workspace slot but no build slot, so
	// that others can run.
	releaseWorkspace, err := r.workspaces.acquire(ctx, projectID, false)
	if err != nil {
		return built{}, err
	}
	defer releaseWorkspace()
	release, err := r.builds.acquire(ctx, projectID, false)
	if err != nil {
		return built{}, err
	}
	slot := &buildSlot{reconciler: r, projectID: projectID, release: release}
	defer func() { slot.release() }()
	w, err := r.newWorkspace(ctx)
	if err != nil {
		return built{}, err
	}
	defer func() { r.logUnremoved(f, w.close()) }()
	ctx, end := r.begin(ctx, Build, f)
	b, err = r.limitedBuild(ctx, f, w, slot)
	end(resultOf(ctx, err))
	return b, err
}

// logUnremoved logs that the workspace of a build could not be removed. That does not
// fail the build: the next start of the server removes the workspace.
func (r *Reconciler) logUnremoved(f functions.Function, err error) {
	if err != nil {
		r.config.Log.Error("the workspace of a build could not be removed", "function_id", f.ID, "error", err)
	}
}

// A buildSlot is the slot of one build that runs.
type buildSlot struct {
	reconciler *Reconciler
	projectID  string
	// release may be called several times.
	release func()
	budget  *timeBudget
}

// download runs a step that waits for the network without the build slot. Waiting for
// slots does not count as time of the build.
func (s *buildSlot) download(ctx context.Context, step func(context.Context) error) error {
	s.release()
	s.budget.pause()
	defer s.budget.resume()
	releaseDownload, err := s.reconciler.downloads.acquire(ctx, s.projectID, false)
	if err != nil {
		return err
	}
	s.budget.resume()
	stepErr := step(ctx)
	releaseDownload()
	s.budget.pause()
	release, err := s.reconciler.builds.acquire(ctx, s.projectID, true)
	if err != nil {
		return errors.Join(stepErr, err)
	}
	s.release = release
	return stepErr
}

// limitedBuild builds within the limits of time and disk space. It returns a
// deploymentError for what the function's author can correct.
func (r *Reconciler) limitedBuild(ctx context.Context, f functions.Function, w *workspace, slot *buildSlot) (built, error) {
	cache, done, err := r.config.Caches.Use(ctx, slot.projectID)
	if err != nil {
		return built{}, err
	}
	defer done()
	timed, budget := newTimeBudget(ctx, r.config.BuildTimeout)
	defer budget.end()
	slot.budget = budget
	limited, stop := r.watchDisk(timed, w, cache)
	defer stop()
	running, endLog := r.beginBuildLog(f)
	defer endLog()
	b, err := r.build(limited, f, w, cache, slot, running.log)
	if context.Cause(limited) == nil && r.cacheExceedsLimit(ctx, cache) {
		if err == nil {
			r.inUse.release(f.ID, b.artifact)
		}
		err = errors.Join(err, errCache)
	}
	if ctx.Err() == nil && !errors.Is(err, store.ErrNotOwner) {
		r.writeBuildLog(f, running.header, buildLogText(running.log, err))
	}
	if err == nil || ctx.Err() != nil || errors.Is(err, store.ErrNotOwner) {
		return b, err
	}
	return b, r.buildFailure(ctx, context.Cause(limited), err, w)
}

// buildFailure returns a deploymentError for the error of a build, or the error itself
// if the function's author cannot correct it. Cause is what ended the context of the
// build, if anything did.
func (r *Reconciler) buildFailure(ctx context.Context, cause, err error, w *workspace) error {
	switch {
	case errors.Is(cause, errDisk), errors.Is(err, errDisk), w.mounted && isNoSpace(err), w.exceedsLimit(ctx):
		return &deploymentError{fmt.Sprintf("%s: the build used more than %d MiB of disk, or created more than %d files and folders",
			buildFailed, r.config.BuildDisk>>20, tree.DefaultEntries)}
	case errors.Is(cause, errCache), errors.Is(err, errCache):
		return &deploymentError{fmt.Sprintf("%s: the cache of the project has more than %d MiB, or more than %d files and folders, with what the build left in it",
			buildFailed, r.cacheLimits().Bytes>>20, r.cacheLimits().Entries)}
	case errors.Is(cause, errTime):
		return &deploymentError{fmt.Sprintf("%s: it took longer than %s", buildFailed, r.config.BuildTimeout)}
	}
	if e, ok := errors.AsType[*runtime.BuildError](err); ok {
		return &deploymentError{buildFailed + ": " + e.Message}
	}
	if e, ok := errors.AsType[*archive.Error](err); ok {
		return &deploymentError{buildFailed + ": " + e.Error()}
	}
	return err
}

// isNoSpace reports whether a file system was full. Tools print the message of the
// system.
func isNoSpace(err error) bool {
	return errors.Is(err, unix.ENOSPC) || strings.Contains(strings.ToLower(err.Error()), unix.ENOSPC.Error())
}

// build unpacks and builds the code within the workspace, and stores the result.
func (r *Reconciler) build(ctx context.Context, f functions.Function, w *workspace, cache string, slot *buildSlot, log *runtime.BuildLog) (built, error) {
	info, handler, err := parse(f)
	if err != nil {
		return built{}, err
	}
	source, output := filepath.Join(w.disk, "source"), filepath.Join(w.disk, "output")
	if err := errors.Join(os.Mkdir(source, 0o755), os.Mkdir(output, 0o755)); err != nil {
		return built{}, err
	}
	if err := r.setBuildMessage(ctx, f, stepPrepare); err != nil {
		return built{}, err
	}
	if err := r.unpack(ctx, f, source); err != nil {
		return built{}, err
	}
	if err := r.setBuildMessage(ctx, f, stepBuild); err != nil {
		return built{}, err
	}
	launch, err := r.config.Builders.Build(ctx, runtime.Build{
		Runtime: info, Handler: handler, Source: source, Output: output, Cache: cache, Download: slot.download, Log: log,
	})
	if err != nil {
		return built{}, err
	}
	result, err := w.result(ctx, output)
	if err != nil {
		return built{}, err
	}
	if err := r.cacheBuild(ctx, f, slot.projectID, result, launch, log); err != nil {
		return built{}, err
	}
	if err := r.setBuildMessage(ctx, f, stepKeep); err != nil {
		return built{}, err
	}
	return r.storeArtifact(ctx, f, launch, result)
}

// parse returns the runtime and handler of a function.
func parse(f functions.Function) (runtime.Runtime, runtime.Handler, error) {
	info, _ := runtime.Lookup(f.Runtime)
	handler, err := runtime.ParseHandler(info.Language, f.Handler)
	return info, handler, err
}

func (r *Reconciler) unpack(ctx context.Context, f functions.Function, into string) error {
	code, err := r.config.Archives.Open(ctx, f.ID, f.Target)
	if err != nil {
		return fmt.Errorf("open uploaded code: %w", err)
	}
	defer code.Close()
	return archive.Extract(ctx, code, code.Size(), into, archive.Limits{Packed: r.config.Limits.ArchiveSize})
}

// storeArtifact stores a folder as a new artifact, which is in use afterwards.
func (r *Reconciler) storeArtifact(ctx context.Context, f functions.Function, launch runtime.Launch, dir string) (built, error) {
	encoded, err := json.Marshal(launch)
	if err != nil {
		return built{}, err
	}
	name := r.config.NewID()
	r.inUse.hold(f.ID, name, name)
	if err := r.config.Artifacts.Put(ctx, blob.Ref{FunctionID: f.ID, Name: name}, dir); err != nil {
		r.inUse.release(f.ID, name)
		return built{}, err
	}
	return built{artifact: name, launch: encoded}, nil
}

// setBuildMessage shows users how far the build is.
func (r *Reconciler) setBuildMessage(ctx context.Context, f functions.Function, message string) error {
	generation := f.Generation
	return r.updateDeployment(ctx, f, func(_ functions.Tx, f *functions.Function) error {
		return f.SetBuildMessage(generation, message, r.config.Now())
	})
}
