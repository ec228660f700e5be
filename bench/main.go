// Command bench is `make bench`. It compares the provider with an empty one, and
// calls through the gateway with calls through a bare reverse proxy.
package main

import "github.com/jeton-dev/jeton/bench/harness"

func main() {
	harness.Program{
		Name: "bench",
		Parts: []harness.Part{
			{Name: "provider", Run: providerStart},
			{Name: "provider", Run: plan},
			{Name: "provider", Run: planMany},
			{Name: "calls", Run: calls},
		},
		Roles: map[string]func([]string) error{
			harness.ProxyRole: harness.RunProxy,
		},
	}.Main()
}
