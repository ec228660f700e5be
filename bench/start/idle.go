package main

import (
	"context"
	"fmt"

	"github.com/jeton-dev/jeton/bench/cold"
	"github.com/jeton-dev/jeton/bench/harness"
)

// idleFunctions is the number of functions that are deployed and not called.
var idleFunctions = harness.Sized(1000, 20)

// idleThousand counts the processes of a server with a thousand functions that are
// not called, and compares them with those of a server with one.
func idleThousand(ctx context.Context, t *toolchains) ([]harness.Result, error) {
	s, err := t.start(ctx, "idle", "--max-functions=2000", "--spare-most=2")
	if err != nil {
		return nil, err
	}
	defer s.Close()
	l := cold.Languages[1]
	var processes, memory [2][]float64
	for i, n := range []int{1, idleFunctions - 1} {
		for m := range n {
			if _, err := s.DeployHello(ctx, l, fmt.Sprintf("idle-%d-%d", i, m)); err != nil {
				return nil, err
			}
		}
		if err := s.WaitWarm(ctx); err != nil {
			return nil, err
		}
		count, bytes, err := harness.Descendants(s.PID())
		if err != nil {
			return nil, err
		}
		processes[i], memory[i] = []float64{float64(count)}, []float64{float64(bytes) / (1 << 20)}
	}
	return []harness.Result{
		harness.Compare("idle-1000-processes", "processes", "<= 1", "with 1000 functions that are not called, compared with one", processes[1], processes[0]),
		harness.Compare("idle-1000-memory", "MiB", "", "resident memory of the server and its processes then, compared with one function", memory[1], memory[0]),
	}, nil
}
