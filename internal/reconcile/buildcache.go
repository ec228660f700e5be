package reconcile

import (
	"context"
	"encoding/json"
	"errors"
	"path/filepath"

	"github.com/jeton-dev/jeton/internal/blob"
	"github.com/jeton-dev/jeton/internal/functions"
	"github.com/jeton-dev/jeton/internal/runtime"
	"github.com/jeton-dev/jeton/internal/tree"
)

// notes are stored with a build in the cache, as JSON.
type notes struct {
	Launch runtime.Launch `json:"launch"`
	Log    string         `json:"log"`
}

// cachedArtifact stores an earlier build of the same code as an artifact. It returns
// false if the cache has none or cannot be read.
func (r *Reconciler) cachedArtifact(ctx context.Context, f functions.Function, projectID string) (b built, ok bool, err error) {
	info, handler, err := parse(f)
	if err != nil {
		return built{}, false, err
	}
	name, ok := r.config.Builders.Name(projectID, info, handler, f.Target)
	if !ok {
		return built{}, false, nil
	}
	workspace, err := r.config.Artifacts.Workspace(ctx)
	if err != nil {
		return built{}, false, err
	}
	defer func() { r.logUnremoved(f, tree.Remove(workspace)) }()
	output := filepath.Join(workspace, "cached")
	encoded, err := r.config.BuildCache.Get(ctx, name, output)
	var kept notes
	if err == nil {
		err = json.Unmarshal(encoded, &kept)
	}
	if err != nil {
		if !errors.Is(err, blob.ErrNotFound) {
			r.config.Log.Error("a build in the cache cannot be used, the function is built again", "function_id", f.ID, "error", err)
		}
		return built{}, false, nil
	}
	if err := r.setBuildMessage(ctx, f, stepKeep); err != nil {
		return built{}, false, err
	}
	r.writeBuildLog(f, r.buildHeader(f), "The same archive was built before, with the same toolchain. The log of that build:\n\n"+kept.Log)
	b, err = r.storeArtifact(ctx, f, kept.Launch, output)
	return b, true, err
}

// cacheBuild stores a copy of a build for the next build of the same code. It logs a
// cache that cannot be written, and returns nil.
func (r *Reconciler) cacheBuild(ctx context.Context, f functions.Function, projectID, output string, launch runtime.Launch, log *runtime.BuildLog) error {
	info, handler, err := parse(f)
	if err != nil {
		return err
	}
	name, ok := r.config.Builders.Name(projectID, info, handler, f.Target)
	if !ok {
		return nil
	}
	encoded, err := json.Marshal(notes{Launch: launch, Log: buildLogText(log, nil)})
	if err != nil {
		return err
	}
	if err := r.config.BuildCache.Put(ctx, name, output, encoded); err != nil {
		r.config.Log.Error("a build could not be stored in the cache", "function_id", f.ID, "error", err)
	}
	return nil
}
