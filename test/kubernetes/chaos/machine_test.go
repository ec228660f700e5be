//go:build linux && kubernetes

package chaos_test

import (
	"context"
	"net/http"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	function "github.com/scaleway/scaleway-sdk-go/api/function/v1beta1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	engine "github.com/jeton-dev/jeton/internal/engine/kubernetes"
	"github.com/jeton-dev/jeton/internal/engine/process"
	"github.com/jeton-dev/jeton/internal/server"
	"github.com/jeton-dev/jeton/test/await"
	"github.com/jeton-dev/jeton/test/jetontest"
	"github.com/jeton-dev/jeton/test/kubernetes/cluster"
	"github.com/jeton-dev/jeton/test/kubernetes/kubetest"
)

// waiting answers with the name of its Pod. At /wait it does not answer, at /pause later, and at /fill it
// exceeds the limit of /tmp.
const waiting = `const fs = require('fs'), os = require('os');
exports.handle = async (event) => {
  if (event.path === '/fill' || event.path === '/fill-and-wait') {
    for (let i = 0; i < 32; i++) fs.writeFileSync(os.tmpdir() + '/' + i, Buffer.alloc(1 << 20, 1));
  }
  if (event.path === '/pause') await new Promise((done) => setTimeout(done, 200));
  if (event.path === '/wait' || event.path === '/fill-and-wait') {
    console.log('the call has begun');
    await new Promise(() => setInterval(() => {}, 1000));
  }
  return { body: os.hostname() };
};
`

// A machineTest is a function with one instance at most.
type machineTest struct {
	*kubetest.Namespace

	t        *testing.T
	jeton    *jetontest.Jeton
	api      *function.API
	group    string
	function *function.Function
}

func newMachineTest(t *testing.T, name string, options ...jetontest.Option) *machineTest {
	t.Helper()
	m := &machineTest{Namespace: kubetest.New(t, name), t: t}
	options = append([]jetontest.Option{m.Server, func(c *server.Config) { c.WarmPool = process.WarmPool{} }}, options...)
	m.jeton = jetontest.StartProcess(t, filepath.Join(t.TempDir(), "data"), nil, options...)
	m.api = function.NewAPI(m.jeton.Client())
	m.group = kubetest.CreateNamespace(t, m.api)
	m.function = m.deploy("f")
	return m
}

func (m *machineTest) deploy(name string) *function.Function {
	m.t.Helper()
	request := kubetest.Node(m.group, name, function.FunctionPrivacyPublic)
	request.MaxScale = new(uint32(1))
	return kubetest.Deploy(m.t, m.api, request, waiting)
}

// call calls a function in the background.
func (m *machineTest) call(f *function.Function, path string) <-chan answer {
	answered := make(chan answer, 1)
	go func() {
		status, body, err := kubetest.Call(m.t.Context(), m.jeton.GatewayURL, f, path, "")
		answered <- answer{status, body, err, time.Now()}
	}()
	return answered
}

// serves calls a function and returns the name of its Pod.
func (m *machineTest) serves(f *function.Function) string {
	m.t.Helper()
	got := await.Receive(m.t, "an answer", m.call(f, "/"))
	if got.status != http.StatusOK {
		m.t.Fatalf("a call: got %+v", got)
	}
	return got.body
}

// awaitLog waits until the log of a function has a text.
func (m *machineTest) awaitLog(f *function.Function, text string) {
	m.t.Helper()
	defer func() {
		if m.t.Failed() {
			m.t.Log(kubetest.Log(m.t, m.jeton, f))
		}
	}()
	await.True(m.t, "the log has "+text, func() bool { return strings.Contains(kubetest.Log(m.t, m.jeton, f), text) })
}

// begin calls the function at a path, and returns when the call runs.
func (m *machineTest) begin(f *function.Function, path string) <-chan answer {
	m.t.Helper()
	running := m.call(f, path)
	m.awaitLog(f, "the call has begun")
	return running
}

// pod returns a Pod by name; nil if it does not exist.
func (m *machineTest) pod(name string) *corev1.Pod {
	m.t.Helper()
	for _, pod := range m.Pods() {
		if pod.Name == name {
			return &pod
		}
	}
	return nil
}

// A record has what was seen of the Pods of a function.
type record struct {
	mu sync.Mutex
	// most is the maximum number of Pods at the same time that are not being deleted.
	most int
	// instances are the Pods by instance, and twice the instances of more than one Pod.
	instances map[string]string
	twice     []string
}

