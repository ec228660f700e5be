package main

import (
	"context"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"

	"github.com/jeton-dev/jeton/bench/harness"
	"github.com/jeton-dev/jeton/test/await"
)

const connections = 64

var rounds, seconds = harness.Sized(5, 1), harness.Sized(2, 1)

// The indices of the sides.
const (
	privateSide = iota
	publicSide
	bareSide
	nginxSide
	jwtSide
	refusingSide
)

// side is one side of the comparison.
type side struct {
	name, role, host, token string
	// refused is whether all answers must be refusals.
	refused bool
}

// sample is the result of one side in one round: calls per second, latencies in
// milliseconds, and microseconds of CPU time per call.
type sample struct{ rate, p50, p99, cpu float64 }

func rate(s sample) float64 { return s.rate }
func cpu(s sample) float64  { return s.cpu }

func measureProxies(ctx context.Context, dir string) ([]harness.Result, error) {
	s, path, err := newSetup(dir)
	if err != nil {
		return nil, err
	}
	var processes harness.Processes
	defer processes.Stop()
	pids, err := startServers(ctx, &processes, s, dir, path)
	if err != nil {
		return nil, err
	}
	sides := []side{
		privateSide:  {name: "gateway-private", role: "gateway", host: privateHost, token: s.Token},
		publicSide:   {name: "gateway-public", role: "gateway", host: publicHost, token: s.Token},
		bareSide:     {name: "bare Go proxy", role: "proxy", host: privateHost, token: s.Token},
		nginxSide:    {name: "nginx, plain", role: "nginx", host: privateHost, token: s.Token},
		jwtSide:      {name: "HAProxy, JWT RS256", role: "haproxy-jwt", host: privateHost, token: s.Token},
		refusingSide: {name: "gateway, refusing", role: "gateway", host: privateHost, token: s.Token + "x", refused: true},
	}
	var runs []func() (sample, error)
	for _, x := range sides {
		runs = append(runs, func() (sample, error) {
			found, err := callSide(ctx, s.address(x.role), x, pids[x.role])
			if err != nil {
				err = fmt.Errorf("%s: %w", x.name, err)
			}
			return found, err
		})
	}
	samples, err := harness.WarmRounds(rounds, runs...)
	if err != nil {
		return nil, err
	}
	report(sides, samples)
	return results(samples), nil
}

// startServers starts the process of each role, and waits until all listen. It
// returns their process IDs.
func startServers(ctx context.Context, processes *harness.Processes, s setup, dir, setupPath string) (map[string]int, error) {
	commands := map[string]*exec.Cmd{
		"nginx":       exec.CommandContext(ctx, "nginx", "-c", filepath.Join(dir, "nginx.conf"), "-p", dir),
		"haproxy-jwt": exec.CommandContext(ctx, "haproxy", "-f", filepath.Join(dir, "haproxy.cfg"), "-db"),
	}
	for _, role := range []string{"instance", "gateway", "proxy"} {
		command, err := harness.Command(ctx, role, setupPath)
		if err != nil {
			return nil, err
		}
		commands[role] = command
	}
	pids := map[string]int{}
	for role, command := range commands {
		pid, err := processes.Start(command)
		if err != nil {
			return nil, fmt.Errorf("start %s: %w", role, err)
		}
		pids[role] = pid
	}
	for role := range s.Ports {
		err := await.Until(ctx, role+" listens", func() bool {
			connection, err := net.Dial("tcp", s.address(role))
			if err != nil {
				return false
			}
			_ = connection.Close()
			return true
		})
		if err != nil {
			return nil, err
		}
	}
	return pids, nil
}

var (
	ratePattern    = regexp.MustCompile(`Requests/sec:\s+([\d.]+)`)
	latencyPattern = regexp.MustCompile(`(50|99)%\s+([\d.]+)(us|ms|s)\n`)
	totalPattern   = regexp.MustCompile(`(\d+) requests in`)
	failedPattern  = regexp.MustCompile(`Non-2xx or 3xx responses: (\d+)`)
)

// callSide runs wrk against an address, whose process is pid.
func callSide(ctx context.Context, address string, x side, pid int) (sample, error) {
	before, err := harness.FamilyCPUTime(pid)
	if err != nil {
		return sample{}, err
	}
	output, err := exec.CommandContext(ctx, "wrk", "-t1", fmt.Sprint("-c", connections), fmt.Sprintf("-d%ds", seconds), "--latency",
		"-H", "Host: "+x.host, "-H", "X-Auth-Token: "+x.token, "http://"+address+"/").Output()
	if err != nil {
		return sample{}, err
	}
	after, err := harness.FamilyCPUTime(pid)
	if err != nil {
		return sample{}, err
	}
	if refused := failedPattern.Match(output); refused != x.refused {
		return sample{}, fmt.Errorf("calls refused: %t, want %t:\n%s", refused, x.refused, output)
	}
	found := sample{rate: number(ratePattern, output)}
	found.cpu = (after - before).Seconds() * 1e6 / number(totalPattern, output)
	for _, match := range latencyPattern.FindAllSubmatch(output, -1) {
		value, _ := strconv.ParseFloat(string(match[2]), 64)
		value *= map[string]float64{"us": 0.001, "ms": 1, "s": 1000}[string(match[3])]
		if string(match[1]) == "50" {
			found.p50 = value
		} else {
			found.p99 = value
		}
	}
	return found, nil
}

// number returns the number that a pattern finds, or 0.
func number(pattern *regexp.Regexp, text []byte) float64 {
	match := pattern.FindSubmatch(text)
	if match == nil {
		return 0
	}
	value, _ := strconv.ParseFloat(string(match[1]), 64)
	return value
}

// report prints the figures of all sides.
func report(sides []side, samples [][]sample) {
	median := func(i int, figure func(sample) float64) float64 {
		return harness.Median(harness.Column(samples[i], figure))
	}
	fmt.Fprintf(os.Stdout, "%-20s %10s %8s %9s %9s %12s\n", "", "calls/s", "of bare", "p50 ms", "p99 ms", "us CPU/call")
	for i, x := range sides {
		fmt.Fprintf(os.Stdout, "%-20s %10.0f %8.2f %9.2f %9.2f %12.1f\n", x.name, median(i, rate), median(i, rate)/median(bareSide, rate),
			median(i, func(s sample) float64 { return s.p50 }), median(i, func(s sample) float64 { return s.p99 }), median(i, cpu))
	}
	fmt.Fprintln(os.Stdout)
}

func results(samples [][]sample) []harness.Result {
	compare := func(id, unit, goal, note string, ours, reference int, figure func(sample) float64) harness.Result {
		return harness.Compare(id, unit, goal, note, harness.Column(samples[ours], figure), harness.Column(samples[reference], figure))
	}
	return []harness.Result{
		compare("gateway-private", "calls/s", ">= 0.9", "a private function, compared with httputil.ReverseProxy alone, 64 connections", privateSide, bareSide, rate),
		compare("gateway-public", "calls/s", ">= 0.9", "a public function, compared with the same", publicSide, bareSide, rate),
		compare("gateway-admission", "us/call", "<= 1.03", "CPU of a private call, compared with a public one", privateSide, publicSide, cpu),
		compare("gateway-jwt", "us/call", "<= 0.33", "CPU of a private call, compared with HAProxy with its own check of the JWT", privateSide, jwtSide, cpu),
		compare("gateway-nginx", "us/call", "near 1", "CPU of a private call, compared with nginx as a plain proxy", privateSide, nginxSide, cpu),
		compare("refusals", "calls/s", ">= 3", "refused calls, compared with admitted ones", refusingSide, privateSide, rate),
	}
}
