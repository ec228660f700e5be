package deploy

import (
	"context"
	"fmt"
	"time"

	function "github.com/scaleway/scaleway-sdk-go/api/function/v1beta1"
	"github.com/scaleway/scaleway-sdk-go/scw"
)

const (
	// often is how often is asked whether a new function serves.
	often = 20 * time.Millisecond
	// patience is how long a deployment may take: a compiler may have a crate and
	// all that it needs to build, beside others.
	patience = 10 * time.Minute
)

// Function makes a function of some files, and waits until it serves.
func Function(ctx context.Context, api *function.API, request *function.CreateFunctionRequest, files map[string]string) (*function.Function, error) {
	f, err := api.CreateFunction(request, scw.WithContext(ctx))
	if err != nil {
		return nil, err
	}
	archive, err := Archive(files)
	if err != nil {
		return nil, err
	}
	if err := Upload(ctx, api, f.ID, archive); err != nil {
		return nil, err
	}
	return Uploaded(ctx, api, f.ID, often)
}

// Uploaded deploys what was uploaded last, and waits until it serves, which it
// asks for at an interval.
func Uploaded(ctx context.Context, api *function.API, id string, interval time.Duration) (*function.Function, error) {
	if _, err := api.DeployFunction(&function.DeployFunctionRequest{FunctionID: id}, scw.WithContext(ctx)); err != nil {
		return nil, err
	}
	limit := patience
	f, err := api.WaitForFunction(&function.WaitForFunctionRequest{FunctionID: id, RetryInterval: &interval, Timeout: &limit}, scw.WithContext(ctx))
	if err == nil && f.Status != function.FunctionStatusReady {
		message := ""
		if f.ErrorMessage != nil {
			message = *f.ErrorMessage
		}
		err = fmt.Errorf("deploy function %s: %s: %s", f.Name, f.Status, message)
	}
	return f, err
}
