package client

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"

	account "github.com/scaleway/scaleway-sdk-go/api/account/v3"
	"github.com/scaleway/scaleway-sdk-go/scw"
)

// LoadAttached merges the sources of settings for a provider that is attached to one server;
// the later overrides the earlier: the region and zone of the environment, the server's
// defaults, the profile that the block names, the provider block. It returns an error if the
// block names another server. No other variable and not the active profile are used: they may
// belong to another account.
func LoadAttached(block Settings, server *scw.Profile) (*Profile, error) {
	named := &scw.Profile{}
	if block.Profile != nil {
		config, err := loadConfigFile()
		if err != nil {
			return nil, err
		}
		if named, err = block.named(config); err != nil {
			return nil, err
		}
		if address := valueOrEmpty(named.APIURL); !sameServer(address, *server.APIURL) {
			if address == "" {
				address = "Scaleway (it has no api_url)"
			}
			return nil, fmt.Errorf("the profile %q of the provider block belongs to %s, and jeton tf uses the server at %s: "+
				"remove profile, or name a profile with the api_url of this server", *block.Profile, address, *server.APIURL)
		}
	}
	if address := valueOrEmpty(block.APIURL); address != "" && !sameServer(address, *server.APIURL) {
		return nil, fmt.Errorf("api_url of the provider block is %s, and jeton tf uses the server at %s: "+
			"remove api_url, or select that server with JETON_API_URL", address, *server.APIURL)
	}
	if (valueOrEmpty(block.AccessKey) == "") != (valueOrEmpty(block.SecretKey) == "") {
		return nil, errors.New("the provider block has only one of access_key and secret_key: set both, or neither to use the key of jeton tf")
	}
	environment := scw.LoadEnvProfile()
	profile := merge(
		layer{Profile: &scw.Profile{DefaultRegion: new(scw.RegionFrPar.String()), DefaultZone: new(scw.ZoneFrPar1.String())}},
		layer{Profile: &scw.Profile{DefaultRegion: environment.DefaultRegion, DefaultZone: environment.DefaultZone}},
		layer{server, "jeton tf", "jeton tf"},
		fileLayer(named, "the profile "+strconv.Quote(valueOrEmpty(block.Profile))+" of the provider block, which is"),
		layer{block.profile(), "access_key of the provider block", "secret_key of the provider block"},
	)
	// Another spelling of the same address, such as localhost, may not be reachable.
	profile.APIURL = server.APIURL
	return profile, check(profile.Profile)
}

// sameServer reports whether two URLs are the same server. All names of this machine's
// loopback interface are the same.
func sameServer(a, b string) bool {
	first, second := origin(a), origin(b)
	return first != "" && first == second
}

// origin returns the scheme, host and port of a URL, or "" if it has no host.
func origin(address string) string {
	u, err := url.Parse(strings.TrimRight(address, "/"))
	if err != nil || u.Host == "" {
		return ""
	}
	host, port := strings.ToLower(u.Hostname()), u.Port()
	if ip := net.ParseIP(host); host == "localhost" || (ip != nil && ip.IsLoopback()) {
		host = "localhost"
	}
	if port == "" {
		port = map[string]string{"http": "80", "https": "443"}[u.Scheme]
	}
	return u.Scheme + "://" + host + ":" + port + u.Path
}

// confirmTimeout is how long one request of Confirm may take.
const confirmTimeout = 10 * time.Second

// Confirm returns an error if the server does not accept the client's API key, or does not have
// the project or the organization of the profile.
func (c *Client) Confirm(ctx context.Context) error {
	if c.projectID == "" {
		return nil
	}
	options := []scw.ClientOption{
		scw.WithAPIURL(c.apiURL), scw.WithAuth(*c.profile.AccessKey, *c.profile.SecretKey),
		scw.WithHTTPClient(&http.Client{Transport: newTransport(false), Timeout: confirmTimeout}),
	}
	sdk, err := scw.NewClient(options...)
	if err != nil {
		return err
	}
	project, err := account.NewProjectAPI(sdk).GetProject(&account.ProjectAPIGetProjectRequest{ProjectID: c.projectID}, scw.WithContext(ctx))
	var denied *scw.DeniedAuthenticationError
	var forbidden *scw.PermissionsDeniedError
	var missing *scw.ResourceNotFoundError
	switch {
	case errors.As(err, &denied):
		return fmt.Errorf("the server at %s has no API key %s, or its secret is different. %s Remove the key from the provider block to use that of jeton tf", c.apiURL, *c.profile.AccessKey, c.KeySources())
	case errors.As(err, &missing), errors.As(err, &forbidden):
		return fmt.Errorf("the server at %s has no project %s that the API key may use: remove project_id from the provider block, or set it to one of 'jeton project list'", c.apiURL, c.projectID)
	case err != nil:
		return fmt.Errorf("check the provider block at %s: %w", c.apiURL, err)
	}
	if organization := valueOrEmpty(c.profile.DefaultOrganizationID); organization != "" && organization != project.OrganizationID {
		return fmt.Errorf("the project %s belongs to the organization %s, and the provider block has organization_id %s: remove organization_id", c.projectID, project.OrganizationID, organization)
	}
	return nil
}
