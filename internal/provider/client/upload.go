package client

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"hash"
	"io"
	"net/http"
	"net/netip"
	"net/textproto"
	"net/url"
	"strconv"
	"strings"

	function "github.com/scaleway/scaleway-sdk-go/api/function/v1beta1"

	"github.com/jeton-dev/jeton/internal/provider/regional"
)

// errArchiveChanged is returned for a file that changed between its identification
// and its upload.
var errArchiveChanged = errors.New("file changed while it was uploaded: apply again once nothing writes to it")

// Upload sends the archive at path to the service as the new code of a function,
// and returns the archive's identity. It does not deploy the code. If the file
// changes during the upload, Upload returns an error and the service does not
// store the archive.
func (c *Client) Upload(ctx context.Context, id regional.ID, path string) (Archive, error) {
	file, size, err := openArchive(path)
	if err != nil {
		return Archive{}, err
	}
	defer func() { _ = file.Close() }()
	archive, err := identify(file, size, Archive{})
	if err != nil {
		return Archive{}, fmt.Errorf("read %s: %w", path, err)
	}
	target, err := c.functions.GetFunctionUploadURL(&function.GetFunctionUploadURLRequest{
		Region:        id.Region,
		FunctionID:    id.UUID,
		ContentLength: uint64(size),
	}, Context(ctx))
	if err != nil {
		return Archive{}, fmt.Errorf("get the upload URL for %s: %w", path, err)
	}
	body := func() io.ReadCloser {
		return &verifiedReader{from: io.NewSectionReader(file, 0, size), left: size, hash: sha256.New(), digest: archive.Digest}
	}
	if err := c.put(ctx, target, body, size); err != nil {
		return Archive{}, fmt.Errorf("upload %s: %w", path, err)
	}
	return archive, nil
}

// A verifiedReader reads an archive with a known digest. If the bytes do not have
// that digest, it returns errArchiveChanged instead of the last bytes, so that the
// receiver does not get a complete archive.
type verifiedReader struct {
	from   io.Reader
	left   int64
	hash   hash.Hash
	digest string
}

// Read implements io.Reader.
func (r *verifiedReader) Read(p []byte) (int, error) {
	n, err := r.from.Read(p)
	r.left -= int64(n)
	_, _ = r.hash.Write(p[:n]) // A hash never returns an error.
	switch {
	case err == io.EOF && r.left > 0:
		return 0, errArchiveChanged
	case r.left == 0 && n > 0 && hex.EncodeToString(r.hash.Sum(nil)) != r.digest:
		return 0, errArchiveChanged
	}
	return n, err
}

// Close implements io.Closer.
func (*verifiedReader) Close() error { return nil }

// put sends the archive with exactly the headers that the API returned. It does not
// send the secret key, because the API may name any host.
func (c *Client) put(ctx context.Context, target *function.UploadURL, body func() io.ReadCloser, size int64) error {
	req, err := c.archiveRequest(ctx, http.MethodPut, target.URL)
	if err != nil {
		return err
	}
	req.GetBody = func() (io.ReadCloser, error) { return body(), nil }
	req.ContentLength = size
	if err := setHeaders(req, target.Headers); err != nil {
		return err
	}
	resp, err := c.archives.Do(req)
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

// archiveRequest returns a request to the host that stores archives. No error
// contains the URL, which is signed. If the API's own URL is https, an http URL is
// refused unless its host is this machine: a server behind a proxy that terminates
// TLS may wrongly return one, and the code would be sent in clear.
func (c *Client) archiveRequest(ctx context.Context, method, address string) (*http.Request, error) {
	errUnusable := errors.New("the API returned no usable URL for the archive")
	u, err := url.Parse(address)
	if err != nil || u.Host == "" || (u.Scheme != "https" && u.Scheme != "http") {
		return nil, errUnusable
	}
	if u.Scheme == "http" && !strings.HasPrefix(c.apiURL, "http://") && !loopback(u.Hostname()) {
		return nil, fmt.Errorf("the API at %s returned a URL of %s for the archive that is not encrypted: "+
			"ask the server's operator to correct its public URL (jeton serve --api-url)", c.apiURL, u.Host)
	}
	req, err := http.NewRequestWithContext(ctx, method, address, http.NoBody)
	if err != nil {
		return nil, errUnusable
	}
	return req, nil
}

// loopback reports whether a host is a loopback address or a name of localhost.
func loopback(host string) bool {
	address, err := netip.ParseAddr(host)
	if err != nil {
		host = strings.ToLower(strings.TrimSuffix(host, "."))
		return host == "localhost" || strings.HasSuffix(host, ".localhost")
	}
	return address.Unmap().IsLoopback()
}

// setHeaders sets the headers that the API returned. net/http reads the length and
// the host from fields of the request, and adds its own User-Agent unless the
// header is set, which may be to "".
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
