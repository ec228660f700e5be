package admin

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"strconv"
	"time"

	"github.com/jeton-dev/jeton/internal/functions"
	"github.com/jeton-dev/jeton/internal/iam"
)

// Client sends requests to a running server, through its socket or its API. It returns the
// errors of the server as functions.Errors.
type Client struct {
	http *http.Client
	// base precedes the paths of requests.
	base string
	// secret is the secret key for the API; empty for the socket.
	secret string
}

// APIPath is the path of the endpoints at the API.
const APIPath = "/jeton/v1/admin"

// NewRemoteClient returns a client for the server whose API has a URL, with the secret key of an
// API key that covers the organization.
func NewRemoteClient(url, secret string) *Client {
	return &Client{http: http.DefaultClient, base: url + APIPath, secret: secret}
}

// NewClient returns a client for the server at a socket.
func NewClient(socket string) *Client {
	// The host is ignored: the connection goes to the socket.
	return &Client{base: "http://jeton", http: &http.Client{Transport: &http.Transport{
		DisableKeepAlives: true,
		DialContext: func(ctx context.Context, _, _ string) (net.Conn, error) {
			return new(net.Dialer).DialContext(ctx, "unix", socket)
		},
	}}}
}

// Projects returns all projects, oldest first.
func (c *Client) Projects(ctx context.Context) ([]Project, error) {
	return send[[]Project](ctx, c, http.MethodGet, "/projects", nil)
}

// CreateProject creates a project.
func (c *Client) CreateProject(ctx context.Context, name string) (Project, error) {
	return send[Project](ctx, c, http.MethodPost, "/projects", createProjectRequest{name})
}

// Keys returns the API keys of a project, or all API keys if project is empty, oldest
// first.
func (c *Client) Keys(ctx context.Context, project string) ([]APIKey, error) {
	return send[[]APIKey](ctx, c, http.MethodGet, "/api-keys?"+url.Values{"project": {project}}.Encode(), nil)
}

// CreateKey creates an API key. The result contains its secret key.
func (c *Client) CreateKey(ctx context.Context, k CreateKey) (APIKey, error) {
	return send[APIKey](ctx, c, http.MethodPost, "/api-keys", createKeyRequest(k))
}

// UpdateKey changes an API key.
func (c *Client) UpdateKey(ctx context.Context, accessKey string, change iam.KeyChange) (APIKey, error) {
	request := updateKeyRequest{Description: change.Description, Permissions: change.Permissions, ExpiresAt: change.ExpiresAt}
	if change.ExpiresAt != nil && change.ExpiresAt.IsZero() {
		request.ExpiresAt, request.NeverExpires = nil, true
	}
	return send[APIKey](ctx, c, http.MethodPatch, "/api-keys/"+url.PathEscape(accessKey), request)
}

// RevokeKey revokes an API key. When it returns, the key is refused.
func (c *Client) RevokeKey(ctx context.Context, accessKey string) (APIKey, error) {
	return send[APIKey](ctx, c, http.MethodDelete, "/api-keys/"+url.PathEscape(accessKey), nil)
}

// RotateKey creates a key with the same permissions as an existing key, which expires
// after overlap. The result contains the new secret key.
func (c *Client) RotateKey(ctx context.Context, accessKey string, overlap time.Duration) (APIKey, error) {
	return send[APIKey](ctx, c, http.MethodPost, "/api-keys/"+url.PathEscape(accessKey)+"/rotate", rotateKeyRequest{overlap})
}

// Tokens returns all tokens of a namespace or of a function, oldest first.
func (c *Client) Tokens(ctx context.Context, namespaceID, functionID string) ([]Token, error) {
	all := []Token{}
	for page := 1; ; page++ {
		query := url.Values{"namespace_id": {namespaceID}, "function_id": {functionID}, "page": {strconv.Itoa(page)}}
		some, err := send[[]Token](ctx, c, http.MethodGet, "/tokens?"+query.Encode(), nil)
		all = append(all, some...)
		if err != nil || len(some) < tokensPageSize {
			return all, err
		}
	}
}

// AuditEntries returns some entries of the audit log in the database after a number and
// since a time, oldest first. With wait, it waits up to half a minute for one.
func (c *Client) AuditEntries(ctx context.Context, after int64, since time.Time, wait bool) (AuditPage, error) {
	query := url.Values{"after": {strconv.FormatInt(after, 10)}, "since": {since.Format(time.RFC3339Nano)}, "wait": {strconv.FormatBool(wait)}}
	return send[AuditPage](ctx, c, http.MethodGet, "/audit?"+query.Encode(), nil)
}

// ClusterStatus returns the state of the cluster.
func (c *Client) ClusterStatus(ctx context.Context) (ClusterStatus, error) {
	return send[ClusterStatus](ctx, c, http.MethodGet, "/cluster", nil)
}

// Cordon excludes a node from being the home of functions, or ends that.
func (c *Client) Cordon(ctx context.Context, node string, cordoned bool) error {
	_, err := send[changedNode](ctx, c, http.MethodPut, "/cluster/nodes/"+url.PathEscape(node)+"/cordon", cordonRequest{cordoned})
	return err
}

// Fence removes a node that is gone, after its lease must have ended.
func (c *Client) Fence(ctx context.Context, node string) error {
	_, err := send[changedNode](ctx, c, http.MethodPost, "/cluster/nodes/"+url.PathEscape(node)+"/fence", nil)
	return err
}

// Reseal seals all values with the current sealing key.
func (c *Client) Reseal(ctx context.Context) (Resealed, error) {
	return send[Resealed](ctx, c, http.MethodPost, "/reseal", nil)
}

// send sends a request, and decodes the response.
func send[T any](ctx context.Context, c *Client, method, path string, body any) (T, error) {
	encoded, err := json.Marshal(body)
	if err != nil {
		var none T
		return none, err
	}
	return sendBody[T](ctx, c, method, path, bytes.NewReader(encoded), int64(len(encoded)))
}

// sendBody sends a request with a body of a length, and decodes the response.
func sendBody[T any](ctx context.Context, c *Client, method, path string, body io.Reader, length int64) (T, error) {
	var result T
	request, err := http.NewRequestWithContext(ctx, method, c.base+path, body)
	if err != nil {
		return result, err
	}
	request.ContentLength = length
	if c.secret != "" {
		request.Header.Set("X-Auth-Token", c.secret)
	}
	response, err := c.http.Do(request)
	if err != nil {
		return result, fmt.Errorf("send a request to the server: %w", err)
	}
	defer response.Body.Close()
	decoder := json.NewDecoder(response.Body)
	if response.StatusCode != http.StatusOK {
		var f failure
		if err := decoder.Decode(&f); err != nil || f.Message == "" {
			return result, fmt.Errorf("the server responded %s", response.Status)
		}
		return result, &functions.Error{Code: f.Code, Message: f.Message}
	}
	return result, decoder.Decode(&result)
}
