package remote

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"

	account "github.com/scaleway/scaleway-sdk-go/api/account/v3"
	function "github.com/scaleway/scaleway-sdk-go/api/function/v1beta1"
	"github.com/scaleway/scaleway-sdk-go/scw"
)

// Config selects a server.
type Config struct {
	// Profile has the URL of the API and the API key. APIURL and SecretKey are required.
	Profile scw.Profile
	// UserAgent names the program in requests.
	UserAgent string
}

// A Server is a client of one server. It is safe for concurrent use.
type Server struct {
	// Functions and Projects are the SDK's clients.
	Functions *function.API
	Projects  *account.ProjectAPI
	// URL is the URL of the API without a trailing slash.
	URL string

	client *scw.Client
	http   *http.Client
	secret string
	region scw.Region
}

// noAccessKey is the access key of clients that only have a secret key. The API does not use
// it.
const noAccessKey = "SCWXXXXXXXXXXXXXXXXX"

// New returns a client. It does not connect to the server.
func New(c Config) (*Server, error) {
	p := c.Profile
	if text(p.APIURL) == "" || text(p.SecretKey) == "" {
		return nil, errors.New("configure client: the URL of the API and a secret key are required")
	}
	access := text(p.AccessKey)
	if access == "" {
		access = noAccessKey
	}
	address := strings.TrimRight(text(p.APIURL), "/")
	options := []scw.ClientOption{
		scw.WithAPIURL(address), scw.WithAuth(access, text(p.SecretKey)), scw.WithUserAgent(c.UserAgent), scw.WithHTTPClient(http.DefaultClient),
	}
	if project := text(p.DefaultProjectID); project != "" {
		options = append(options, scw.WithDefaultProjectID(project))
	}
	if organization := text(p.DefaultOrganizationID); organization != "" {
		options = append(options, scw.WithDefaultOrganizationID(organization))
	}
	region := scw.Region(text(p.DefaultRegion))
	if region == "" {
		region = scw.RegionFrPar
	}
	client, err := scw.NewClient(append(options, scw.WithDefaultRegion(region))...)
	if err != nil {
		return nil, fmt.Errorf("configure client of %s: %w", address, err)
	}
	return &Server{
		Functions: function.NewAPI(client), Projects: account.NewProjectAPI(client), URL: address,
		client: client, http: http.DefaultClient, secret: text(p.SecretKey), region: region,
	}, nil
}

// Region returns the default region.
func (s *Server) Region() scw.Region { return s.region }

// An Info describes a server.
type Info struct {
	// ID identifies the server, or its cluster. It does not change when a backup is restored.
	ID      string `json:"id"`
	Version string `json:"version"`
	// GatewayURL is the public URL of the gateway.
	GatewayURL string `json:"gateway_url"`
	// Paths reports whether the gateway serves path-style addresses.
	Paths bool `json:"paths"`
	// FunctionURL is the URL of a function, with {host} in place of its domain name and {id} in
	// place of its ID.
	FunctionURL string `json:"function_url"`
}

// Info requests the addresses of the server.
func (s *Server) Info(ctx context.Context) (Info, error) {
	var info Info
	err := s.get(ctx, "/jeton/v1/server", nil, &info)
	return info, err
}

// A Session describes the API key of the client.
type Session struct {
	AccessKey        string   `json:"access_key"`
	Permissions      []string `json:"permissions"`
	OrganizationID   string   `json:"organization_id"`
	DefaultProjectID string   `json:"default_project_id"`
}

// Session requests the API key of the client. An Error with status 401 means that the server refuses
// the key.
func (s *Server) Session(ctx context.Context) (Session, error) {
	var session Session
	err := s.get(ctx, "/jeton/v1/session", nil, &session)
	return session, err
}

// get requests an endpoint that the SDK does not have, and decodes the response.
func (s *Server) get(ctx context.Context, path string, query url.Values, into any) error {
	body, err := s.stream(ctx, path, query)
	if err != nil {
		return err
	}
	defer body.Close()
	if err := json.NewDecoder(body).Decode(into); err != nil {
		return fmt.Errorf("decode the response of %s: %w", path, err)
	}
	return nil
}

// maxError is the maximum number of bytes of an error response that is read.
const maxError = 64 << 10

// stream requests an endpoint and returns the body of its response.
func (s *Server) stream(ctx context.Context, path string, query url.Values) (io.ReadCloser, error) {
	target := s.URL + path
	if len(query) > 0 {
		target += "?" + query.Encode()
	}
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, target, http.NoBody)
	if err != nil {
		return nil, err
	}
	request.Header.Set("X-Auth-Token", s.secret)
	response, err := s.http.Do(request)
	if err != nil {
		return nil, err
	}
	if response.StatusCode == http.StatusOK {
		return response.Body, nil
	}
	defer response.Body.Close()
	content, _ := io.ReadAll(io.LimitReader(response.Body, maxError)) // An incomplete message is still useful.
	return nil, newError(response.StatusCode, content)
}

// An Error is an error response of an endpoint that the SDK does not have.
type Error struct {
	Status  int
	Message string
}

// Error implements error.
func (e *Error) Error() string { return fmt.Sprintf("status %d: %s", e.Status, e.Message) }

func newError(status int, body []byte) *Error {
	var decoded struct{ Message string }
	if json.Unmarshal(body, &decoded) != nil || decoded.Message == "" {
		decoded.Message = http.StatusText(status)
	}
	return &Error{status, decoded.Message}
}

// StatusOf returns the HTTP status of an error of the server; zero for other errors.
func StatusOf(err error) int {
	if e, ok := errors.AsType[*Error](err); ok {
		return e.Status
	}
	if e, ok := errors.AsType[*scw.ResponseError](err); ok {
		return e.StatusCode
	}
	if _, ok := errors.AsType[*scw.ResourceNotFoundError](err); ok {
		return http.StatusNotFound
	}
	return 0
}

// text returns the value of a field; empty for nil.
func text(value *string) string {
	if value == nil {
		return ""
	}
	return *value
}
