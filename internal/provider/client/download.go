package client

import (
	"context"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"fmt"
	"net/http"
	"os"
	"strings"

	function "github.com/scaleway/scaleway-sdk-go/api/function/v1beta1"

	"github.com/jeton-dev/jeton/internal/provider/regional"
)

// digestHeader contains the digest of the body (RFC 9530). A Jeton server sends it
// with archives.
const digestHeader = "Repr-Digest"

// CodeArchive identifies the last uploaded archive of a function. If the service
// sends a digest and whole is false, the archive is not downloaded and its Content
// is "". A function without code is an error.
func (c *Client) CodeArchive(ctx context.Context, id regional.ID, whole bool) (Archive, error) {
	source, err := c.functions.GetFunctionDownloadURL(&function.GetFunctionDownloadURLRequest{Region: id.Region, FunctionID: id.UUID}, Context(ctx))
	if err != nil {
		return Archive{}, fmt.Errorf("get the download URL of the code: %w", err)
	}
	req, err := c.archiveRequest(ctx, http.MethodGet, source.URL)
	if err != nil {
		return Archive{}, err
	}
	if err := setHeaders(req, source.Headers); err != nil {
		return Archive{}, err
	}
	resp, err := c.archives.Do(req)
	if err != nil {
		return Archive{}, fmt.Errorf("download the code: %w", err)
	}
	defer func() { _ = resp.Body.Close() }()
	if digest := sentDigest(resp.Header); digest != "" && !whole {
		return Archive{Digest: digest}, nil
	}
	archive, err := download(resp)
	if err != nil {
		return Archive{}, fmt.Errorf("download the code: %w", err)
	}
	return archive, nil
}

// download identifies the archive in an answer. It stores the archive in a
// temporary file, since unpacking needs random access.
func download(resp *http.Response) (Archive, error) {
	file, err := os.CreateTemp("", "code-*.zip")
	if err != nil {
		return Archive{}, err
	}
	defer func() {
		_ = file.Close()
		_ = os.Remove(file.Name())
	}()
	// The sender bounds the body.
	size, err := file.ReadFrom(resp.Body)
	if err != nil {
		return Archive{}, err
	}
	return identify(file, size, Archive{})
}

// sentDigest returns the SHA-256 of the answer's digest header in hex, or "".
func sentDigest(header http.Header) string {
	for field := range strings.SplitSeq(header.Get(digestHeader), ",") {
		encoded, ok := strings.CutPrefix(strings.TrimSpace(field), "sha-256=:")
		if !ok {
			continue
		}
		digest, err := base64.StdEncoding.DecodeString(strings.TrimSuffix(encoded, ":"))
		if err == nil && len(digest) == sha256.Size {
			return hex.EncodeToString(digest)
		}
	}
	return ""
}
