package client

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/textproto"
	"net/url"
	"os"
	"strconv"

	function "github.com/scaleway/scaleway-sdk-go/api/function/v1beta1"

	"github.com/jeton-dev/jeton/internal/provider/regional"
)

// MaxArchiveBytes is the largest archive that the service takes, from Scaleway's
// documentation of 2026. It answers to a larger one in words that do not say so.
const MaxArchiveBytes = 100 << 20

// Upload hands the archive at path to the service as the new code of a function,
// and returns the archive's digest. It deploys nothing.
func (c *Client) Upload(ctx context.Context, id regional.ID, path string) (string, error) {
	file, size, err := openArchive(path)
	if err != nil {
		return "", err
	}
	defer func() { _ = file.Close() }()
	digest, err := digestOf(file)
	if err != nil {
		return "", fmt.Errorf("read %s: %w", path, err)
	}
	target, err := c.functions.GetFunctionUploadURL(&function.GetFunctionUploadURLRequest{
		Region:        id.Region,
		FunctionID:    id.UUID,
		ContentLength: uint64(size),
	}, Context(ctx))
	if err != nil {
		return "", fmt.Errorf("ask where to upload %s: %w", path, err)
	}
	if err := c.put(ctx, target, file, size); err != nil {
		return "", fmt.Errorf("upload %s: %w", path, err)
	}
	return digest, nil
}

func openArchive(path string) (*os.File, int64, error) {
	file, err := os.Open(path)
	if err != nil {
		return nil, 0, err
	}
	info, err := file.Stat()
	if err == nil {
		err = checkArchive(info)
	}
	if err != nil {
		_ = file.Close()
		return nil, 0, fmt.Errorf("%s: %w", path, err)
	}
	return file, info.Size(), nil
}

func checkArchive(info os.FileInfo) error {
	switch {
	case !info.Mode().IsRegular():
		return errors.New("it is no regular file: name a zip archive")
	case info.Size() == 0:
		return errors.New("it is empty: name a zip archive that holds the function's code")
	case info.Size() > MaxArchiveBytes:
		return fmt.Errorf("it has %d bytes and the service takes at most %d: leave out what the function does not need", info.Size(), MaxArchiveBytes)
	default:
		return nil
	}
}

// put sends the archive with the headers that the API returned and no other.
// The host is whichever the API names, so the secret key has no business there.
func (c *Client) put(ctx context.Context, target *function.UploadURL, archive io.ReaderAt, size int64) error {
	req, err := archiveRequest(ctx, http.MethodPut, target.URL)
	if err != nil {
		return err
	}
	req.GetBody = func() (io.ReadCloser, error) {
		return io.NopCloser(io.NewSectionReader(archive, 0, size)), nil
	}
	req.ContentLength = size
	if err := setHeaders(req, target.Headers); err != nil {
		return err
	}
	resp, err := c.uploads.Do(req)
	if err != nil {
		return err
	}
	defer func() { _ = resp.Body.Close() }()
	if resp.StatusCode != http.StatusOK {
		return readError(req, resp)
	}
	_ = readBounded(resp.Body, maxErrorBody)
	return nil
}

// archiveRequest returns a request to where the API keeps archives. The URL is
// signed, so that no error may hold it.
func archiveRequest(ctx context.Context, method, address string) (*http.Request, error) {
	errUnusable := errors.New("the API returned no usable URL for the archive")
	u, err := url.Parse(address)
	if err != nil || u.Host == "" || (u.Scheme != "https" && u.Scheme != "http") {
		return nil, errUnusable
	}
	req, err := http.NewRequestWithContext(ctx, method, address, http.NoBody)
	if err != nil {
		return nil, errUnusable
	}
	return req, nil
}

// setHeaders sets what was returned. net/http takes the length and the host from
// fields of the request, and adds its own User-Agent unless there is one, which
// may be empty.
func setHeaders(req *http.Request, headers map[string]*[]string) error {
	req.Header.Set("User-Agent", "")
	for name, values := range headers {
		if values == nil || len(*values) == 0 {
			continue
		}
		switch name := textproto.CanonicalMIMEHeaderKey(name); name {
		case "Content-Length":
			if (*values)[0] != strconv.FormatInt(req.ContentLength, 10) {
				return fmt.Errorf("the API asks for an upload of %q bytes and the archive has %d", (*values)[0], req.ContentLength)
			}
		case "Host":
			req.Host = (*values)[0]
		default:
			req.Header[name] = *values
		}
	}
	return nil
}
