package server

import (
	"context"

	"github.com/jeton-dev/jeton/internal/iam"
	"github.com/jeton-dev/jeton/internal/store/postgres"
)

// shareAttempts makes wrong API keys at one server of a database count at all of them,
// until ctx ends.
func (s *Server) shareAttempts(ctx context.Context) error {
	shared, ok := s.store.(*postgres.Store)
	if !ok {
		return nil
	}
	return s.attempts.Share(ctx, iam.ShareConfig{With: shared.Attempts(), Now: s.clock.Now, Log: s.log})
}
