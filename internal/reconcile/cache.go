package reconcile

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"path/filepath"
	"time"

	"github.com/jeton-dev/jeton/internal/blob"
	"github.com/jeton-dev/jeton/internal/functions"
	"github.com/jeton-dev/jeton/internal/runtime"
	"github.com/jeton-dev/jeton/internal/tree"
)

// notes are what is kept with a build in the cache.
type notes struct {
	Launch runtime.Launch `json:"launch"`
	Log    string         `json:"log"`
}

// cached makes an artifact of what was built before of the same, if anything was.
// A cache that fails is as good as an empty one.
func (r *Reconciler) cached(ctx context.Context, f functions.Function, projectID string) (b built, ok bool, err error) {
	info, handler, err := parse(f)
	if err != nil {
		return built{}, false, err
	}
	name, ok := r.Builders.Name(projectID, info, handler, f.Target)
	if !ok {
		return built{}, false, nil
	}
	workspace, err := r.Artifacts.Workspace(ctx)
	if err != nil {
		return built{}, false, err
	}
	defer func() { err = errors.Join(err, tree.Remove(workspace)) }()
	output := filepath.Join(workspace, "cached")
	encoded, err := r.Builds.Get(ctx, name, output)
	var kept notes
	if err == nil {
		err = json.Unmarshal(encoded, &kept)
	}
	if err != nil {
		if !errors.Is(err, blob.ErrNotFound) {
			r.Log.Error("a build in the cache cannot be used, and is made anew", "function_id", f.ID, "error", err)
		}
		return built{}, false, nil
	}
	if err := r.say(ctx, f, stepKeep); err != nil {
		return built{}, false, err
	}
	r.write(f, "The same archive was built before, with the same toolchain. The log of that build:\n\n"+kept.Log)
	b, err = r.keep(ctx, f, kept.Launch, output)
	return b, true, err
}

// cache keeps what was built for the next build of the same. Without room for that
// the build is none the worse.
func (r *Reconciler) cache(ctx context.Context, f functions.Function, projectID, output string, launch runtime.Launch, log *runtime.BuildLog) error {
	info, handler, err := parse(f)
	if err != nil {
		return err
	}
	name, ok := r.Builders.Name(projectID, info, handler, f.Target)
	if !ok {
		return nil
	}
	encoded, err := json.Marshal(notes{Launch: launch, Log: ended(log, nil)})
	if err != nil {
		return err
	}
	if err := r.Builds.Put(ctx, name, output, encoded); err != nil {
		r.Log.Error("a build cannot be kept for the next one", "function_id", f.ID, "error", err)
	}
	return nil
}

// tell keeps a build's log, and how it ended.
func (r *Reconciler) tell(f functions.Function, log *runtime.BuildLog, err error) {
	r.write(f, ended(log, err))
}

// ended is the text of a build's log when that is over.
func ended(log *runtime.BuildLog, err error) string {
	end := "The build succeeded."
	if err != nil {
		end = "The build failed: " + err.Error()
	}
	text := log.String()
	if text != "" && text[len(text)-1] != '\n' {
		text += "\n"
	}
	return text + end + "\n"
}

func (r *Reconciler) write(f functions.Function, text string) {
	text = fmt.Sprintf("%s  runtime %s, handler %s, archive %s\n%s", r.Now().Format(time.RFC3339), f.Runtime, f.Handler, f.Target, text)
	if err := r.Logs.WriteBuild(f, text); err != nil {
		r.Log.Error("the log of a build cannot be kept", "function_id", f.ID, "error", err)
	}
}
