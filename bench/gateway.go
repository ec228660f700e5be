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
	"sync"
	"time"

	function "github.com/scaleway/scaleway-sdk-go/api/function/v1beta1"

	"github.com/jeton-dev/jeton/bench/measure"
)

const (
	gatewayRounds      = 5
	gatewayCalls       = 6000
	gatewayConnections = 4
)

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

// gateway measures an admitted call of a private function beside the same call
// through httputil.ReverseProxy alone.
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
	proxy, address, stop, err := b.startBareProxy(ctx)
	if err != nil {
		return nil, err
	}
	defer stop()
	sides := []load{
		{url: j.gateway, host: f.DomainName, token: token, middle: j.process.Process.Pid},
		{url: "http://" + address, host: f.DomainName, token: token, middle: proxy},
	}
	var rate, cpu [2][]float64
	for round := range gatewayRounds + 1 {
		for side, l := range sides {
			perSecond, perCall, err := l.run(ctx)
			if err != nil {
				return nil, err
			}
			if round > 0 { // the first round warms both sides up
				rate[side], cpu[side] = append(rate[side], perSecond), append(cpu[side], perCall)
			}
		}
	}
	note := fmt.Sprintf("an admitted call beside httputil.ReverseProxy alone, %d connections", gatewayConnections)
	return []measure.Result{
		measure.Compare("call-private", "calls/s", ">= 0.9", note, rate[0], rate[1]),
		measure.Compare("call-private-cpu", "us/call", "<= 1.1", "CPU of the process in the middle", cpu[0], cpu[1]),
	}, nil
}

// startBareProxy starts the reference: this program as proxy in front of a
// program that answers as the function does.
func (b *bench) startBareProxy(ctx context.Context) (pid int, address string, stop func(), err error) {
	source, socket := filepath.Join(b.dir, "trivial.go"), filepath.Join(b.dir, "s")
	program := filepath.Join(b.dir, "trivial")
	if err := os.WriteFile(source, []byte(trivialProgram), 0o644); err != nil {
		return 0, "", nil, err
	}
	if output, err := exec.CommandContext(ctx, "go", "build", "-trimpath", "-o", program, source).CombinedOutput(); err != nil {
		return 0, "", nil, fmt.Errorf("build the instance: %w\n%s", err, output)
	}
	self, err := os.Executable()
	if err != nil {
		return 0, "", nil, err
	}
	portFile := filepath.Join(b.dir, "port")
	instance := exec.CommandContext(ctx, program, socket)
	proxy := exec.CommandContext(ctx, self, proxyArgument, socket, portFile)
	proxy.Stderr = os.Stderr
	stop = func() {
		for _, c := range []*exec.Cmd{proxy, instance} {
			if c.Process != nil {
				_ = c.Process.Kill()
				_ = c.Wait()
			}
		}
	}
	if err := instance.Start(); err != nil {
		return 0, "", nil, err
	}
	if err := proxy.Start(); err != nil {
		stop()
		return 0, "", nil, err
	}
	var content []byte
	err = eventually(ctx, func() bool {
		content, _ = os.ReadFile(portFile)
		_, err := os.Stat(socket)
		return len(content) > 0 && err == nil
	})
	return proxy.Process.Pid, string(content), stop, err
}

// bareProxy is nothing but httputil.ReverseProxy in front of a unix socket.
func bareProxy(socket, portFile string) error {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return err
	}
	transport := &http.Transport{
		DialContext: func(ctx context.Context, _, _ string) (net.Conn, error) {
			var dialer net.Dialer
			return dialer.DialContext(ctx, "unix", socket)
		},
		DisableCompression: true, MaxIdleConnsPerHost: 64,
	}
	proxy := &httputil.ReverseProxy{Transport: transport, Rewrite: func(p *httputil.ProxyRequest) {
		p.Out.URL.Scheme, p.Out.URL.Host = "http", "instance"
		p.SetXForwarded()
	}}
	unfinished := portFile + ".new"
	if err := os.WriteFile(unfinished, []byte(l.Addr().String()), 0o644); err != nil {
		return err
	}
	if err := os.Rename(unfinished, portFile); err != nil {
		return err
	}
	return http.Serve(l, proxy)
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
	return gatewayCalls / took.Seconds(), float64((after - before).Microseconds()) / gatewayCalls, err
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
