package remote

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"regexp"
	"strings"
	"time"

	function "github.com/scaleway/scaleway-sdk-go/api/function/v1beta1"
	"github.com/scaleway/scaleway-sdk-go/scw"
)

// tokenLifetime is the lifetime of a token for one call. The token is revoked after the call.
const tokenLifetime = time.Minute

// URL returns the address of a function at the gateway, without a trailing slash: path-style
// if the gateway serves that, and otherwise by hostname.
func (i Info) URL(f Found) string {
	if !i.Paths {
		return strings.ReplaceAll(i.FunctionURL, "{host}", f.Function.DomainName)
	}
	return i.GatewayURL + "/functions/" + f.Namespace.Name + "/" + f.Function.Name
}

// URLByID is like URL with the ID of the function, which is unique among all projects and
// regions.
func (i Info) URLByID(f *function.Function) string {
	if !i.Paths {
		return strings.ReplaceAll(i.FunctionURL, "{host}", f.DomainName)
	}
	return i.GatewayURL + "/functions/" + f.ID
}

// A CallRequest is a call of a function.
type CallRequest struct {
	Method string
	// Path is the path with an optional query, such as /items?page=2.
	Path   string
	Header http.Header
	Body   io.Reader
	// RequestID identifies the call in logs.
	RequestID string
}

// A Call is a completed call.
type Call struct {
	Response *http.Response
	Took     time.Duration
	// Instance is cold, warm or none.
	Instance string
}

// Invoke calls a function. For a private function it creates a token for one minute and revokes
// it when the returned function is called, unless the request has one. The caller closes the body
// of the response.
func (s *Server) Invoke(ctx context.Context, info Info, f *function.Function, r CallRequest) (call Call, done func() error, err error) {
	done = func() error { return nil }
	request, err := http.NewRequestWithContext(ctx, r.Method, info.URLByID(f)+"/"+strings.TrimPrefix(r.Path, "/"), r.Body)
	if err != nil {
		return call, done, err
	}
	for name, values := range r.Header {
		request.Header[name] = values
	}
	if host := request.Header.Get("Host"); host != "" {
		request.Host = host
	}
	request.Header.Set("X-Request-Id", r.RequestID)
	request.Header.Set("X-Jeton-Timing", "1")
	if f.Privacy == function.FunctionPrivacyPrivate && request.Header.Get("X-Auth-Token") == "" {
		if done, err = s.authorize(ctx, f, request.Header); err != nil {
			return call, done, err
		}
	}
	// The response shows redirects, as curl does.
	client := &http.Client{CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
	began := time.Now()
	response, err := client.Do(request) //nolint:bodyclose // The caller closes it.
	if err != nil {
		return call, done, errors.Join(fmt.Errorf("call function %s: %w", f.Name, err), done())
	}
	return Call{Response: response, Took: time.Since(began), Instance: instanceOf(response.Header)}, done, nil
}

// authorize adds a new token for a function to the headers of a call. The returned function
// revokes the token.
func (s *Server) authorize(ctx context.Context, f *function.Function, header http.Header) (revoke func() error, err error) {
	none := func() error { return nil }
	token, err := s.Token(ctx, f, tokenLifetime, "jeton invoke")
	if err != nil {
		return none, err
	}
	header.Set("X-Auth-Token", token.Token)
	return func() error {
		// The token is revoked also if the command is interrupted.
		_, err := s.Functions.DeleteToken(&function.DeleteTokenRequest{Region: f.Region, TokenID: token.ID}, scw.WithContext(context.WithoutCancel(ctx)))
		if err != nil {
			return fmt.Errorf("revoke token %s, which expires within a minute: %w", token.ID, err)
		}
		return nil
	}, nil
}

// Token creates a token for a function. A lifetime of zero is unlimited.
func (s *Server) Token(ctx context.Context, f *function.Function, lifetime time.Duration, description string) (*function.Token, error) {
	request := &function.CreateTokenRequest{Region: f.Region, FunctionID: &f.ID, Description: &description}
	if lifetime > 0 {
		request.ExpiresAt = new(time.Now().Add(lifetime))
	}
	token, err := s.Functions.CreateToken(request, scw.WithContext(ctx))
	if err != nil {
		return nil, fmt.Errorf("create token for function %s: %w", f.Name, err)
	}
	return token, nil
}

var instanceKind = regexp.MustCompile(`\binstance;desc=(\w+)`)

// instanceOf returns which kind of instance has served a call: cold, warm or none.
func instanceOf(header http.Header) string {
	for _, value := range header.Values("Server-Timing") {
		if match := instanceKind.FindStringSubmatch(value); match != nil {
			return match[1]
		}
	}
	return "unknown"
}

// RevokeToken revokes the token with an ID, optionally after REGION/. It returns *NotFoundError
// if no region has it.
func (s *Server) RevokeToken(ctx context.Context, id string) error {
	r := parseReference(id)
	if r.id == "" {
		return &NotFoundError{"token", id}
	}
	for _, region := range s.within(r) {
		_, err := s.Functions.DeleteToken(&function.DeleteTokenRequest{Region: region, TokenID: r.id}, scw.WithContext(ctx))
		if StatusOf(err) == http.StatusNotFound {
			continue
		}
		if err != nil {
			return fmt.Errorf("revoke token %s: %w", id, err)
		}
		return nil
	}
	return &NotFoundError{"token", id}
}
