package client

import (
	"context"
	"crypto/tls"
	"net/http"
	"time"

	function "github.com/scaleway/scaleway-sdk-go/api/function/v1beta1"
	"github.com/scaleway/scaleway-sdk-go/scw"
)

// answerTimeout is how long one attempt waits for the headers of the answer.
const answerTimeout = 30 * time.Second

// callTimeout is how long one attempt may take until its answer is read. It does
// not apply to archives.
const callTimeout = 2 * time.Minute

// DefaultAPIURL is the URL of Scaleway's API.
const DefaultAPIURL = "https://api.scaleway.com"

// Client calls the Functions API. It may be used by several goroutines at once.
type Client struct {
	functions *function.API
	archives  *sender
	profile   *Profile
	apiURL    string
	region    scw.Region
	projectID string
	lists     tokenLists
	runtimes  runtimeLists
	addresses addresses
}

// New returns a client that uses the keys of a profile from LoadProfile. It sends
// no request.
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
		scw.WithHTTPClient(&sender{http: calls, maxBody: maxAnswer}),
	)
	if err != nil {
		return nil, err
	}
	c := &Client{
		functions: function.NewAPI(sdk),
		// Only the context bounds the time of a transfer of an archive.
		archives: &sender{http: newHTTPClient(newTransport(profile.Insecure != nil && *profile.Insecure)), maxBody: MaxArchiveBytes},
		profile:  profile,
		apiURL:   DefaultAPIURL,
	}
	if profile.APIURL != nil {
		c.apiURL = *profile.APIURL
	}
	c.region, _ = sdk.GetDefaultRegion()
	c.projectID, _ = sdk.GetDefaultProjectID()
	return c, nil
}

// API returns the SDK's client, which sends through this package. Pass Context
// with every call.
func (c *Client) API() *function.API {
	return c.functions
}

// Context returns the request option that passes a context to a call of API.
func Context(ctx context.Context) scw.RequestOption {
	return scw.WithContext(ctx)
}

// URL returns the address of the API.
func (c *Client) URL() string {
	return c.apiURL
}

// KeySources returns a sentence that names where the client's keys were found. It
// does not contain the keys.
func (c *Client) KeySources() string {
	if c.profile.AccessKeyFrom == c.profile.SecretKeyFrom {
		return "The keys are from " + c.profile.SecretKeyFrom + "."
	}
	return "The secret key is from " + c.profile.SecretKeyFrom + ", and the access key from " + c.profile.AccessKeyFrom + "."
}

// Region returns the default region.
func (c *Client) Region() scw.Region {
	return c.region
}

// ProjectID returns the default project, or "" if no project is configured.
func (c *Client) ProjectID() string {
	return c.projectID
}

func newTransport(insecure bool) *http.Transport {
	transport := &http.Transport{}
	if standard, ok := http.DefaultTransport.(*http.Transport); ok {
		transport = standard.Clone()
	}
	// An upload must have exactly the headers that the API asked for.
	transport.DisableCompression = true
	if insecure {
		transport.TLSClientConfig = &tls.Config{InsecureSkipVerify: true} //nolint:gosec // The user asked for it, with SCW_INSECURE.
	}
	return transport
}

// newHTTPClient returns a client that does not follow redirects: net/http would
// send X-Auth-Token, the secret key, to the redirect's target.
func newHTTPClient(transport http.RoundTripper) *http.Client {
	return &http.Client{
		Transport: transport,
		CheckRedirect: func(*http.Request, []*http.Request) error {
			return http.ErrUseLastResponse
		},
	}
}
