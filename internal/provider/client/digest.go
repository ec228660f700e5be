package client

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"net/http"

	function "github.com/scaleway/scaleway-sdk-go/api/function/v1beta1"

	"github.com/jeton-dev/jeton/internal/provider/regional"
)

// ArchiveDigest returns the SHA-256 of the archive at path, in hex. What is no
// archive that Upload would take is an error.
func ArchiveDigest(path string) (string, error) {
	file, _, err := openArchive(path)
	if err != nil {
		return "", err
	}
	defer func() { _ = file.Close() }()
	return digestOf(file)
}

// CodeDigest reads back the archive that the service has of a function, and
// returns its digest. A function without code is an error.
func (c *Client) CodeDigest(ctx context.Context, id regional.ID) (string, error) {
	source, err := c.functions.GetFunctionDownloadURL(&function.GetFunctionDownloadURLRequest{Region: id.Region, FunctionID: id.UUID}, Context(ctx))
	if err != nil {
		return "", fmt.Errorf("ask where to download the code: %w", err)
	}
	req, err := archiveRequest(ctx, http.MethodGet, source.URL)
	if err != nil {
		return "", err
	}
	if err := setHeaders(req, source.Headers); err != nil {
		return "", err
	}
	resp, err := c.uploads.Do(req)
	if err != nil {
		return "", fmt.Errorf("download the code: %w", err)
	}
	defer func() { _ = resp.Body.Close() }()
	return digestOf(resp.Body)
}

// digestOf reads at most what an archive may have.
func digestOf(archive io.Reader) (string, error) {
	hash := sha256.New()
	size, err := io.Copy(hash, io.LimitReader(archive, MaxArchiveBytes+1))
	if err != nil {
		return "", err
	}
	if size > MaxArchiveBytes {
		return "", errors.New("the archive is larger than the service takes")
	}
	return hex.EncodeToString(hash.Sum(nil)), nil
}
