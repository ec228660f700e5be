package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"

	"github.com/jeton-dev/jeton/bench/harness"
)

// forward compares calls that a node forwards to the home of their function with calls at
// the home, and those with calls of a single node without PostgreSQL. All sides make the
// same calls, and count the CPU time of all nodes.
func forward(ctx context.Context, dir string) ([]harness.Result, error) {
	return inCluster(ctx, filepath.Join(dir, "cluster"), func(w *world) (results []harness.Result, err error) {
		single, err := newSingle(ctx, filepath.Join(dir, "single"))
		if err != nil {
			return nil, err
		}
		defer func() { err = errors.Join(err, single.close()) }()
		// All functions have the same home, so that this serves as many callers as the single
		// node: a process that serves fewer wakes up more often per call.
		for _, n := range w.nodes[1:] {
			if err := w.cordon(ctx, n); err != nil {
				return nil, err
			}
		}
		atHome, err := w.deployAt(ctx, func(string) (string, error) { return w.nodes[0].Gateway, nil })
		if err != nil {
			return nil, err
		}
		away := slices.Clone(atHome)
		for i := range away {
			away[i].gateway = w.nodes[1].Gateway
		}
		alone, err := single.deployAt(ctx, func(string) (string, error) { return single.nodes[0].Gateway, nil })
		if err != nil {
			return nil, err
		}
		costs, err := harness.WarmRounds(spreadRounds,
			func() (harness.Cost, error) { return w.call(ctx, away) },
			func() (harness.Cost, error) { return w.call(ctx, atHome) },
			func() (harness.Cost, error) { return single.call(ctx, alone) },
		)
		if err != nil {
			return nil, err
		}
		perCall := func(c harness.Cost) float64 { return c.CPU * 1e6 / (functionCount * float64(callsEach)) }
		forwarded, home, one := harness.Column(costs[0], perCall), harness.Column(costs[1], perCall), harness.Column(costs[2], perCall)
		return []harness.Result{
			harness.Compare("cluster-forwarded-cpu", "µs", "<= 1.6", "CPU time of all nodes for a forwarded call, compared with a call at its home", forwarded, home),
			harness.Compare("cluster-home-cpu", "µs", "<= 1.02", "CPU time of all nodes for a call at its home in a cluster of three, compared with a single node on SQLite", home, one),
		}, nil
	})
}

// cordon makes other nodes the homes of a node's functions.
func (w *world) cordon(ctx context.Context, n *harness.Server) error {
	name := fmt.Sprint("node", slices.Index(w.nodes, n)+1)
	command := exec.CommandContext(ctx, filepath.Join("bin", "jeton"), "cluster", "cordon", name, "--data-dir", filepath.Join(w.dir, "node1"))
	if output, err := command.CombinedOutput(); err != nil {
		return fmt.Errorf("cordon %s: %w: %s", name, err, output)
	}
	return nil
}

// newSingle starts a single node on SQLite. The caller closes it.
func newSingle(ctx context.Context, dir string) (*world, error) {
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return nil, err
	}
	s, err := harness.Start(ctx, filepath.Join(dir, "data"), "--cache-dir", filepath.Join(dir, "cache"))
	if err != nil {
		return nil, fmt.Errorf("start a single node: %w", err)
	}
	return &world{dir: dir, nodes: []*harness.Server{s}}, s.Settle(ctx)
}
