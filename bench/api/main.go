// Command api is `make bench-api`. It measures the control plane over HTTP and
// compares each operation with the least that it can cost. It needs terraform.
package main

import "github.com/jeton-dev/jeton/bench/harness"

func main() {
	harness.Program{
		Name: "bench-api",
		// The data folders must be on a disk: fsync costs nothing in a memory file
		// system, which the system's temporary folder may be.
		TempDir: ".",
		Parts: []harness.Part{
			{Name: "create", Run: createTokens},
			{Name: "ready", Run: readyNamespaces},
			{Name: "apply", Run: applyExample},
			{Name: "reads", Run: readsUnderWrites},
			{Name: "list", Run: listTokens},
		},
		Roles: map[string]func([]string) error{
			signerRole: func(arguments []string) error { return signAndSync(arguments[0]) },
		},
	}.Main()
}
