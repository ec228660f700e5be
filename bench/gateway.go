package main

import (
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httputil"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"time"

	function "github.com/scaleway/scaleway-sdk-go/api/function/v1beta1"

	"github.com/jeton-dev/jeton/bench/measure"
)

var (
	gatewayRounds = measure.Sized(5, 1)
	gatewayCalls  = measure.Sized(6000, 200)
)

// gatewayConnections is how many calls there are at once, and how many instances
// serve them.
const gatewayConnections = 4

// trivial is the function of the gateway's benchmark. Run by itself it is the
// instance behind the bare proxy.
const trivial = `package trivial

import "net/http"

func Handle(w http.ResponseWriter, r *http.Request) { w.Write([]byte("hello")) }
`

const trivialProgram = `package main

import (
	"net"
	"net/http"
	"os"
)

func main() {
	l, err := net.Listen("unix", os.Args[1])
	if err != nil {
		panic(err)
	}
	panic(http.Serve(l, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { w.Write([]byte("hello")) })))
}
`

// gateway measures an admitted call of a private function, and compares it with the
// same call through httputil.ReverseProxy alone: in front of as many instances, each
// of which serves one call at a time as a function's does, and in front of one.
func (b *bench) gateway(ctx context.Context) ([]measure.Result, error) {
	j, err := b.serve(ctx, "gateway")
	if err != nil {
		return nil, err
	}
	defer j.stop()
	scale := uint32(gatewayConnections)
	f, token, err := j.deploy(ctx, &function.CreateFunctionRequest{Name: "trivial", Runtime: "go126", MaxScale: &scale},
		map[string]string{"go.mod": "module example.org/trivial\n\ngo 1.21\n", "f.go": trivial})
	if err != nil {
		return nil, err
	}
	sides := []load{{url: j.gateway, host: f.DomainName, token: token, middle: j.process.Process.Pid}}
	program, err := b.buildTrivial(ctx)
	if err != nil {
		return nil, err
	}
	for _, instances := range []int{gatewayConnections, 1} {
		proxy, err := b.startBareProxy(ctx, program, instances)
		if err != nil {
			return nil, err
		}
		defer proxy.stop()
		sides = append(sides, load{url: "http://" + proxy.address, host: f.DomainName, token: token, middle: proxy.pid})
	}
	rate, cpu := make([][]float64, len(sides)), make([][]float64, len(sides))
	for round := range gatewayRounds + 1 {
		for side, l := range sides {
			perSecond, perCall, err := l.run(ctx)
			if err != nil {
				return nil, err
			}
			if round > 0 { // the first round warms all sides up
				rate[side], cpu[side] = append(rate[side], perSecond), append(cpu[side], perCall)
			}
		}
	}
	const ours, four, one = 0, 1, 2
	note := fmt.Sprintf("an admitted call, %d connections; the baseline is httputil.ReverseProxy alone, ", gatewayConnections)
	ofFour, ofOne := note+"in front of the same number of instances", note+"in front of one instance for all"
	return []measure.Result{
		measure.Compare("call-private", "calls/s", ">= 0.9", ofFour, rate[ours], rate[four]),
		measure.Compare("call-private-cpu", "us/call", "<= 1.1", "CPU of the process in the middle; baseline as above", cpu[ours], cpu[four]),
		measure.Compare("call-private-one", "calls/s", "", ofOne, rate[ours], rate[one]),
		measure.Compare("call-private-one-cpu", "us/call", "", "CPU of the process in the middle; baseline as above", cpu[ours], cpu[one]),
	}, nil
}

// buildTrivial builds the instance of the baseline, and returns its path.
func (b *bench) buildTrivial(ctx context.Context) (string, error) {
	source, program := filepath.Join(b.dir, "trivial.go"), filepath.Join(b.dir, "trivial")
	if err := os.WriteFile(source, []byte(trivialProgram), 0o644); err != nil {
		return "", err
	}
	if output, err := exec.CommandContext(ctx, "go", "build", "-trimpath", "-o", program, source).CombinedOutput(); err != nil {
		return "", fmt.Errorf("build the instance: %w\n%s", err, output)
	}
	return program, nil
}

// A baseline is a bare proxy that runs, with its instances.
type baseline struct {
	pid     int
	address string
	running []*exec.Cmd
}

func (l *baseline) stop() {
	for _, c := range l.running {
		_ = c.Process.Kill()
		_ = c.Wait()
	}
}

