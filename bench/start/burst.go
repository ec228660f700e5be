package main

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strconv"

	"github.com/jeton-dev/jeton/bench/cold"
	"github.com/jeton-dev/jeton/bench/harness"
)

const (
	// functionCount is the number of functions that are called at once, and callCount
	// the number of concurrent calls of one function.
	functionCount = 10
	callCount     = 50
)

// burstRounds is odd, so that there is a middle one.
var burstRounds = harness.Sized(7, 1)

// bursts measures concurrent calls of ten functions without an instance, and of one,
// and compares them with ten interpreters that start at once without isolation.
func bursts(ctx context.Context, t *toolchains) ([]harness.Result, error) {
	s, err := t.start(ctx, "burst")
	if err != nil {
		return nil, err
	}
	defer s.Close()
	l := cold.Languages[0]
	command, env, err := t.build(ctx, l)
	if err != nil {
		return nil, err
	}
	hosts, folders := make([]string, functionCount), make([]string, functionCount)
	for n := range functionCount {
		f, err := s.DeployHello(ctx, l, fmt.Sprintf("burst-%d", n))
		if err != nil {
			return nil, err
		}
		hosts[n], folders[n] = f.DomainName, filepath.Join(t.dir, strconv.Itoa(n))
		if err := os.Mkdir(folders[n], 0o755); err != nil {
			return nil, err
		}
	}
	took, err := harness.Rounds(burstRounds,
		func() ([]float64, error) { return s.CallAtOnce(ctx, hosts) },
		func() ([]float64, error) { return s.CallAtOnce(ctx, slices.Repeat(hosts[:1], callCount)) },
		func() ([]float64, error) {
			return cold.AtOnce(folders, func(n int) (float64, error) { return startBaseline(folders[n], command, env) })
		})
	if err != nil {
		return nil, err
	}
	const ten, one, baseline = 0, 1, 2
	compare := func(id, note string, side int, of func([]float64) float64) harness.Result {
		return harness.Compare(id, "ms", "", note, harness.Column(took[side], of), harness.Column(took[baseline], of))
	}
	last := func(values []float64) float64 { return slices.Max(values) }
	return []harness.Result{
		compare("burst-10-p50", "ten node functions without an instance, called at once, compared with ten node processes", ten, harness.Median),
		compare("burst-10-p99", "the last of them", ten, last),
		compare("burst-50-p50", "fifty calls at once of one node function without an instance, compared with ten node processes", one, harness.Median),
		compare("burst-50-p99", "the last of them", one, last),
	}, nil
}
