package client

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"sync"

	function "github.com/scaleway/scaleway-sdk-go/api/function/v1beta1"
)

// addresses caches the form of the URLs of functions.
type addresses struct {
	mu   sync.Mutex
	form string
}

// scalewayForm is the form of URLs at Scaleway.
const scalewayForm = "https://{host}"

// FunctionURL returns the URL at which a function can be called: https:// and its domain name
// at Scaleway, and what the server reports at Jeton. The server is asked once.
func (c *Client) FunctionURL(ctx context.Context, f *function.Function) (string, error) {
	form, err := c.urlForm(ctx)
	return strings.NewReplacer("{host}", f.DomainName, "{id}", f.ID).Replace(form), err
}

func (c *Client) urlForm(ctx context.Context) (string, error) {
	if c.apiURL == DefaultAPIURL {
		return scalewayForm, nil
	}
	c.addresses.mu.Lock()
	defer c.addresses.mu.Unlock()
	if c.addresses.form != "" {
		return c.addresses.form, nil
	}
	var err error
	c.addresses.form, err = c.readURLForm(ctx)
	return c.addresses.form, err
}

// readURLForm asks the server. A service without the endpoint is Scaleway behind a proxy, or an
// older Jeton.
func (c *Client) readURLForm(ctx context.Context) (string, error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, c.apiURL+"/jeton/v1/server", http.NoBody)
	if err != nil {
		return "", err
	}
	req.Header.Set("X-Auth-Token", *c.profile.SecretKey)
	resp, err := c.archives.Do(req)
	if IsNotFound(err) {
		return scalewayForm, nil
	}
	if err != nil {
		return "", fmt.Errorf("read the addresses of the server at %s: %w", c.apiURL, err)
	}
	defer resp.Body.Close()
	var server struct {
		FunctionURL string `json:"function_url"`
	}
	if err := json.NewDecoder(resp.Body).Decode(&server); err != nil {
		return "", fmt.Errorf("read the addresses of the server at %s: %w", c.apiURL, err)
	}
	if server.FunctionURL == "" {
		return scalewayForm, nil
	}
	return server.FunctionURL, nil
}
