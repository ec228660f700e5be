package main

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"

	"github.com/jeton-dev/jeton/bench/harness"
	"github.com/jeton-dev/jeton/test/await"
)

var (
	callRounds = harness.Sized(9, 1)
	callCount  = harness.Sized(6000, 200)
)

// connections is the number of concurrent calls, and of instances that serve them.
const connections = 4

// calls compares an admitted call of a private function with the same call through
// httputil.ReverseProxy alone: in front of the same instances, to each of which it
// passes one call at a time, and in front of one instance without a sandbox, which
// serves all calls.
func calls(ctx context.Context, dir string) ([]harness.Result, error) {
	// The paths of sockets are short.
	temporary, err := os.MkdirTemp("", "bench-")
	if err != nil {
		return nil, err
	}
	defer os.RemoveAll(temporary)
	// The sandboxes of a warm pool would have sockets, too.
	s, err := harness.StartIn(ctx, temporary, filepath.Join(dir, "data"), "--cache-dir=.cache", "--spare=0", "--instances-memory=8589934592")
	if err != nil {
		return nil, err
	}
	defer s.Close()
	private, err := harness.DeployPrivate(ctx, s, connections, callCount)
	if err != nil {
		return nil, err
	}
	sockets, err := waitForSockets(ctx, temporary)
	if err != nil {
		return nil, err
	}
	var baselines harness.Processes
	defer baselines.Stop()
	instance, err := startInstance(ctx, &baselines, dir)
	if err != nil {
		return nil, err
	}
	sides := []func() (harness.Cost, error){func() (harness.Cost, error) { return private.Run(ctx) }}
	for _, instances := range [][]string{sockets, {instance}} {
		baseline := private
		url, pid, err := harness.StartProxy(ctx, &baselines, instances)
		if err != nil {
			return nil, err
		}
		baseline.URLs, baseline.PID = []string{url}, pid
		sides = append(sides, func() (harness.Cost, error) { return baseline.Run(ctx) })
	}
	if err := s.Settle(ctx); err != nil {
		return nil, err
	}
	costs, err := harness.WarmRounds(callRounds, sides...)
	if err != nil {
		return nil, err
	}
	rate := func(side int) []float64 {
		return harness.Column(costs[side], func(c harness.Cost) float64 { return float64(callCount) / c.Elapsed })
	}
	cpu := func(side int) []float64 {
		return harness.Column(costs[side], func(c harness.Cost) float64 { return c.CPU * 1e6 / float64(callCount) })
	}
	const ours, four, one = 0, 1, 2
	note := fmt.Sprintf("an admitted call, %d connections; the baseline is httputil.ReverseProxy alone, ", connections)
	const cpuNote = "CPU of the gateway or the proxy; baseline as above"
	return []harness.Result{
		harness.Compare("call-private", "calls/s", ">= 0.9", note+"in front of the same instances", rate(ours), rate(four)),
		harness.Compare("call-private-cpu", "us/call", "<= 1.1", cpuNote, cpu(ours), cpu(four)),
		harness.Compare("call-private-one", "calls/s", "", note+"in front of one instance without a sandbox", rate(ours), rate(one)),
		harness.Compare("call-private-one-cpu", "us/call", "", cpuNote, cpu(ours), cpu(one)),
	}, nil
}

// waitForSockets waits until all instances of the function are started, and returns their
// sockets. Temporary is the temporary folder of their server, which has no others.
func waitForSockets(ctx context.Context, temporary string) (sockets []string, err error) {
	err = await.Until(ctx, "all instances start", func() bool {
		sockets, err = filepath.Glob(filepath.Join(temporary, "*", "*.sock"))
		return err == nil && len(sockets) == connections
	})
	return sockets, err
}

// startInstance builds and starts instanceProgram, and returns its socket.
func startInstance(ctx context.Context, started *harness.Processes, dir string) (socket string, err error) {
	program, err := harness.BuildInstance(ctx, dir)
	if err != nil {
		return "", err
	}
	socket = filepath.Join(dir, "socket")
	if _, err := started.Start(exec.CommandContext(ctx, program, "unix", socket)); err != nil {
		return "", err
	}
	return socket, harness.WaitForFile(ctx, socket)
}
