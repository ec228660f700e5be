package stage

import (
	"archive/zip"
	"bytes"
	"context"
	"fmt"
	"net/http"
	"strings"
	"time"

	function "github.com/scaleway/scaleway-sdk-go/api/function/v1beta1"
	"github.com/scaleway/scaleway-sdk-go/scw"
)

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
	if _, err := api.DeployFunction(&function.DeployFunctionRequest{FunctionID: id}, scw.WithContext(ctx)); err != nil {
		return nil, err
	}
	poll, limit := 2*time.Millisecond, 10*time.Minute
	f, err := api.WaitForFunction(&function.WaitForFunctionRequest{FunctionID: id, RetryInterval: &poll, Timeout: &limit}, scw.WithContext(ctx))
	if err == nil && f.Status != function.FunctionStatusReady {
		message := ""
		if f.ErrorMessage != nil {
			message = *f.ErrorMessage
		}
		err = fmt.Errorf("deploy function %s: %s: %s", id, f.Status, message)
	}
	return f, err
}

// Upload packs files into an archive, and uploads it.
func Upload(ctx context.Context, api *function.API, id string, files map[string]string) error {
	var archive bytes.Buffer
	writer := zip.NewWriter(&archive)
	for name, content := range files {
		file, err := writer.Create(name)
		if err != nil {
			return err
		}
		if _, err := file.Write([]byte(content)); err != nil {
			return err
		}
	}
	if err := writer.Close(); err != nil {
		return err
	}
	target, err := api.GetFunctionUploadURL(&function.GetFunctionUploadURLRequest{FunctionID: id, ContentLength: uint64(archive.Len())}, scw.WithContext(ctx))
	if err != nil {
		return err
	}
	request, err := http.NewRequestWithContext(ctx, http.MethodPut, target.URL, &archive)
	if err != nil {
		return err
	}
	for name, values := range target.Headers {
		if !strings.EqualFold(name, "content-length") {
			request.Header[http.CanonicalHeaderKey(name)] = *values
		}
	}
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		return err
	}
	defer response.Body.Close()
	if response.StatusCode != http.StatusOK {
		return fmt.Errorf("upload: %s", response.Status)
	}
	return nil
}
