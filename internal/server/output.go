package server

import (
	"context"
	"log/slog"
	"sync/atomic"
	"time"

	"github.com/jeton-dev/jeton/internal/api"
	"github.com/jeton-dev/jeton/internal/engine"
	"github.com/jeton-dev/jeton/internal/functions"
	"github.com/jeton-dev/jeton/internal/output"
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
	err := o.logs.Append(output.Entry{
		At: o.now(), Function: line.FunctionID, Revision: line.RevisionID, Instance: line.InstanceID,
		RequestID: o.requestOf(line.RevisionID, line.InstanceID), Stream: line.Stream, Text: line.Text,
	})
	// A full disk is logged once, not for every line.
	if failing := err != nil; o.fails.Swap(failing) != failing && failing {
		o.log.Error("the output of functions cannot be written", "function_id", line.FunctionID, "error", err)
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

// functionLogs implements api.Logs.
type functionLogs struct{ dir string }

// Lines implements api.Logs.
func (f functionLogs) Lines(
	ctx context.Context, functionID string, since time.Time, follow bool, report func(api.LogLine) error,
) error {
	each := func(e output.Entry, _ []byte) error {
		return report(api.LogLine{
			Message: e.Text, Timestamp: e.At, Stream: e.Stream, RevisionID: e.Revision, InstanceID: e.Instance, RequestID: e.RequestID,
		})
	}
	if follow {
		return output.Follow(ctx, f.dir, functionID, since, each)
	}
	return output.Read(f.dir, functionID, since, each)
}
