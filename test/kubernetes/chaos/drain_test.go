//go:build linux && kubernetes

package chaos_test

import (
	"net/http"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	function "github.com/scaleway/scaleway-sdk-go/api/function/v1beta1"

	engine "github.com/jeton-dev/jeton/internal/engine/kubernetes"
	"github.com/jeton-dev/jeton/test/await"
	"github.com/jeton-dev/jeton/test/jetontest"
	"github.com/jeton-dev/jeton/test/kubernetes/cluster"
	"github.com/jeton-dev/jeton/test/kubernetes/kubetest"
)

// slow answers with the name of its Pod, after some seconds at /slow.
const slow = `const os = require('os');
exports.handle = async (event) => {
  if (event.path === '/slow') {
    console.log('the call has begun');
    await new Promise((done) => setTimeout(done, 4000));
  }
  return { body: os.hostname() };
};
`

type answer struct {
	status int
	body   string
	err    error
	at     time.Time
}

// TestDrain_RunningCallEndsAndTheNextOnesWait drains the only node of the cluster during a call.
func TestDrain_RunningCallEndsAndTheNextOnesWait(t *testing.T) {
	n := kubetest.New(t, "drain")
	j := jetontest.StartProcess(t, filepath.Join(t.TempDir(), "data"), nil, n.Server)
	api := function.NewAPI(j.Client())
	request := kubetest.Node(kubetest.CreateNamespace(t, api), "f", function.FunctionPrivacyPublic)
	request.MaxScale = new(uint32(1))
	f := kubetest.Deploy(t, api, request, slow)
	call := func(path string) <-chan answer {
		answered := make(chan answer, 1)
		go func() {
			status, body, err := kubetest.Call(t.Context(), j.GatewayURL, f, path, "")
			answered <- answer{status, body, err, time.Now()}
		}()
		return answered
	}
	first := await.Receive(t, "the first answer", call("/"))
	if first.status != http.StatusOK {
		t.Fatalf("got %+v", first)
	}
	running := call("/slow")
	await.True(t, "the call runs", func() bool { return strings.Contains(kubetest.Log(t, j, f), "the call has begun") })
	await.True(t, "the Pod has the label of the function", func() bool { return len(n.Pods(engine.LabelFunction, f.ID)) == 1 })

	t.Cleanup(func() { _ = exec.Command("kubectl", "uncordon", cluster.NodeName).Run() })
	drained := make(chan answer, 1)
	go func() {
		output, err := exec.Command("kubectl", "drain", cluster.NodeName, "--force", "--delete-emptydir-data", "--ignore-daemonsets",
			"--pod-selector="+engine.LabelFunction+"="+f.ID, "--timeout=120s").CombinedOutput()
		drained <- answer{0, string(output), err, time.Now()}
	}()
	await.True(t, "the log says that the Pod is being ended", func() bool { return strings.Contains(kubetest.Log(t, j, f), "the Pod is being ended") })
	next := call("/")
	ended := await.Receive(t, "the answer of the running call", running)
	if ended.err != nil || ended.status != http.StatusOK || ended.body != first.body {
		t.Errorf("the running call: got %+v, want 200 of the Pod %s", ended, first.body)
	}
	drain := await.Receive(t, "the end of the drain", drained)
	if drain.err != nil || drain.at.Before(ended.at) {
		t.Errorf("kubectl drain: %v, %v after the answer of the call:\n%s", drain.err, drain.at.Sub(ended.at), drain.body)
	}
	t.Logf("kubectl drain ended %v after the answer of the running call", drain.at.Sub(ended.at))
	await.True(t, "the log says why the next call waits", func() bool {
		return strings.Contains(kubetest.Log(t, j, f), "it is not scheduled: 0/1 nodes are available: 1 node(s) were unschedulable")
	})
	kubetest.Kubectl(t, "uncordon", cluster.NodeName)
	if got := await.Receive(t, "the answer of the next call", next); got.status != http.StatusOK || got.body == first.body {
		t.Errorf("the next call: got %+v, want 200 of another Pod than %s", got, first.body)
	}
}
