package reconcile

import (
	"fmt"
	"time"

	"github.com/jeton-dev/jeton/internal/functions"
	"github.com/jeton-dev/jeton/internal/runtime"
)

// buildLogText returns the output of a build and its result.
func buildLogText(log *runtime.BuildLog, err error) string {
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

// writeBuildLog replaces the build log of a function.
func (r *Reconciler) writeBuildLog(f functions.Function, text string) {
	text = fmt.Sprintf("%s  runtime %s, handler %s, archive %s\n%s", r.config.Now().Format(time.RFC3339), f.Runtime, f.Handler, f.Target, text)
	if err := r.config.Logs.WriteBuild(f, text); err != nil {
		r.config.Log.Error("the log of a build could not be written", "function_id", f.ID, "error", err)
	}
}
