package admin

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"net"
	"net/http"
	"net/url"
	"strconv"
	"time"

	"github.com/jeton-dev/jeton/internal/functions"
)

// Client asks a running server through its socket. Its errors that are
// functions.Errors are the server's own.
type Client struct{ http *http.Client }

// NewClient returns a client for the server that listens at a socket.
func NewClient(socket string) *Client {
	return &Client{&http.Client{Transport: &http.Transport{
		DisableKeepAlives: true,
		DialContext: func(ctx context.Context, _, _ string) (net.Conn, error) {
			return new(net.Dialer).DialContext(ctx, "unix", socket)
		},
	}}}
}

// Projects returns all projects, oldest first.
func (c *Client) Projects(ctx context.Context) ([]Project, error) {
	return ask[[]Project](ctx, c, http.MethodGet, "/projects", nil)
}

// CreateProject makes a project.
func (c *Client) CreateProject(ctx context.Context, name string) (Project, error) {
	return ask[Project](ctx, c, http.MethodPost, "/projects", createProjectRequest{name})
}

// Keys returns the API keys of a project, or of all if none is given, oldest
// first.
func (c *Client) Keys(ctx context.Context, project string) ([]APIKey, error) {
	return ask[[]APIKey](ctx, c, http.MethodGet, "/api-keys?"+url.Values{"project": {project}}.Encode(), nil)
}

// CreateKey makes an API key; the answer has its secret key.
func (c *Client) CreateKey(ctx context.Context, k CreateKey) (APIKey, error) {
	return ask[APIKey](ctx, c, http.MethodPost, "/api-keys", createKeyRequest(k))
}

// RevokeKey revokes an API key, which opens nothing when it has returned.
func (c *Client) RevokeKey(ctx context.Context, accessKey string) (APIKey, error) {
	return ask[APIKey](ctx, c, http.MethodDelete, "/api-keys/"+url.PathEscape(accessKey), nil)
}

// RotateKey makes a key with the rights of another one, which ends after
// overlap; the answer has the new secret key.
func (c *Client) RotateKey(ctx context.Context, accessKey string, overlap time.Duration) (APIKey, error) {
	return ask[APIKey](ctx, c, http.MethodPost, "/api-keys/"+url.PathEscape(accessKey)+"/rotate", rotateKeyRequest{overlap})
}

// Tokens returns all tokens that were made for a namespace or for a function,
// oldest first.
func (c *Client) Tokens(ctx context.Context, namespaceID, functionID string) ([]Token, error) {
	all := []Token{}
	for page := 1; ; page++ {
		query := url.Values{"namespace_id": {namespaceID}, "function_id": {functionID}, "page": {strconv.Itoa(page)}}
		some, err := ask[[]Token](ctx, c, http.MethodGet, "/tokens?"+query.Encode(), nil)
		all = append(all, some...)
		if err != nil || len(some) < pageOfTokens {
			return all, err
		}
	}
}

// ask sends a request, and reads its answer.
func ask[T any](ctx context.Context, c *Client, method, path string, body any) (T, error) {
	var result T
	encoded, err := json.Marshal(body)
	if err != nil {
		return result, err
	}
	// The host is of no consequence: the connection goes to the socket.
	request, err := http.NewRequestWithContext(ctx, method, "http://jeton"+path, bytes.NewReader(encoded))
	if err != nil {
		return result, err
	}
	response, err := c.http.Do(request)
	if err != nil {
		return result, fmt.Errorf("ask the server: %w", err)
	}
	defer response.Body.Close()
	decoder := json.NewDecoder(response.Body)
	if response.StatusCode != http.StatusOK {
		var f failure
		if err := decoder.Decode(&f); err != nil || f.Message == "" {
			return result, fmt.Errorf("the server answers %s", response.Status)
		}
		return result, &functions.Error{Code: f.Code, Message: f.Message}
	}
	return result, decoder.Decode(&result)
}
