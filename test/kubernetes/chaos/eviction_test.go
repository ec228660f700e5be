//go:build linux && kubernetes

package chaos_test

import (
	"net/http"
	"testing"
	"time"

	engine "github.com/jeton-dev/jeton/internal/engine/kubernetes"
	"github.com/jeton-dev/jeton/internal/server"
	"github.com/jeton-dev/jeton/test/await"
	"github.com/jeton-dev/jeton/test/kubernetes/kubetest"
)

// awaitAnswer waits until a function answers again, and returns the name of its Pod.
func (m *machineTest) awaitAnswer() (pod string) {
	m.t.Helper()
	await.True(m.t, "calls are answered", func() bool {
		status, body, err := kubetest.Call(m.t.Context(), m.jeton.GatewayURL, m.function, "/", "")
		pod = body
		return err == nil && status == http.StatusOK
	})
	return pod
}

// TestEviction_ByTheSizeOfAVolume fills /tmp of an idle instance, and of one that serves a call.
func TestEviction_ByTheSizeOfAVolume(t *testing.T) {
	m := newMachineTest(t, "evicted", func(c *server.Config) { c.InstanceDisk = 16 << 20 })
	busy := m.deploy("busy")
	first := m.serves(m.function)
	running := m.begin(busy, "/fill-and-wait")
	if got := await.Receive(t, "the answer", m.call(m.function, "/fill")); got.status != http.StatusOK || got.body != first {
		t.Fatalf("a call: got %+v, want 200 of %s", got, first)
	}
	begun := time.Now()
	const reason = "Evicted: Usage of EmptyDir volume" // The log escapes the quotes that follow.
	m.awaitLog(busy, "the Pod has ended: "+reason)
	if ended := await.Receive(t, "the answer of the running call", running); ended.status != http.StatusBadGateway {
		t.Errorf("the running call: got %+v, want 502", ended)
	}
	m.awaitLog(m.function, reason)
	t.Logf("both Pods were evicted within %v", time.Since(begun))
	if again := m.awaitAnswer(); again == first {
		t.Errorf("the evicted Pod %s serves again", again)
	}
	m.jeton.Stop()
	m.AwaitNoPods(engine.LabelManagedBy, "jeton")
}

// TestEviction_UnderMemoryPressure makes the kubelet consider the memory of the machine as used up.
func TestEviction_UnderMemoryPressure(t *testing.T) {
	m := newMachineTest(t, "pressure")
	first := m.serves(m.function)
	running := m.begin(m.function, "/wait")
	begun := time.Now()
	// A soft threshold does not reduce the memory that Pods may request.
	undo := m.Cluster.ChangeKubelet(t, "evictionPressureTransitionPeriod: 5s\n", `evictionPressureTransitionPeriod: 5s
evictionSoft: {memory.available: 99%}
evictionSoftGracePeriod: {memory.available: 1s}
evictionMaxPodGracePeriod: 1
`)
	defer func() { undo() }()
	m.awaitLog(m.function, "the Pod has ended: Evicted: The node was low on resource: memory")
	t.Logf("the Pod was evicted within %v", time.Since(begun))
	if ended := await.Receive(t, "the answer of the running call", running); ended.status != http.StatusBadGateway {
		t.Errorf("the running call: got %+v, want 502", ended)
	}
	undo()
	undo = func() {}
	m.AwaitMachine()
	if again := m.awaitAnswer(); again == first {
		t.Errorf("the evicted Pod %s serves again", again)
	}
	m.jeton.Stop()
	m.AwaitNoPods(engine.LabelManagedBy, "jeton")
}
