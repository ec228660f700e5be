package main

import (
	"context"
	"strings"

	function "github.com/scaleway/scaleway-sdk-go/api/function/v1beta1"

	"github.com/jeton-dev/jeton/internal/admin"
	"github.com/jeton-dev/jeton/internal/remote"
	"github.com/jeton-dev/jeton/internal/server"
)

// stored returns the tokens by ID, with the time of their last use. It returns nil unless the
// server runs on this machine and this user may use its admin socket: the API of Scaleway has no
// such field.
func (*listTokensCommand) stored(ctx context.Context, dataDir string, s *remote.Server, request *function.ListTokensRequest) map[string]admin.Token {
	endpoints, serving := server.Reach(dataDir)
	if !serving || strings.TrimRight(endpoints.API, "/") != s.URL {
		return nil
	}
	tokens, err := admin.NewClient(endpoints.Admin).Tokens(ctx, text(request.NamespaceID), text(request.FunctionID))
	if err != nil {
		return nil
	}
	stored := map[string]admin.Token{}
	for _, t := range tokens {
		stored[t.ID] = t
	}
	return stored
}
