// Command cluster is `make bench-cluster`. It measures servers that share a PostgreSQL
// database and an S3 bucket. It needs PostgreSQL and bin/versitygw.
package main

import "github.com/jeton-dev/jeton/bench/harness"

func main() {
	harness.Program{
		Name: "bench-cluster",
		// Servers on SQLite must be on a disk: fsync costs nothing in a memory file system.
		TempDir: ".",
		Parts: []harness.Part{
			{Name: "revoke", Run: revoke},
			{Name: "propagation", Run: propagate},
			{Name: "create", Run: createTokens},
			{Name: "million", Run: loadTokens},
			{Name: "spread", Run: spread},
			{Name: "forward", Run: forward},
		},
	}.Main()
}
