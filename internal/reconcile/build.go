package reconcile

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"

	"github.com/jeton-dev/jeton/internal/archive"
	"github.com/jeton-dev/jeton/internal/blob"
	"github.com/jeton-dev/jeton/internal/functions"
	"github.com/jeton-dev/jeton/internal/runtime"
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
func (r *Reconciler) artifact(ctx context.Context, f functions.Function) (built, error) {
	if serving := f.Revision; !f.Rebuild && serving != nil && serving.Archive == f.Target && serving.Handler == f.Handler {
		r.live.hold(f.ID, serving.Artifact, serving.Artifact)
		if r.Artifacts.Has(f.ID, serving.Artifact) {
			return built{artifact: serving.Artifact, launch: serving.Launch}, nil
		}
		r.live.release(f.ID, serving.Artifact)
	}
	workspace, err := r.Artifacts.Workspace()
	if err != nil {
		return built{}, err
	}
	defer os.RemoveAll(workspace)
	if !f.FromScratch {
		if b, ok, err := r.cached(ctx, f, workspace); ok || err != nil {
			return b, err
		}
	}
	select {
	case r.building <- struct{}{}:
		defer func() { <-r.building }()
	case <-ctx.Done():
		return built{}, ctx.Err()
	}
	ctx, end := r.begin(ctx, Build, f)
	b, err := r.limitedBuild(ctx, f, workspace)
	end(resultOf(ctx, err))
	return b, err
}

// limitedBuild builds within the time that a build may take. What its author
// can put right is a fault.
func (r *Reconciler) limitedBuild(ctx context.Context, f functions.Function, workspace string) (built, error) {
	timed, cancel := context.WithTimeout(ctx, r.BuildTimeout)
	defer cancel()
	limited, stop := limitDisk(timed, workspace, r.BuildDisk)
	defer stop()
	log := &runtime.BuildLog{}
	b, err := r.build(limited, f, workspace, log)
	if ctx.Err() == nil {
		r.tell(f, log, err)
	}
	if err == nil || ctx.Err() != nil {
		return b, err
	}
	if errors.Is(context.Cause(limited), errDisk) || errors.Is(err, errDisk) {
		return b, &fault{fmt.Sprintf("%s: it took more than %d MiB of disk", buildFailed, r.BuildDisk>>20)}
	}
	if limited.Err() != nil {
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

// build unpacks and builds the code within the workspace, and keeps the result.
func (r *Reconciler) build(ctx context.Context, f functions.Function, workspace string, log *runtime.BuildLog) (built, error) {
	info, handler, err := parse(f)
	if err != nil {
		return built{}, err
	}
	source, output := filepath.Join(workspace, "source"), filepath.Join(workspace, "output")
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
	launch, err := r.Builders.Build(ctx, runtime.Build{Runtime: info, Handler: handler, Source: source, Output: output, Log: log})
	if err != nil {
		return built{}, err
	}
	size, err := blob.Size(output)
	if err != nil {
		return built{}, err
	}
	if size > r.BuildDisk {
		return built{}, errDisk
	}
	if err := r.cache(f, output, launch, log); err != nil {
		return built{}, err
	}
	if err := r.say(ctx, f, stepKeep); err != nil {
		return built{}, err
	}
	return r.keep(f, launch, output)
}

func parse(f functions.Function) (runtime.Runtime, runtime.Handler, error) {
	info, _ := runtime.Lookup(f.Runtime)
	handler, err := runtime.ParseHandler(info.Language, f.Handler)
	return info, handler, err
}

func (r *Reconciler) unpack(ctx context.Context, f functions.Function, into string) error {
	file, err := r.Archives.Open(f.ID, f.Target)
	if err != nil {
		return fmt.Errorf("open uploaded code: %w", err)
	}
	defer file.Close()
	info, err := file.Stat()
	if err != nil {
		return err
	}
	return archive.Extract(ctx, file, info.Size(), into, archive.Limits{Packed: r.Limits.ArchiveSize})
}

func (r *Reconciler) keep(f functions.Function, launch runtime.Launch, output string) (built, error) {
	encoded, err := json.Marshal(launch)
	if err != nil {
		return built{}, err
	}
	name := r.NewID()
	r.live.hold(f.ID, name, name)
	if err := r.Artifacts.Add(f.ID, name, output); err != nil {
		r.live.release(f.ID, name)
		return built{}, err
	}
	return built{artifact: name, launch: encoded}, nil
}

// say tells users how far the build is.
func (r *Reconciler) say(ctx context.Context, f functions.Function, message string) error {
	return r.advance(ctx, f, func(f *functions.Function) { f.BuildMessage = message })
}
