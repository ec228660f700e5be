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
	// Paths reports whether the gateway serves path-style addresses.
	Paths bool
}

type serverResponse struct {
	// ID identifies the server, or its cluster: the organization of its first project.
	ID         string `json:"id"`
	Version    string `json:"version"`
	GatewayURL string `json:"gateway_url"`
	Paths      bool   `json:"paths"`
}

// getServer returns the addresses at which the caller reaches the gateway.
func (a *API) getServer(r *http.Request, _ functions.Scope) (any, error) {
	return serverResponse{ID: a.config.Keys.First().OrganizationID, Version: a.config.Version, GatewayURL: a.gatewayURL(r), Paths: a.config.Addresses.Paths}, nil
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
