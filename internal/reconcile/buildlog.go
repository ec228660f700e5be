package reconcile

import (
	"fmt"
	"time"

	"github.com/jeton-dev/jeton/internal/functions"
	"github.com/jeton-dev/jeton/internal/runtime"
)

// buildStart is the format of the time at the start of a build log.
const buildStart = "2006-01-02T15:04:05.000Z07:00"

// A runningBuild is the log of a build that has not ended.
type runningBuild struct {
	header string
	log    *runtime.BuildLog
}

// beginBuildLog returns the log of a build that starts now. RunningBuild returns it until end
// is called.
func (r *Reconciler) beginBuildLog(f functions.Function) (b runningBuild, end func()) {
	b = runningBuild{header: r.buildHeader(f), log: &runtime.BuildLog{}}
	r.running.Store(f.ID, b)
	return b, func() { r.running.CompareAndDelete(f.ID, b) }
}

// RunningBuild returns the log of the build of a function that runs now, and whether there is
// one. It is safe for concurrent use.
func (r *Reconciler) RunningBuild(functionID string) (string, bool) {
	running, _ := r.running.Load(functionID)
	b, ok := running.(runningBuild)
	if !ok {
		return "", false
	}
	return b.header + b.log.String(), true
}

// BuildStartedAt returns the time at which the build with a log started; zero if it is
// unknown.
func BuildStartedAt(log string) time.Time {
	at, _ := time.Parse(buildStart, log[:min(len(log), len("2006-01-02T15:04:05.000Z"))])
	return at
}

func (r *Reconciler) buildHeader(f functions.Function) string {
	return fmt.Sprintf("%s  runtime %s, handler %s, archive %s\n", r.config.Now().UTC().Format(buildStart), f.Runtime, f.Handler, f.Target)
}

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

// writeBuildLog replaces the build log of a function by a header and a text.
func (r *Reconciler) writeBuildLog(f functions.Function, header, text string) {
	if err := r.config.Logs.WriteBuild(f, header+text); err != nil {
		r.config.Log.Error("the log of a build could not be written", "function_id", f.ID, "error", err)
	}
}
