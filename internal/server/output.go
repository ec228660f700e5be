package server

import (
	"context"
	"fmt"
	"time"

	"github.com/jeton-dev/jeton/internal/api"
	"github.com/jeton-dev/jeton/internal/engine"
	"github.com/jeton-dev/jeton/internal/functions"
	"github.com/jeton-dev/jeton/internal/output"
)

// openOutput opens the logs of functions.
func (s *Server) openOutput(context.Context) error {
	logs, err := output.Open(s.path(output.Dir), s.config.LogSize)
	if err != nil {
		return fmt.Errorf("logs of functions: %w", err)
	}
	s.output = logs
	s.opens(logs)
	return nil
}

// keepLine keeps what an instance has printed.
func (s *Server) keepLine(line engine.Line) {
	err := s.output.Append(output.Entry{
		At: s.config.Now(), Function: line.FunctionID, Revision: line.RevisionID, Instance: line.InstanceID,
		RequestID: s.scaler.Serving(line.RevisionID, line.InstanceID), Stream: line.Stream, Text: line.Text,
	})
	// A full disk is told of once, and not for every line.
	if failing := err != nil; s.outputFails.Swap(failing) != failing && failing {
		s.log.Error("what functions print cannot be kept", "function_id", line.FunctionID, "error", err)
	}
}

// buildLogs keeps what builds print.
type buildLogs struct{ logs *output.Logs }

func (b buildLogs) WriteBuild(f functions.Function, text string) error {
	return b.logs.WriteBuild(output.Function{ID: f.ID, Name: f.Name, Namespace: f.NamespaceID}, text)
}

func (b buildLogs) Remove(functionID string) error { return b.logs.Remove(functionID) }

// functionLogs reads what functions have printed, for the API.
type functionLogs struct{ dir string }

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
