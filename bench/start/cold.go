package main

import (
	"context"
	"fmt"

	"github.com/jeton-dev/jeton/bench/cold"
	"github.com/jeton-dev/jeton/bench/harness"
)

// coldRounds is odd, so that there is a middle one.
var coldRounds = harness.Sized(15, 1)

// coldStarts measures the first call of each language's function: with warm workers,
// with warm sandboxes only, and with neither.
func coldStarts(ctx context.Context, t *toolchains) ([]harness.Result, error) {
	var servers []*cold.Server
	for _, variant := range []struct {
		name  string
		flags []string
	}{
		{"workers", nil},
		{"sandboxes", []string{"--spare-workers=false"}},
		{"neither", []string{"--spare=0", "--spare-most=0"}},
	} {
		s, err := t.start(ctx, variant.name, variant.flags...)
		if err != nil {
			return nil, err
		}
		defer s.Close()
		servers = append(servers, s)
	}
	var results []harness.Result
	// A smoke run leaves out Rust, whose crates take a minute to build.
	for _, l := range harness.Sized(cold.Languages, cold.Languages[:4]) {
		found, err := coldStart(ctx, t, l, servers)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", l.Name, err)
		}
		results = append(results, found...)
	}
	return results, nil
}

func coldStart(ctx context.Context, t *toolchains, l cold.Language, servers []*cold.Server) ([]harness.Result, error) {
	command, env, err := t.build(ctx, l)
	if err != nil {
		return nil, err
	}
	var sides []func() (float64, error)
	for _, s := range servers {
		f, err := s.DeployHello(ctx, l, "cold-"+l.Name)
		if err != nil {
			return nil, err
		}
		sides = append(sides, func() (float64, error) { return s.FirstCall(ctx, f.DomainName) })
	}
	sides = append(sides, func() (float64, error) {
		// Like the other sides, the baseline starts on an idle machine.
		if err := servers[0].WaitWarm(ctx); err != nil {
			return 0, err
		}
		return startBaseline(t.dir, command, env)
	})
	took, err := harness.Rounds(coldRounds, sides...)
	if err != nil {
		return nil, err
	}
	const workers, sandboxes, neither, baseline = 0, 1, 2, 3
	compare := func(suffix, goal, note string, side int) harness.Result {
		return harness.Compare("cold-"+l.Name+suffix, "ms", goal, note, took[side], took[baseline])
	}
	results := []harness.Result{compare("", l.Goal, "first call of a "+l.Name+" function, isolated, compared with the program alone", workers)}
	if l.SandboxGoal != "" {
		results = append(results, compare("-no-worker", l.SandboxGoal, "the same in a warm sandbox, without a warm worker", sandboxes))
	}
	return append(results, compare("-unprepared", "", "the same without a warm sandbox", neither)), nil
}
