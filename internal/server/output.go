package server

import (
	"context"
	"log/slog"
	"net/http"
	"sync/atomic"
	"time"

	"github.com/jeton-dev/jeton/internal/api"
	"github.com/jeton-dev/jeton/internal/engine"
	"github.com/jeton-dev/jeton/internal/functions"
	"github.com/jeton-dev/jeton/internal/gateway"
	"github.com/jeton-dev/jeton/internal/output"
	"github.com/jeton-dev/jeton/internal/output/shared"
	"github.com/jeton-dev/jeton/internal/reconcile"
)

// outputRecorder writes the output of instances to the logs of functions.
type outputRecorder struct {
	logs *output.Logs
	// requestOf returns the ID of the request that an instance serves.
	requestOf func(revisionID, instanceID string) string
	now       func() time.Time
	log       *slog.Logger
	fails     atomic.Bool
}

// record is safe for concurrent use.
func (o *outputRecorder) record(line engine.Line) {
	o.write(output.Entry{
		At: o.now(), Function: line.FunctionID, Revision: line.RevisionID, Instance: line.InstanceID,
		RequestID: o.requestOf(line.RevisionID, line.InstanceID), Stream: line.Stream, Text: line.Text,
	})
}

func (o *outputRecorder) write(line output.Entry) {
	err := o.logs.Append(line)
	// A full disk is logged once, not for every line.
	if failing := err != nil; o.fails.Swap(failing) != failing && failing {
		o.log.Error("the output of functions cannot be written", "function_id", line.Function, "error", err)
	}
}

// buildLogs implements reconcile.Logs.
type buildLogs struct{ logs *output.Logs }

// WriteBuild implements reconcile.Logs.
func (b buildLogs) WriteBuild(f functions.Function, text string) error {
	return b.logs.WriteBuild(output.Function{ID: f.ID, Name: f.Name, Namespace: f.NamespaceID}, text)
}

// Remove implements reconcile.Logs.
func (b buildLogs) Remove(functionID string) error { return b.logs.Remove(functionID) }

// failedCalls writes to the log of a function why calls failed in an instance, such as a
// timeout. It implements gateway.Observer.
type failedCalls struct{ *outputRecorder }

// Begin implements gateway.Observer.
func (failedCalls) Begin(r *http.Request) *http.Request { return r }

// End implements gateway.Observer.
func (f failedCalls) End(_ *http.Request, o gateway.Outcome) {
	if o.Failure == nil || o.InstanceID == "" {
		return
	}
	f.write(output.Entry{
		At: f.now(), Function: o.FunctionID, Instance: o.InstanceID, RequestID: o.RequestID, Stream: output.System,
		Text: "the call failed after " + o.Ended.Sub(o.Acquired).Round(time.Millisecond).String() + ": " + o.Failure.Error(),
	})
}

// functionLogs implements api.Logs.
type functionLogs struct {
	dir string
	// running returns the log of the build of a function that runs now.
	running func(functionID string) (string, bool)

	// shared reads the logs of all nodes; nil if there is only this one.
	shared *shared.Logs

	*callFeed
}

// newFunctionLogs returns the logs of functions, and adds the routes of other nodes.
func newFunctionLogs(p parts) (functionLogs, error) {
	f := functionLogs{dir: p.folder.path(output.Dir), running: p.reconciler.RunningBuild, callFeed: p.feed}
	if p.peers == nil {
		return f, nil
	}
	var err error
	f.shared, err = shared.New(shared.Config{Dir: f.dir, Running: f.running, Others: p.node.Others, Do: p.peers.Do, Now: p.config.Now})
	if err != nil {
		return f, err
	}
	f.shared.Routes(p.peers.Handle)
	return f, nil
}

// Build implements api.Logs.
func (f functionLogs) Build(functionID string) (api.BuildLog, bool, error) {
	if f.shared != nil {
		return f.newestBuild(functionID)
	}
	text, ok := f.running(functionID)
	var err error
	if !ok {
		text, ok, err = output.BuildLog(f.dir, functionID)
	}
	return api.BuildLog{StartedAt: reconcile.BuildStartedAt(text), Log: text}, ok, err
}

// newestBuild returns the log of the latest build at any node.
func (f functionLogs) newestBuild(functionID string) (newest api.BuildLog, found bool, err error) {
	all, err := f.shared.Builds(functionID)
	for _, text := range all {
		at := reconcile.BuildStartedAt(text)
		if !found || at.After(newest.StartedAt) {
			newest, found = api.BuildLog{StartedAt: at, Log: text}, true
		}
	}
	return newest, found, err
}

// Lines implements api.Logs.
func (f functionLogs) Lines(
	ctx context.Context, functionID string, since time.Time, follow bool, report func(api.LogLine) error,
) error {
	each := func(e output.Entry, _ []byte) error {
		return report(api.LogLine{
			Message: e.Text, Timestamp: e.At, Stream: e.Stream, RevisionID: e.Revision, InstanceID: e.Instance, RequestID: e.RequestID,
		})
	}
	if f.shared != nil {
		return f.shared.Lines(ctx, functionID, since, follow, func(e output.Entry) error { return each(e, nil) })
	}
	if follow {
		return output.Follow(ctx, f.dir, functionID, since, each)
	}
	return output.Read(f.dir, functionID, since, each)
}
