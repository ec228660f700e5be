package main

import (
	"context"
	"crypto/x509"
	"encoding/json"
	"encoding/pem"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"time"

	"github.com/jeton-dev/jeton/bench/measure"
	"github.com/jeton-dev/jeton/internal/functions"
	"github.com/jeton-dev/jeton/internal/secret"
	"github.com/jeton-dev/jeton/internal/token"
)

const connections = 64

var rounds, seconds = measure.Sized(5, 1), measure.Sized(2, 1)

// The sides.
const (
	privateSide  = "gateway-private"
	publicSide   = "gateway-public"
	bareSide     = "bare Go proxy"
	nginxSide    = "nginx, plain"
	jwtSide      = "HAProxy, JWT RS256"
	refusingSide = "gateway, refusing"
)

// side is one thing to measure.
type side struct {
	name, role, host, token string
}

// sample is what one round has found.
type sample struct{ rate, p50, p99, cpu float64 }

func measureProxies(ctx context.Context, dir string) ([]measure.Result, error) {
	s, publicKey, err := newScene(dir)
	if err != nil {
		return nil, err
	}
	if err := writePeers(s, dir, publicKey); err != nil {
		return nil, err
	}
	pids, stop, err := startParts(ctx, s, dir)
	if err != nil {
		return nil, err
	}
	defer stop()
	sides := []side{
		{privateSide, "gateway", privateHost, s.Token},
		{publicSide, "gateway", publicHost, s.Token},
		{bareSide, "proxy", privateHost, s.Token},
		{nginxSide, "nginx", privateHost, s.Token},
		{jwtSide, "haproxy-jwt", privateHost, s.Token},
		{refusingSide, "gateway", privateHost, s.Token + "x"},
	}
	samples := map[string][]sample{}
	for round := range rounds + 1 {
		for _, side := range sides {
			found, err := callSide(ctx, s, side, pids[side.role])
			if err != nil {
				return nil, fmt.Errorf("%s: %w", side.name, err)
			}
			if round > 0 { // the first warms everything up
				samples[side.name] = append(samples[side.name], found)
			}
		}
	}
	report(sides, samples)
	return results(samples), nil
}

func newScene(dir string) (scene, string, error) {
	s := scene{Instance: filepath.Join(dir, "instance"), Ports: map[string]int{}}
	for _, role := range []string{"gateway", "proxy", "nginx", "haproxy-jwt"} {
		l, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			return s, "", err
		}
		defer l.Close()
		_, port, err := net.SplitHostPort(l.Addr().String())
		if err != nil {
			return s, "", err
		}
		if s.Ports[role], err = strconv.Atoi(port); err != nil {
			return s, "", err
		}
	}
	pair, err := token.GenerateKeyPair(token.KeyBits)
	if err != nil {
		return s, "", err
	}
	sealer, err := secret.NewSealer(make([]byte, secret.KeySize))
	if err != nil {
		return s, "", err
	}
	text, err := token.NewMinter(sealer).Mint(functions.Namespace{PrivateKey: token.SealPrivate(sealer, pair)},
		functions.Token{ID: tokenID, FunctionID: privateID, CreatedAt: time.Now()})
	if err != nil {
		return s, "", err
	}
	s.Token = text.Reveal()
	encoded, err := json.Marshal(s)
	if err != nil {
		return s, "", err
	}
	if err := os.WriteFile(filepath.Join(dir, "scene.json"), encoded, 0o600); err != nil {
		return s, "", err
	}
	publicKey := filepath.Join(dir, "public.pem")
	return s, publicKey, writePublicKey(pair, publicKey)
}

// writePublicKey writes the key in the form that HAProxy reads.
func writePublicKey(pair token.KeyPair, path string) error {
	block, _ := pem.Decode([]byte(pair.Public))
	key, err := x509.ParsePKCS1PublicKey(block.Bytes)
	if err != nil {
		return err
	}
	der, err := x509.MarshalPKIXPublicKey(key)
	if err != nil {
		return err
	}
	return os.WriteFile(path, pem.EncodeToMemory(&pem.Block{Type: "PUBLIC KEY", Bytes: der}), 0o644)
}

// startParts starts a process for each part, and waits until all listen.
func startParts(ctx context.Context, s scene, dir string) (pids map[string]int, stop func(), err error) {
	program, err := self()
	if err != nil {
		return nil, nil, err
	}
	scenePath := filepath.Join(dir, "scene.json")
	var started []*exec.Cmd
	stop = func() {
		for _, c := range started {
			_ = c.Process.Signal(os.Interrupt)
		}
		for _, c := range started {
			_ = c.Wait()
		}
	}
	pids = map[string]int{}
	for role, command := range map[string][]string{
		"instance":    {program, roleArgument, "instance", scenePath},
		"gateway":     {program, roleArgument, "gateway", scenePath},
		"proxy":       {program, roleArgument, "proxy", scenePath},
		"nginx":       {"nginx", "-c", filepath.Join(dir, "nginx.conf"), "-p", dir},
		"haproxy-jwt": {"haproxy", "-f", filepath.Join(dir, "haproxy.cfg"), "-db"},
	} {
		c := exec.CommandContext(ctx, command[0], command[1:]...)
		c.Stderr = os.Stderr
		if err := c.Start(); err != nil {
			stop()
			return nil, nil, err
		}
		started = append(started, c)
		pids[role] = c.Process.Pid
	}
	deadline := time.Now().Add(20 * time.Second)
	for role := range s.Ports {
		for {
			connection, err := net.Dial("tcp", s.address(role))
			if err == nil {
				connection.Close()
				break
			}
			if time.Now().After(deadline) {
				stop()
				return nil, nil, fmt.Errorf("%s does not listen: %w", role, err)
			}
			<-time.After(20 * time.Millisecond)
		}
	}
	return pids, stop, nil
}

