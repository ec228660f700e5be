package client

import (
	"context"
	"crypto/tls"
	"net/http"
	"time"

	function "github.com/scaleway/scaleway-sdk-go/api/function/v1beta1"
	"github.com/scaleway/scaleway-sdk-go/scw"
)

// answerTimeout is how long one attempt of a request waits for the first byte
// of its answer.
const answerTimeout = 30 * time.Second

// callTimeout is how long one attempt may take until its answer is read, unless it
// carries an archive.
const callTimeout = 2 * time.Minute

// DefaultAPIURL is where Scaleway serves its API.
const DefaultAPIURL = "https://api.scaleway.com"

// Client calls the Functions API. It may be used by several goroutines at once.
type Client struct {
	functions *function.API
	uploads   *sender
	profile   *Profile
	apiURL    string
	region    scw.Region
	projectID string
	lists     tokenLists
	runtimes  runtimeLists
}

// New returns a client that calls with the keys of a profile that LoadProfile
// made. It sends nothing yet.
func New(profile *Profile, userAgent string) (*Client, error) {
	transport := newTransport(profile.Insecure != nil && *profile.Insecure)
	transport.ResponseHeaderTimeout = answerTimeout
	calls := newHTTPClient(transport)
	calls.Timeout = callTimeout
	trimmed := *profile.Profile
	trimmed.Insecure = nil
	sdk, err := scw.NewClient(
		scw.WithProfile(&trimmed),
		scw.WithUserAgent(userAgent),
		scw.WithHTTPClient(&sender{http: calls, most: maxAnswer}),
	)
	if err != nil {
		return nil, err
	}
	c := &Client{
		functions: function.NewAPI(sdk),
		// An archive may take its time, bounded by the context alone.
		uploads: &sender{http: newHTTPClient(newTransport(profile.Insecure != nil && *profile.Insecure)), most: MaxArchiveBytes},
		profile: profile,
		apiURL:  DefaultAPIURL,
	}
	if profile.APIURL != nil {
		c.apiURL = *profile.APIURL
	}
	c.region, _ = sdk.GetDefaultRegion()
	c.projectID, _ = sdk.GetDefaultProjectID()
	return c, nil
}

// API returns the SDK's interface, for calls that need nothing of this package
// but its way of sending. Pass Context with every call.
func (c *Client) API() *function.API {
	return c.functions
}

// Context is the request option that every call of API needs.
func Context(ctx context.Context) scw.RequestOption {
	return scw.WithContext(ctx)
}

// URL returns the address of the API.
func (c *Client) URL() string {
	return c.apiURL
}

// Keys says where the keys that the client calls with were found, which tells
// nothing of the keys themselves.
func (c *Client) Keys() string {
	if c.profile.AccessKeyFrom == c.profile.SecretKeyFrom {
		return "The keys are from " + c.profile.SecretKeyFrom + "."
	}
	return "The secret key is from " + c.profile.SecretKeyFrom + ", and the access key from " + c.profile.AccessKeyFrom + "."
}

// Region returns the region of objects for which no other is configured.
func (c *Client) Region() scw.Region {
	return c.region
}

// ProjectID returns the project of objects for which no other is configured, or
// "" if there is no such project.
func (c *Client) ProjectID() string {
	return c.projectID
}

func newTransport(insecure bool) *http.Transport {
	transport := &http.Transport{}
	if standard, ok := http.DefaultTransport.(*http.Transport); ok {
		transport = standard.Clone()
	}
	// An upload is sent with the headers that the API asks for and no other.
	transport.DisableCompression = true
	if insecure {
		transport.TLSClientConfig = &tls.Config{InsecureSkipVerify: true} //nolint:gosec // The user asked for it, with SCW_INSECURE.
	}
	return transport
}

// newHTTPClient returns a client that follows no redirection: net/http would
// send X-Auth-Token, the secret key, on to wherever the answer points.
func newHTTPClient(transport http.RoundTripper) *http.Client {
	return &http.Client{
		Transport: transport,
		CheckRedirect: func(*http.Request, []*http.Request) error {
			return http.ErrUseLastResponse
		},
	}
}