// record watches the Pods of the function until the returned function is called.
func (m *machineTest) record() (r *record, stop func()) {
	r = &record{instances: map[string]string{}}
	ctx, cancel := context.WithCancel(context.Background())
	var done sync.WaitGroup
	done.Go(func() {
		for ctx.Err() == nil {
			if pods, err := m.List(engine.LabelFunction, m.function.ID); err == nil {
				r.add(pods)
			}
			select {
			case <-time.After(100 * time.Millisecond):
			case <-ctx.Done():
			}
		}
	})
	return r, func() {
		cancel()
		done.Wait()
	}
}

func (r *record) add(pods []corev1.Pod) {
	r.mu.Lock()
	defer r.mu.Unlock()
	living := 0
	for _, pod := range pods {
		if pod.DeletionTimestamp == nil {
			living++
		}
		id := pod.Annotations["jeton.dev/instance"]
		if before := r.instances[id]; before != "" && before != pod.Name {
			r.twice = append(r.twice, id)
		}
		r.instances[id] = pod.Name
	}
	r.most = max(r.most, living)
}

// count returns how many instances were seen.
func (r *record) count() int {
	r.mu.Lock()
	defer r.mu.Unlock()
	return len(r.instances)
}

// killContainers kills all processes of containers.
func killContainers(t *testing.T) {
	t.Helper()
	pids, err := kubetest.Processes("")
	if err != nil || len(pids) == 0 {
		t.Fatalf("there are no processes of containers: %v", err)
	}
	for _, pid := range pids {
		_ = syscall.Kill(pid, syscall.SIGKILL) // It may have ended with another one.
	}
}

// TestMachine_LossAndReturn loses the only machine that runs Pods, during a call, and starts it again.
func TestMachine_LossAndReturn(t *testing.T) {
	m := newMachineTest(t, "machine")
	m.AddMachine("n2")
	if _, err := m.Client.CoreV1().Pods(m.Name).Create(t.Context(), kubetest.PausePod("bystander"), metav1.CreateOptions{}); err != nil {
		t.Fatal(err)
	}
	await.True(t, "the bystander runs", func() bool { return m.pod("bystander").Status.Phase == corev1.PodRunning })
	first := m.serves(m.function)
	running := m.begin(m.function, "/wait")
	seen, stop := m.record()
	defer stop()
	lost := time.Now()
	m.Cluster.Hold(t, "kubelet")
	killContainers(t)

	if ended := await.Receive(t, "the answer of the running call", running); ended.status != http.StatusBadGateway {
		t.Errorf("the running call: got %+v, want 502", ended)
	}
	m.awaitLog(m.function, "the connection to the Pod "+first+" on machine "+cluster.NodeName+" is lost: ")
	next := m.call(m.function, "/")
	m.awaitLog(m.function, "another Pod is created: ")
	t.Logf("another Pod after %v", time.Since(lost))
	await.True(t, "Kubernetes evicts the Pods of the machine", func() bool { return m.pod("bystander").DeletionTimestamp != nil })
	m.awaitLog(m.function, "it is not scheduled: 0/2 nodes are available")
	t.Logf("the loss is noticed after %v", time.Since(lost))
	if pod := m.pod(first); pod == nil || pod.DeletionTimestamp == nil {
		t.Errorf("the Pod of the lost machine is %+v, want one that waits for its kubelet", pod)
	}
	m.Cluster.Release(t, "kubelet")
	if got := await.Receive(t, "the answer of the next call", next); got.status != http.StatusOK || got.body == first {
		t.Errorf("the next call: got %+v, want 200 of another Pod than %s", got, first)
	}
	t.Logf("the next call was answered %v after the loss", time.Since(lost))
	await.True(t, "the Pods of the lost machine are deleted", func() bool { return m.pod(first) == nil && m.pod("bystander") == nil })
	// A Pod has its labels soon after its first call.
	await.True(t, "the Pods of both instances are seen", func() bool { return seen.count() == 2 })
	stop()
	if seen.most != 1 || len(seen.twice) > 0 {
		t.Errorf("%d Pods at once, want 1; instances of two Pods: %v", seen.most, seen.twice)
	}
	m.AwaitMachine()
	m.jeton.Stop()
	m.AwaitNoPods(engine.LabelManagedBy, "jeton")
}
