package main

import (
	"context"
	"fmt"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"time"

	function "github.com/scaleway/scaleway-sdk-go/api/function/v1beta1"

	"github.com/jeton-dev/jeton/bench/measure"
)

const coldRounds = 9

// idle is how long the instance of the benchmark lives without a call.
const idle = 300 * time.Millisecond

const nodeHandler = "exports.handle = async () => ({ statusCode: 200, body: 'hello' });\n"

const nodeServer = `require("http").createServer((q, r) => r.end("hello")).listen(process.argv[2]);
`

// coldNode measures the first call of a Node function that has no instance,
// beside bare node from its start to its first answer on a unix socket.
func (b *bench) coldNode(ctx context.Context) ([]measure.Result, error) {
	j, err := b.serve(ctx, "cold", "--idle-to-zero="+idle.String())
	if err != nil {
		return nil, err
	}
	defer j.stop()
	f, token, err := j.deploy(ctx, &function.CreateFunctionRequest{Name: "cold", Runtime: "node24"}, map[string]string{"handler.js": nodeHandler})
	if err != nil {
		return nil, err
	}
	script := filepath.Join(b.dir, "server.js")
	if err := os.WriteFile(script, []byte(nodeServer), 0o644); err != nil {
		return nil, err
	}
	l := load{url: j.gateway, host: f.DomainName, token: token}
	var ours, bare []float64
	for range coldRounds {
		if err := eventually(ctx, func() bool { return children(j.process.Process.Pid) == 0 }); err != nil {
			return nil, fmt.Errorf("the instance does not go: %w", err)
		}
		began := time.Now()
		if err := l.call(ctx, http.DefaultClient); err != nil {
			return nil, err
		}
		ours = append(ours, time.Since(began).Seconds()*1000)
		took, err := b.bareNode(ctx, script)
		if err != nil {
			return nil, err
		}
		bare = append(bare, took.Seconds()*1000)
	}
	return []measure.Result{measure.Compare("cold-node", "ms", "<= 1.3", "first call of a Node function beside bare node, not isolated", ours, bare)}, nil
}

// bareNode returns how long node takes from its start to its first answer.
func (b *bench) bareNode(ctx context.Context, script string) (time.Duration, error) {
	socket := filepath.Join(b.dir, "n")
	defer os.Remove(socket)
	client := &http.Client{Transport: &http.Transport{
		DisableKeepAlives: true,
		DialContext: func(ctx context.Context, _, _ string) (net.Conn, error) {
			var dialer net.Dialer
			return dialer.DialContext(ctx, "unix", socket)
		},
	}}
	node := exec.CommandContext(ctx, "node", script, socket)
	node.Env = []string{"PATH=" + os.Getenv("PATH")}
	began := time.Now()
	if err := node.Start(); err != nil {
		return 0, err
	}
	defer func() { _ = node.Process.Kill(); _ = node.Wait() }()
	var took time.Duration
	err := eventually(ctx, func() bool {
		response, err := client.Get("http://node/")
		if err != nil {
			return false
		}
		took = time.Since(began)
		return response.Body.Close() == nil
	})
	return took, err
}

// guard is the name of the server's own child, which is no instance.
const guard = "jeton-guard"

// children counts the instances among the child processes of a server.
func children(pid int) int {
	tasks, _ := filepath.Glob(fmt.Sprintf("/proc/%d/task/*/children", pid))
	count := 0
	for _, path := range tasks {
		content, _ := os.ReadFile(path)
		for _, child := range strings.Fields(string(content)) {
			// One that has ended since has no command line.
			command, err := os.ReadFile("/proc/" + child + "/cmdline")
			if err == nil && !strings.HasPrefix(string(command), guard) {
				count++
			}
		}
	}
	return count
}
