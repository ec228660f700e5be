package main

import (
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"sync"
	"time"

	function "github.com/scaleway/scaleway-sdk-go/api/function/v1beta1"
	"github.com/scaleway/scaleway-sdk-go/scw"

	"github.com/jeton-dev/jeton/bench/harness"
	"github.com/jeton-dev/jeton/internal/gateway"
	"github.com/jeton-dev/jeton/internal/server"
	"github.com/jeton-dev/jeton/test/await"
)

var (
	callRounds = harness.Sized(9, 1)
	callCount  = harness.Sized(6000, 200)
)

// connections is the number of concurrent calls, and of instances that serve them.
const connections = 4

// instanceMemory is the memory limit of an instance in MiB. Its share of a CPU is large
// enough that the CPU limit never stops an instance: otherwise that limit would be
// measured.
const instanceMemory = 1024

// instanceProgram is the instance that serves all calls of a baseline, without a sandbox.
// It is a small program of its own, as an instance of the deployed function is: in a
// larger process, such as this one, the garbage collector runs less often.
const instanceProgram = `package main

import (
	"net"
	"net/http"
	"os"
)

func main() {
	listener, err := net.Listen("unix", os.Args[1])
	if err != nil {
		panic(err)
	}
	panic(http.Serve(listener, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Write([]byte("` + harness.Hello + `"))
	})))
}
`

// buildInstance builds instanceProgram in dir and returns its path.
func buildInstance(ctx context.Context, dir string) (string, error) {
	source, program := filepath.Join(dir, "instance.go"), filepath.Join(dir, "instance")
	if err := os.WriteFile(source, []byte(instanceProgram), 0o644); err != nil {
		return "", err
	}
	if output, err := exec.CommandContext(ctx, "go", "build", "-trimpath", "-o", program, source).CombinedOutput(); err != nil {
		return "", fmt.Errorf("build the instance: %w\n%s", err, output)
	}
	return program, nil
}

// handler is the deployed function. It answers like instanceProgram.
const handler = `package hello

import "net/http"

func Handle(w http.ResponseWriter, r *http.Request) { w.Write([]byte("` + harness.Hello + `")) }
`

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
	private, err := deployPrivate(ctx, s)
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
	sides := []func() (harness.Cost, error){func() (harness.Cost, error) { return private.run(ctx) }}
	for _, instances := range [][]string{sockets, {instance}} {
		baseline := private
		if baseline.url, baseline.pid, err = startProxy(ctx, &baselines, dir, instances); err != nil {
			return nil, err
		}
		sides = append(sides, func() (harness.Cost, error) { return baseline.run(ctx) })
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

// deployPrivate deploys a private function with a fixed number of instances, and returns
// calls of it.
func deployPrivate(ctx context.Context, s *harness.Server) (load, error) {
	namespace, err := s.Namespace(ctx, "bench")
	if err != nil {
		return load{}, err
	}
	instances, memory := uint32(connections), uint32(instanceMemory)
	f, err := s.Deploy(ctx, &function.CreateFunctionRequest{
		NamespaceID: namespace.ID, Name: "hello", Runtime: "go126", Privacy: function.FunctionPrivacyPrivate,
		MinScale: &instances, MaxScale: &instances, MemoryLimit: &memory,
	}, map[string]string{"go.mod": "module example.org/hello\n\ngo 1.21\n", "f.go": handler})
	if err != nil {
		return load{}, err
	}
	token, err := s.CreateToken(&function.CreateTokenRequest{FunctionID: &f.ID}, scw.WithContext(ctx))
	if err != nil {
		return load{}, err
	}
	return load{url: s.Gateway, host: f.DomainName, token: token.Token, pid: s.PID()}, nil
}

// proxyRole is the role of the baseline's proxy.
const proxyRole = "proxy"

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
	program, err := buildInstance(ctx, dir)
	if err != nil {
		return "", err
	}
	socket = filepath.Join(dir, "socket")
	if _, err := started.Start(exec.CommandContext(ctx, program, socket)); err != nil {
		return "", err
	}
	return socket, waitForFile(ctx, socket)
}

func waitForFile(ctx context.Context, path string) error {
	return await.Until(ctx, path+" exists", func() bool {
		_, err := os.Stat(path)
		return err == nil
	})
}

// startProxy starts a bare proxy in front of the sockets of instances. It returns the
// proxy's URL and process ID.
func startProxy(ctx context.Context, started *harness.Processes, dir string, sockets []string) (url string, pid int, err error) {
	addressFile := filepath.Join(dir, fmt.Sprintf("address-%d", len(sockets)))
	command, err := harness.Command(ctx, proxyRole, append([]string{addressFile}, sockets...)...)
	if err != nil {
		return "", 0, err
	}
	if pid, err = started.Start(command); err != nil {
		return "", 0, err
	}
	if err := waitForFile(ctx, addressFile); err != nil {
		return "", 0, err
	}
	address, err := os.ReadFile(addressFile)
	return "http://" + string(address), pid, err
}

// proxy serves harness.BareProxy in front of unix sockets, and writes its address to
// a file. With one socket it forwards calls concurrently; with several it forwards
// one call at a time to each. It has the garbage collector's settings and the buffers
// of the gateway.
func proxy(addressFile string, sockets []string) error {
	server.CollectLessOften()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return err
	}
	const idleConnections = 64
	buffers := &gateway.Buffers{}
	handler := harness.BareProxy(sockets[0], idleConnections, buffers)
	if len(sockets) > 1 {
		idle := make(chan http.Handler, len(sockets))
		for _, socket := range sockets {
			idle <- harness.BareProxy(socket, idleConnections, buffers)
		}
		handler = http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			instance := <-idle
			defer func() { idle <- instance }()
			instance.ServeHTTP(w, r)
		})
	}
	unfinished := addressFile + ".new"
	if err := os.WriteFile(unfinished, []byte(listener.Addr().String()), 0o644); err != nil {
		return err
	}
	if err := os.Rename(unfinished, addressFile); err != nil {
		return err
	}
	return http.Serve(listener, handler)
}

// load describes the calls of one side.
type load struct {
	url, host, token string
	// pid is the process whose CPU time is measured.
	pid int
}

// run makes callCount calls, and returns their cost in seconds.
func (l load) run(ctx context.Context) (harness.Cost, error) {
	client := &http.Client{Transport: &http.Transport{MaxIdleConnsPerHost: connections}}
	defer client.CloseIdleConnections()
	before, err := harness.CPUTime(l.pid)
	if err != nil {
		return harness.Cost{}, err
	}
	began := time.Now()
	var group sync.WaitGroup
	failures := make(chan error, connections)
	for range connections {
		group.Go(func() {
			for range callCount / connections {
				if err := l.call(ctx, client); err != nil {
					failures <- err
					return
				}
			}
		})
	}
	group.Wait()
	took := time.Since(began)
	close(failures)
	if err := <-failures; err != nil {
		return harness.Cost{}, err
	}
	after, err := harness.CPUTime(l.pid)
	return harness.Cost{Elapsed: took.Seconds(), CPU: (after - before).Seconds()}, err
}

func (l load) call(ctx context.Context, client *http.Client) error {
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, l.url, nil)
	if err != nil {
		return err
	}
	request.Host = l.host
	request.Header.Set("X-Auth-Token", l.token)
	response, err := client.Do(request)
	if err != nil {
		return err
	}
	defer response.Body.Close()
	if body, err := io.ReadAll(response.Body); err != nil || string(body) != harness.Hello {
		return fmt.Errorf("call: got %s %q, error %w", response.Status, body, err)
	}
	return nil
}
