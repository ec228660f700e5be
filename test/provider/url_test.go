package provider_test

import (
	"io"
	"net/http"
	"strings"
	"testing"

	"github.com/jeton-dev/jeton/internal/server"
)

const publicFunction = namespace + `
resource "scaleway_function" "main" {
  namespace_id = scaleway_function_namespace.main.id
  name         = "main"
  runtime      = "node22"
  handler      = "handler.handle"
  privacy      = "public"
  zip_file     = %q
  deploy       = true
}
`

func TestFunction_URLReachesTheFunction(t *testing.T) {
	t.Parallel()
	w := start(t)
	c := w.commandLine(t, strings.ReplaceAll(publicFunction, "%q", `"`+writeArchive(t, "handler.js", `exports.handle = (event) => "at " + event.path;`)+`"`))
	c.apply()
	request := must(http.NewRequestWithContext(t.Context(), http.MethodGet, c.attribute(functionAddress, "url")+"/world", http.NoBody))
	response := must(http.DefaultClient.Do(request))
	defer response.Body.Close()
	if got := string(must(io.ReadAll(response.Body))); response.StatusCode != http.StatusOK || got != "at /world" {
		t.Errorf("got status %d and %q, want 200 and %q", response.StatusCode, got, "at /world")
	}
}

func TestFunction_URLIsThePublicAddress(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		configure func(*server.Config)
		// url and domainURL have {id}, {host} and {tls} in place of what differs.
		url, domainURL string
	}{
		"behind a proxy": {
			func(c *server.Config) { c.GatewayURL = "https://gateway.example.com:8443" },
			"https://gateway.example.com:8443/functions/{id}", "https://api.example.com:8443",
		},
		"hostnames only": {
			func(c *server.Config) { c.GatewayURL, c.GatewayPaths = "https://gateway.example.com", false },
			"https://{host}", "https://api.example.com",
		},
		"hostnames with TLS": {
			func(c *server.Config) {
				c.GatewayTLSListen, c.GatewayPaths, c.LocalDomains = "127.0.0.1:0", false, []string{"example.com"}
			},
			"https://{host}:{tls}", "https://api.example.com:{tls}",
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := start(t, test.configure)
			c := w.commandLine(t, domainOf("scaleway_function.main.id", "api.example.com", ""))
			c.apply()
			known := strings.NewReplacer(
				"{id}", strings.TrimPrefix(c.attribute(functionAddress, "id"), "fr-par/"), "{host}", c.attribute(functionAddress, "domain_name"),
				"{tls}", w.GatewayTLSURL[strings.LastIndex(w.GatewayTLSURL, ":")+1:])
			c.expectAttribute(functionAddress, "url", known.Replace(test.url))
			c.expectAttribute(domainAddress, "url", known.Replace(test.domainURL))
			c.expectEmptyPlan()
		})
	}
}
