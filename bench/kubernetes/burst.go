package main

import (
	"context"
	"errors"
	"slices"

	"github.com/jeton-dev/jeton/bench/cold"
	"github.com/jeton-dev/jeton/bench/harness"
)

// burstCalls is the number of calls at once.
var burstCalls = harness.Sized(50, 5)

var burstRounds = harness.Sized(5, 1)

// bursts measures fifty calls at once of one function without an instance, in warm Pods and on
// this machine.
func bursts(ctx context.Context, w *world) ([]harness.Result, error) {
	pods, err := w.startPods(ctx, spare)
	if err != nil {
		return nil, err
	}
	defer pods.Close()
	processes, err := w.startProcesses(ctx)
	if err != nil {
		return nil, err
	}
	defer processes.Close()
	l := cold.Languages[0]
	var sides []func() ([]float64, error)
	for _, s := range []*cold.Server{pods, processes} {
		f, err := s.DeployHello(ctx, l, "burst")
		if err != nil {
			return nil, err
		}
		sides = append(sides, func() ([]float64, error) {
			if err := errors.Join(pods.WaitWarm(ctx), w.settle(ctx, spare)); err != nil {
				return nil, err
			}
			return s.CallAtOnce(ctx, slices.Repeat([]string{f.DomainName}, burstCalls))
		})
	}
	took, err := harness.Rounds(burstRounds, sides...)
	if err != nil {
		return nil, err
	}
	compare := func(id, note string, of func([]float64) float64) harness.Result {
		return harness.Compare(id, "ms", "", note, harness.Column(took[0], of), harness.Column(took[1], of))
	}
	return []harness.Result{
		compare("kubernetes-burst-50-p50", "fifty calls at once of one node function, with two warm Pods, compared with the same at the process engine", harness.Median),
		compare("kubernetes-burst-50-p99", "the last of them", func(values []float64) float64 { return slices.Max(values) }),
	}, nil
}
