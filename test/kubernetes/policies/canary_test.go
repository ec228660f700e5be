//go:build linux && kubernetes

package policies_test

import (
	"encoding/json"
	"errors"
	"net"
	"net/http"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	function "github.com/scaleway/scaleway-sdk-go/api/function/v1beta1"
	corev1 "k8s.io/api/core/v1"

	engine "github.com/jeton-dev/jeton/internal/engine/kubernetes"
	"github.com/jeton-dev/jeton/internal/server"
	"github.com/jeton-dev/jeton/test/await"
	"github.com/jeton-dev/jeton/test/jetontest"
	"github.com/jeton-dev/jeton/test/kubernetes/cluster"
	"github.com/jeton-dev/jeton/test/kubernetes/kubetest"
)

// code connects to an address from its first line on, and reports how often it tried and succeeded.
const code = `const net = require('net');
const [host, port] = process.env.TARGET.split(':');
let tried = 0, reached = 0;
function connect() {
  tried++;
  const socket = net.connect({ host, port: Number(port) });
  socket.on('connect', () => { reached++; socket.destroy(); });
  socket.on('error', () => {});
}
connect();
setInterval(connect, 10).unref();
exports.handle = async () => {
  await new Promise((done) => setTimeout(done, 200));
  return { body: JSON.stringify({ tried, reached }) };
};
`

// exposure is how long Pods of the tests run without policies.
const exposure = 2 * time.Second

// A target is an address of the machine that functions must not reach.
type target struct {
	address string
	// reached counts connections.
	reached atomic.Int64
}

func newTarget(t *testing.T) *target {
	t.Helper()
	listener, err := net.Listen("tcp", cluster.NodeIP+":0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = listener.Close() })
	found := &target{address: listener.Addr().String()}
	go func() {
		for {
			conn, err := listener.Accept()
			if errors.Is(err, net.ErrClosed) {
				return
			}
			if err == nil {
				found.reached.Add(1)
				_ = conn.Close()
			}
		}
	}()
	return found
}

// A result is what a function has seen.
type result struct{ Tried, Reached int }

// startWithoutPolicies starts an instance of a function while nothing enforces network policies for new
// Pods, which lasts for exposure after the Pod runs, and returns what the function has seen.
func startWithoutPolicies(t *testing.T, name string, change func(*server.Config)) (result, *target) {
	t.Helper()
	n := kubetest.New(t, name)
	kubetest.Apply(t, kubetest.Chart(t, "builds", name, "NetworkPolicy"), "-n", name)
	aim := newTarget(t)
	j := jetontest.StartProcess(t, filepath.Join(t.TempDir(), "data"), nil, n.Server, change)
	api := function.NewAPI(j.Client())
	request := kubetest.Node(kubetest.CreateNamespace(t, api), "f", function.FunctionPrivacyPublic)
	request.EnvironmentVariables = &map[string]string{"TARGET": aim.address}
	f := kubetest.Deploy(t, api, request, code)
	n.Cluster.Hold(t, "kube-router")
	released := false
	release := func() {
		if !released {
			released = true
			n.Cluster.Release(t, "kube-router")
		}
	}
	defer release()
	n.DeletePods()
	n.AwaitNoPods(engine.LabelManagedBy, "jeton")
	await.True(t, "the instance of the start check gets no more calls", func() bool {
		log := kubetest.Log(t, j, f)
		return strings.Contains(log, "the Pod is being ended") || strings.Contains(log, "the instance ended")
	})
	aim.reached.Store(0)
	answered := make(chan result, 1)
	go func() {
		var r result
		status, body, err := kubetest.Call(t.Context(), j.GatewayURL, f, "/", "")
		if err != nil || status != http.StatusOK || json.Unmarshal([]byte(body), &r) != nil {
			t.Errorf("the call: got %d %q, %v", status, body, err)
		}
		answered <- r
	}()
	await.True(t, "a Pod runs", func() bool {
		pods := n.Pods(engine.LabelManagedBy, "jeton")
		return len(pods) > 0 && pods[0].Status.Phase == corev1.PodRunning && pods[0].Status.PodIP != ""
	})
	running := time.Now()
	await.True(t, "the Pod has run for some time", func() bool { return time.Since(running) > exposure })
	release()
	return await.Receive(t, "the answer", answered), aim
}

// TestCanary_NoCodeRunsBeforeThePolicies starts instances while network policies are late. With the canary
// the function is started when they are in force; without it, the function connects before.
func TestCanary_NoCodeRunsBeforeThePolicies(t *testing.T) {
	with, target := startWithoutPolicies(t, "canary", func(c *server.Config) { c.Kubernetes.Canary = canaryAddress })
	if with.Tried == 0 || with.Reached != 0 || target.reached.Load() != 0 {
		t.Errorf("with the canary the function reached the target %d times of %d tries, and the target counted %d",
			with.Reached, with.Tried, target.reached.Load())
	}
	without, target := startWithoutPolicies(t, "no-canary", func(*server.Config) {})
	if without.Reached == 0 || target.reached.Load() == 0 {
		t.Errorf("without the canary the function reached the target %d times of %d tries: this test cannot fail", without.Reached, without.Tried)
	}
	t.Logf("connections of the function before the policies: %d of %d with the canary, %d of %d without", with.Reached, with.Tried, without.Reached, without.Tried)
}
