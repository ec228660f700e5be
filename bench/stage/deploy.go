package stage

import (
	"context"
	"time"

	function "github.com/scaleway/scaleway-sdk-go/api/function/v1beta1"
	"github.com/scaleway/scaleway-sdk-go/scw"

	"github.com/jeton-dev/jeton/test/deploy"
)

// often is how often is asked whether a deployment has ended. It is short against
// what is measured.
const often = 2 * time.Millisecond

// Deploy makes a function of some files, and waits until it serves.
func Deploy(ctx context.Context, api *function.API, request *function.CreateFunctionRequest, files map[string]string) (*function.Function, error) {
	f, err := api.CreateFunction(request, scw.WithContext(ctx))
	if err != nil {
		return nil, err
	}
	if err := Upload(ctx, api, f.ID, files); err != nil {
		return nil, err
	}
	return Redeploy(ctx, api, f.ID)
}

// Redeploy deploys what was uploaded last, and waits until it serves.
func Redeploy(ctx context.Context, api *function.API, id string) (*function.Function, error) {
	return deploy.Uploaded(ctx, api, id, often)
}

// Upload packs files into an archive, and uploads it.
func Upload(ctx context.Context, api *function.API, id string, files map[string]string) error {
	archive, err := deploy.Archive(files)
	if err != nil {
		return err
	}
	return deploy.Upload(ctx, api, id, archive)
}