var (
	ratePattern    = regexp.MustCompile(`Requests/sec:\s+([\d.]+)`)
	latencyPattern = regexp.MustCompile(`(50|99)%\s+([\d.]+)(us|ms|s)\n`)
	totalPattern   = regexp.MustCompile(`(\d+) requests in`)
	failedPattern  = regexp.MustCompile(`Non-2xx or 3xx responses: (\d+)`)
)

// callSide runs wrk against one side.
func callSide(ctx context.Context, s scene, x side, pid int) (sample, error) {
	before, err := cpuTime(pid)
	if err != nil {
		return sample{}, err
	}
	output, err := exec.CommandContext(ctx, "wrk", "-t1", fmt.Sprint("-c", connections), fmt.Sprintf("-d%ds", seconds), "--latency",
		"-H", "Host: "+x.host, "-H", "X-Auth-Token: "+x.token, "http://"+s.address(x.role)+"/").Output()
	if err != nil {
		return sample{}, err
	}
	after, err := cpuTime(pid)
	if err != nil {
		return sample{}, err
	}
	refusing := strings.HasSuffix(x.token, "x") && x.token != s.Token
	if failed := failedPattern.Match(output); failed != refusing {
		return sample{}, fmt.Errorf("answers are not as they should be:\n%s", output)
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

func number(pattern *regexp.Regexp, text []byte) float64 {
	match := pattern.FindSubmatch(text)
	if match == nil {
		return 0
	}
	value, _ := strconv.ParseFloat(string(match[1]), 64)
	return value
}

// cpuTime is the CPU time of a process and of its children that still run.
func cpuTime(pid int) (time.Duration, error) {
	total, err := measure.CPUTime(pid)
	if err != nil {
		return 0, err
	}
	children, _ := os.ReadFile(fmt.Sprintf("/proc/%d/task/%d/children", pid, pid))
	for _, child := range strings.Fields(string(children)) {
		number, _ := strconv.Atoi(child)
		own, err := measure.CPUTime(number)
		if err != nil {
			return 0, err
		}
		total += own
	}
	return total, nil
}

// column is one figure of all the rounds of a side.
func column(samples []sample, of func(sample) float64) []float64 {
	values := make([]float64, len(samples))
	for i, s := range samples {
		values[i] = of(s)
	}
	return values
}

func rate(s sample) float64 { return s.rate }
func cpu(s sample) float64  { return s.cpu }

// report prints all figures.
func report(sides []side, samples map[string][]sample) {
	median := func(name string, of func(sample) float64) float64 { return measure.Median(column(samples[name], of)) }
	bare := median(bareSide, rate)
	fmt.Fprintf(os.Stdout, "%-20s %10s %8s %9s %9s %12s\n", "", "calls/s", "of bare", "p50 ms", "p99 ms", "us CPU/call")
	for _, s := range sides {
		fmt.Fprintf(os.Stdout, "%-20s %10.0f %8.2f %9.2f %9.2f %12.1f\n", s.name, median(s.name, rate), median(s.name, rate)/bare,
			median(s.name, func(s sample) float64 { return s.p50 }), median(s.name, func(s sample) float64 { return s.p99 }),
			median(s.name, cpu))
	}
}

func results(samples map[string][]sample) []measure.Result {
	compare := func(id, unit, goal, note, ours, reference string, of func(sample) float64) measure.Result {
		return measure.Compare(id, unit, goal, note, column(samples[ours], of), column(samples[reference], of))
	}
	return []measure.Result{
		compare("gateway-private", "calls/s", ">= 0.9", "a private function beside httputil.ReverseProxy alone, 64 connections", privateSide, bareSide, rate),
		compare("gateway-public", "calls/s", ">= 0.9", "a public function beside the same", publicSide, bareSide, rate),
		compare("gateway-admission", "us/call", "<= 1.03", "CPU of a private call beside that of a public one", privateSide, publicSide, cpu),
		compare("gateway-jwt", "us/call", "<= 0.33", "CPU of a private call beside HAProxy's with its own check of the JWT", privateSide, jwtSide, cpu),
		compare("gateway-nginx", "us/call", "near 1", "CPU of a private call beside nginx as a plain proxy", privateSide, nginxSide, cpu),
		compare("refusals", "calls/s", ">= 3", "refused calls beside admitted ones", refusingSide, privateSide, rate),
	}
}
