package leave

import (
	"archive/zip"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"os"

	function "github.com/scaleway/scaleway-sdk-go/api/function/v1beta1"
	"github.com/scaleway/scaleway-sdk-go/scw"
)

// ErrNoCode means that no code was ever uploaded for a function.
var ErrNoCode = errors.New("the source has no code of the function")

// maxCode is the maximum size of a downloaded archive, in bytes. Scaleway's limit is 100
// MiB.
const maxCode = 512 << 20

// Code downloads the code of a function to a temporary file, which the caller closes and
// removes. It returns ErrNoCode if the source has none, and an error if the content is not
// a complete zip archive.
func (s *Source) Code(ctx context.Context, f *Function) (*os.File, error) {
	signed, err := s.downloadURL(ctx, f)
	if err != nil {
		return nil, err
	}
	var code *os.File
	for try := 1; ; try++ {
		if code, err = s.download(ctx, signed); err == nil {
			return code, nil
		}
		status, answered := errors.AsType[statusError](err)
		if answered && status == http.StatusNotFound {
			return nil, ErrNoCode
		}
		// The transport repeats requests; a transfer that breaks off is repeated here.
		if answered || try == 3 || ctx.Err() != nil {
			return nil, err
		}
	}
}

// HasCode returns ErrNoCode if the source has no code of the function.
func (s *Source) HasCode(ctx context.Context, f *Function) error {
	_, err := s.downloadURL(ctx, f)
	return err
}

func (s *Source) downloadURL(ctx context.Context, f *Function) (*function.DownloadURL, error) {
	signed, err := s.api.GetFunctionDownloadURL(&function.GetFunctionDownloadURLRequest{Region: f.Region, FunctionID: f.ID}, scw.WithContext(ctx))
	if e, refused := errors.AsType[*scw.ResponseError](err); refused && e.StatusCode == http.StatusNotFound {
		return nil, ErrNoCode
	}
	if err != nil {
		return nil, fmt.Errorf("request the download URL: %w", err)
	}
	return signed, nil
}

func (s *Source) download(ctx context.Context, signed *function.DownloadURL) (_ *os.File, err error) {
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, signed.URL, nil)
	if err != nil {
		return nil, errors.New("request the download URL: the answer is not a URL")
	}
	for name, values := range signed.Headers {
		if values != nil && http.CanonicalHeaderKey(name) != "Host" {
			request.Header[http.CanonicalHeaderKey(name)] = *values
		}
	}
	response, err := s.http.Do(request)
	if err != nil {
		return nil, fmt.Errorf("download the code: %w", withoutURL(err))
	}
	defer response.Body.Close()
	if response.StatusCode != http.StatusOK {
		return nil, statusError(response.StatusCode)
	}
	code, err := os.CreateTemp("", "jeton-import-*.zip")
	if err != nil {
		return nil, err
	}
	defer func() {
		if err != nil {
			discard(code)
		}
	}()
	size, err := io.Copy(code, io.LimitReader(response.Body, maxCode+1))
	if err != nil {
		return nil, fmt.Errorf("download the code: %w", err)
	}
	if size > maxCode {
		return nil, fmt.Errorf("download the code: it is larger than %d bytes", maxCode)
	}
	if _, err := zip.NewReader(code, size); err != nil {
		return nil, fmt.Errorf("download the code: the content of %d bytes is not a zip archive", size)
	}
	_, err = code.Seek(0, io.SeekStart)
	return code, err
}

// discard closes and removes a temporary file.
func discard(f *os.File) {
	f.Close()
	_ = os.Remove(f.Name())
}

// withoutURL removes the signed URL, which is a credential, from an error.
func withoutURL(err error) error {
	if e, ok := errors.AsType[*url.Error](err); ok {
		return e.Err
	}
	return err
}
