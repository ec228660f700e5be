package deploy

import (
	"archive/zip"
	"bytes"
	"context"
	"fmt"
	"io"
	"net/http"

	function "github.com/scaleway/scaleway-sdk-go/api/function/v1beta1"
	"github.com/scaleway/scaleway-sdk-go/scw"
)

// Archive returns a zip archive of files, given as path and content.
func Archive(files map[string]string) ([]byte, error) {
	var archive bytes.Buffer
	writer := zip.NewWriter(&archive)
	for name, content := range files {
		file, err := writer.Create(name)
		if err != nil {
			return nil, err
		}
		if _, err := io.WriteString(file, content); err != nil {
			return nil, err
		}
	}
	err := writer.Close()
	return archive.Bytes(), err
}

// Upload uploads an archive as the function's code. It does not deploy the code.
func Upload(ctx context.Context, api *function.API, id string, archive []byte) error {
	target, err := api.GetFunctionUploadURL(&function.GetFunctionUploadURLRequest{FunctionID: id, ContentLength: uint64(len(archive))}, scw.WithContext(ctx))
	if err != nil {
		return err
	}
	return Put(ctx, target, archive)
}

// Put sends an archive to the upload URL, with the headers that the API returned.
func Put(ctx context.Context, target *function.UploadURL, archive []byte) error {
	request, err := http.NewRequestWithContext(ctx, http.MethodPut, target.URL, bytes.NewReader(archive))
	if err != nil {
		return err
	}
	for name, values := range target.Headers {
		request.Header[http.CanonicalHeaderKey(name)] = *values
	}
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		return err
	}
	defer response.Body.Close()
	if response.StatusCode != http.StatusOK {
		body, _ := io.ReadAll(response.Body) // An incomplete message is still useful.
		return fmt.Errorf("upload: %s: %s", response.Status, body)
	}
	return nil
}
