package deploy

import (
	"context"
	"fmt"
	"time"

	function "github.com/scaleway/scaleway-sdk-go/api/function/v1beta1"
	"github.com/scaleway/scaleway-sdk-go/scw"
)

const (
	// pollInterval is the interval at which Function reads the function's status.
	pollInterval = 20 * time.Millisecond
	// timeout is how long a deployment may take. It is long because Rust crates may
	// be compiled while the machine is busy.
	timeout = 10 * time.Minute
)

// Function creates a function, deploys files as its code, and waits until it is
// ready.
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
	return Uploaded(ctx, api, f.ID, pollInterval)
}

// Uploaded deploys the last uploaded archive of a function, and waits until the
// function is ready. It reads the status at an interval.
func Uploaded(ctx context.Context, api *function.API, id string, interval time.Duration) (*function.Function, error) {
	if _, err := api.DeployFunction(&function.DeployFunctionRequest{FunctionID: id}, scw.WithContext(ctx)); err != nil {
		return nil, err
	}
	limit := timeout
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
