package main

import (
	"context"
	"strings"

	function "github.com/scaleway/scaleway-sdk-go/api/function/v1beta1"

	"github.com/jeton-dev/jeton/internal/admin"
	"github.com/jeton-dev/jeton/internal/remote"
	"github.com/jeton-dev/jeton/internal/server"
)

// stored returns the tokens with the time of their last use. It returns false
// for a request without an ID, and unless the server
// runs on this machine and this user may use its admin socket: Scaleway's API has no such field.
func (*listTokensCommand) stored(ctx context.Context, dataDir string, s *remote.Server, request *function.ListTokensRequest) ([]admin.Token, bool) {
	endpoints, serving := server.Reach(dataDir)
	if request.FunctionID == nil && request.NamespaceID == nil {
		return nil, false
	}
	if !serving || strings.TrimRight(endpoints.API, "/") != s.URL {
		return nil, false
	}
	tokens, err := admin.NewClient(endpoints.Admin).Tokens(ctx, text(request.NamespaceID), text(request.FunctionID))
	return tokens, err == nil
}

// adoption returns when an imported token was first used.
func adoption(t admin.Token) string {
	if t.Issuer == "" {
		return "-"
	}
	return formatTime(t.AdoptedAt, "no")
}