func (l *baseline) start(c *exec.Cmd) error {
	c.Stderr = os.Stderr
	if err := c.Start(); err != nil {
		return err
	}
	l.running = append(l.running, c)
	return nil
}

// startBareProxy starts the baseline: this program as a proxy in front of some
// programs that answer as the function does.
func (b *bench) startBareProxy(ctx context.Context, program string, instances int) (_ *baseline, err error) {
	self, err := os.Executable()
	if err != nil {
		return nil, err
	}
	l := &baseline{}
	defer func() {
		if err != nil {
			l.stop()
		}
	}()
	sockets := make([]string, instances)
	for n := range sockets {
		sockets[n] = filepath.Join(b.dir, fmt.Sprintf("s%d-%d", instances, n))
		if err := l.start(exec.CommandContext(ctx, program, sockets[n])); err != nil {
			return nil, err
		}
	}
	portFile := filepath.Join(b.dir, fmt.Sprintf("port-%d", instances))
	proxy := exec.CommandContext(ctx, self, proxyArgument, strings.Join(sockets, ","), portFile)
	if err := l.start(proxy); err != nil {
		return nil, err
	}
	l.pid = proxy.Process.Pid
	err = eventually(ctx, func() bool {
		content, _ := os.ReadFile(portFile)
		l.address = string(content)
		for _, socket := range sockets {
			if _, err := os.Stat(socket); err != nil {
				return false
			}
		}
		return l.address != ""
	})
	return l, err
}

// bareProxy is nothing but httputil.ReverseProxy in front of unix sockets. With one
// of them, it serves all calls at once; with several, each serves one at a time.
func bareProxy(sockets []string, portFile string) error {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return err
	}
	transport := &http.Transport{
		DialContext: func(ctx context.Context, _, address string) (net.Conn, error) {
			n, _, err := net.SplitHostPort(address)
			if err != nil {
				return nil, err
			}
			index, err := strconv.Atoi(n)
			if err != nil {
				return nil, err
			}
			var dialer net.Dialer
			return dialer.DialContext(ctx, "unix", sockets[index])
		},
		DisableCompression: true, MaxIdleConnsPerHost: 64,
	}
	handler := proxyTo(transport, 0)
	if len(sockets) > 1 {
		idle := make(chan http.Handler, len(sockets))
		for n := range sockets {
			idle <- proxyTo(transport, n)
		}
		handler = http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			instance := <-idle
			defer func() { idle <- instance }()
			instance.ServeHTTP(w, r)
		})
	}
	unfinished := portFile + ".new"
	if err := os.WriteFile(unfinished, []byte(listener.Addr().String()), 0o644); err != nil {
		return err
	}
	if err := os.Rename(unfinished, portFile); err != nil {
		return err
	}
	return http.Serve(listener, handler)
}

// proxyTo is the proxy to one instance, whose number is the host that is dialled.
func proxyTo(transport http.RoundTripper, instance int) http.Handler {
	host := strconv.Itoa(instance)
	return &httputil.ReverseProxy{Transport: transport, Rewrite: func(p *httputil.ProxyRequest) {
		p.Out.URL.Scheme, p.Out.URL.Host = "http", host
		p.SetXForwarded()
	}}
}

// load is one side of the comparison.
type load struct {
	url, host, token string
	// middle is the process whose CPU time counts.
	middle int
}

// run makes the calls, and returns how many there were in a second and the
// microseconds of CPU time that each took in the middle.
func (l load) run(ctx context.Context) (perSecond, perCall float64, err error) {
	client := &http.Client{Transport: &http.Transport{MaxIdleConnsPerHost: gatewayConnections}}
	defer client.CloseIdleConnections()
	before, err := measure.CPUTime(l.middle)
	if err != nil {
		return 0, 0, err
	}
	began := time.Now()
	var group sync.WaitGroup
	failures := make(chan error, gatewayConnections)
	for range gatewayConnections {
		group.Go(func() {
			for range gatewayCalls / gatewayConnections {
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
		return 0, 0, err
	}
	after, err := measure.CPUTime(l.middle)
	calls := float64(gatewayCalls)
	return calls / took.Seconds(), float64((after - before).Microseconds()) / calls, err
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
	if body, err := io.ReadAll(response.Body); err != nil || string(body) != "hello" {
		return fmt.Errorf("%s %q %w", response.Status, body, err)
	}
	return nil
}
