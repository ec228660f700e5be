// Command start is `make bench-start`. It measures how fast a function without an
// instance answers, isolated as by default, and compares it with the interpreter or
// program alone. It runs as root, and needs the five toolchains.
package main

import (
	"context"

	"github.com/jeton-dev/jeton/bench/harness"
)

func main() {
	harness.Program{
		Name: "bench-start",
		Parts: []harness.Part{
			{Name: "cold", Run: withToolchains(coldStarts)},
			{Name: "burst", Run: withToolchains(bursts)},
			{Name: "deploy", Run: withToolchains(deployGo)},
			{Name: "idle", Run: withToolchains(idleThousand)},
		},
	}.Main()
}

// withToolchains passes the part's folder and the toolchains to a measurement.
func withToolchains(run func(context.Context, *toolchains) ([]harness.Result, error)) func(context.Context, string) ([]harness.Result, error) {
	return func(ctx context.Context, dir string) ([]harness.Result, error) {
		t, err := findToolchains(ctx, dir)
		if err != nil {
			return nil, err
		}
		return run(ctx, t)
	}
}
