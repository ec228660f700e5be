package server

import (
	"context"
	"fmt"

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

// buildLogs keeps what builds print.
type buildLogs struct{ logs *output.Logs }

func (b buildLogs) WriteBuild(f functions.Function, text string) error {
	return b.logs.WriteBuild(output.Function{ID: f.ID, Name: f.Name, Namespace: f.NamespaceID}, text)
}

func (b buildLogs) Remove(functionID string) error { return b.logs.Remove(functionID) }
