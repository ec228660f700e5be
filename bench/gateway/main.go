// Command gateway is `make bench-gateway`. It compares the gateway with
// httputil.ReverseProxy alone, nginx as a plain proxy, and HAProxy with its own check
// of a JWT, all in front of the same instance. It needs wrk, nginx and haproxy.
package main

import (
	"context"

	"github.com/jeton-dev/jeton/bench/harness"
)

func main() {
	harness.Program{
		Name:  "bench-gateway",
		Tools: []string{"wrk", "nginx", "haproxy"},
		Parts: []harness.Part{
			{Name: "proxies", Run: measureProxies},
			{Name: "tokens", Run: measureTokens},
			{Name: "admission", Run: func(ctx context.Context, _ string) ([]harness.Result, error) { return measureAdmission(ctx) }},
		},
		Roles: map[string]func([]string) error{
			"instance": withSetup(serveInstance),
			"gateway":  withSetup(serveGateway),
			"proxy":    withSetup(serveProxy),
		},
	}.Main()
}
