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

// errArchiveChanged is returned for an archive whose bytes are not those that were
// read before.
var errArchiveChanged = errors.New("file changed while it was uploaded: apply again once nothing writes to it")

// Upload sends the archive at path to the service as the new code of a function,
// and identifies the archive. It deploys nothing. What it sends is what it
// identifies: a file that changes meanwhile is an error, and the service does not
// keep it.
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
		return Archive{}, fmt.Errorf("ask where to upload %s: %w", path, err)
	}
	body := func() io.ReadCloser {
		return &unchanged{from: io.NewSectionReader(file, 0, size), left: size, hash: sha256.New(), digest: archive.Digest}
	}
	if err := c.put(ctx, target, body, size); err != nil {
		return Archive{}, fmt.Errorf("upload %s: %w", path, err)
	}
	return archive, nil
}

// unchanged reads an archive that was read before. It fails before its last bytes
// if they are others than before, so that the receiver does not get a whole archive.
type unchanged struct {
	from   io.Reader
	left   int64
	hash   hash.Hash
	digest string
}

// Read implements io.Reader.
func (u *unchanged) Read(p []byte) (int, error) {
	n, err := u.from.Read(p)
	u.left -= int64(n)
	_, _ = u.hash.Write(p[:n]) // A hash returns no error.
	switch {
	case err == io.EOF && u.left > 0:
		return 0, errArchiveChanged
	case u.left == 0 && n > 0 && hex.EncodeToString(u.hash.Sum(nil)) != u.digest:
		return 0, errArchiveChanged
	}
	return n, err
}

// Close implements io.Closer.
func (*unchanged) Close() error { return nil }

// put sends the archive with the headers that the API returned and no other.
// The host is whichever the API names, so the secret key has no business there.
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
// signed, so that no error may contain it. Code that an API is asked for over https
// does not leave this machine over http: a server behind a proxy that terminates TLS
// may name itself by the scheme that it sees.
func (c *Client) archiveRequest(ctx context.Context, method, address string) (*http.Request, error) {
	errUnusable := errors.New("the API returned no usable URL for the archive")
	u, err := url.Parse(address)
	if err != nil || u.Host == "" || (u.Scheme != "https" && u.Scheme != "http") {
		return nil, errUnusable
	}
	if u.Scheme == "http" && !strings.HasPrefix(c.apiURL, "http://") && !loopback(u.Hostname()) {
		return nil, fmt.Errorf("the API at %s returned a URL of %s for the archive that is not encrypted: "+
			"have its operator correct the public URL of the server (jeton serve --api-url)", c.apiURL, u.Host)
	}
	req, err := http.NewRequestWithContext(ctx, method, address, http.NoBody)
	if err != nil {
		return nil, errUnusable
	}
	return req, nil
}

// loopback reports whether a host is this machine.
func loopback(host string) bool {
	address, err := netip.ParseAddr(host)
	if err != nil {
		host = strings.ToLower(strings.TrimSuffix(host, "."))
		return host == "localhost" || strings.HasSuffix(host, ".localhost")
	}
	return address.Unmap().IsLoopback()
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
