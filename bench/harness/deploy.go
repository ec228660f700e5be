package harness

import (
	"context"

	function "github.com/scaleway/scaleway-sdk-go/api/function/v1beta1"
	"github.com/scaleway/scaleway-sdk-go/scw"

	"github.com/jeton-dev/jeton/test/deploy"
)

// Deploy creates a function, deploys files as its code, and waits until it is ready.
func (s *Server) Deploy(ctx context.Context, request *function.CreateFunctionRequest, files map[string]string) (*function.Function, error) {
	f, err := s.CreateFunction(request, scw.WithContext(ctx))
	if err != nil {
		return nil, err
	}
	return s.Redeploy(ctx, f.ID, files)
}

// Redeploy deploys files as a function's code, and waits until it is ready.
func (s *Server) Redeploy(ctx context.Context, id string, files map[string]string) (*function.Function, error) {
	archive, err := deploy.Archive(files)
	if err != nil {
		return nil, err
	}
	if err := deploy.Upload(ctx, s.API, id, archive); err != nil {
		return nil, err
	}
	return deploy.Uploaded(ctx, s.API, id, pollInterval)
}
