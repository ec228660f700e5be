package api

import (
	"net"
	"net/http"
	"net/url"

	"github.com/jeton-dev/jeton/internal/functions"
)

// Addresses are the public addresses of the gateway.
type Addresses struct {
	// Gateway is the public URL of the gateway, without a trailing slash; empty if it is not
	// configured.
	Gateway string
	// GatewayPort is the port of the gateway. Clients reach it at the host by which they
	// have reached the API, unless Gateway is set.
	GatewayPort string
	// TLSPort is the port of the gateway for TLS; empty without one.
	TLSPort string
	// Paths reports whether the gateway serves path-style addresses.
	Paths bool
}

// hostForm returns the URL of a function at its hostname, with {host} in place of the hostname:
// the scheme and the port of the public URL, or else of the listener.
func (a Addresses) hostForm() string {
	scheme, port := "http", a.GatewayPort
	if u, err := url.Parse(a.Gateway); err == nil && a.Gateway != "" {
		scheme, port = u.Scheme, u.Port()
	} else if a.TLSPort != "" {
		scheme, port = "https", a.TLSPort
	}
	if port == "" || port == map[string]string{"http": "80", "https": "443"}[scheme] {
		return scheme + "://{host}"
	}
	return scheme + "://{host}:" + port
}

type serverResponse struct {
	// ID identifies the server, or its cluster: the organization of its first project.
	ID         string `json:"id"`
	Version    string `json:"version"`
	GatewayURL string `json:"gateway_url"`
	Paths      bool   `json:"paths"`
	// FunctionURL is the URL of a function, with {id} in place of its ID and {host} in place
	// of its domain name.
	FunctionURL string `json:"function_url"`
}

// getServer returns the addresses at which the caller reaches the gateway.
func (a *API) getServer(r *http.Request, _ functions.Scope) (any, error) {
	response := serverResponse{
		ID: a.config.Keys.First().OrganizationID, Version: a.config.Version, GatewayURL: a.gatewayURL(r), Paths: a.config.Addresses.Paths,
	}
	response.FunctionURL = a.config.Addresses.hostForm()
	if response.Paths {
		response.FunctionURL = response.GatewayURL + "/functions/{id}"
	}
	return response, nil
}

// gatewayURL returns the public URL of the gateway without a trailing slash.
func (a *API) gatewayURL(r *http.Request) string {
	if a.config.Addresses.Gateway != "" {
		return a.config.Addresses.Gateway
	}
	u, err := url.Parse(a.publicURL(r))
	if err != nil {
		return ""
	}
	return "http://" + net.JoinHostPort(u.Hostname(), a.config.Addresses.GatewayPort)
}
