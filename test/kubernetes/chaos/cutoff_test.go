//go:build linux && kubernetes

package chaos_test

import (
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	engine "github.com/jeton-dev/jeton/internal/engine/kubernetes"
	"github.com/jeton-dev/jeton/test/await"
	"github.com/jeton-dev/jeton/test/kubernetes/cluster"
	"github.com/jeton-dev/jeton/test/kubernetes/kubetest"
)

// cut drops all packets between the node of Jeton and Pods, until the test ends or heal is called.
func cut(t *testing.T) (heal func()) {
	t.Helper()
	rules := [][]string{{"OUTPUT", "-d", cluster.PodCIDR, "-j", "DROP"}, {"PREROUTING", "-s", cluster.PodCIDR, "-j", "DROP"}}
	change := func(action string) {
		t.Helper()
		for _, rule := range rules {
			if output, err := exec.Command("iptables", append([]string{"-w", "-t", "raw", action}, rule...)...).CombinedOutput(); err != nil {
				t.Errorf("iptables %s %v: %v\n%s", action, rule, err, output)
			}
		}
	}
	heal = sync.OnceFunc(func() { change("-D") })
	t.Cleanup(heal)
	change("-I")
	return heal
}

// TestMachine_CutOffEndsItsInstances cuts the network of the machine during a call. Its instance ends by
// itself, not later than Jeton gives it up.
func TestMachine_CutOffEndsItsInstances(t *testing.T) {
	m := newMachineTest(t, "cut")
	first := m.serves(m.function)
	uid := string(m.pod(first).UID)
	running := m.begin(m.function, "/wait")
	m.Cluster.Hold(t, "kubelet")
	released := sync.OnceFunc(func() { m.Cluster.Release(t, "kubelet") })
	t.Cleanup(released)
	begun := time.Now()
	heal := cut(t)
	exited := make(chan time.Duration, 1)
	go func() {
		err := await.Until(t.Context(), "the instance ends", func() bool {
			pids, err := kubetest.Processes(uid)
			for _, pid := range pids {
				if line, _ := os.ReadFile(filepath.Join("/proc", strconv.Itoa(pid), "cmdline")); strings.Contains(string(line), "node") {
					return false
				}
			}
			return err == nil && len(pids) > 0
		})
		if err == nil {
			exited <- time.Since(begun)
		}
	}()
	ended := await.Receive(t, "the answer of the running call", running)
	if ended.status != http.StatusBadGateway {
		t.Errorf("the running call: got %+v, want 502", ended)
	}
	m.awaitLog(m.function, "the connection to the Pod "+first+" on machine "+cluster.NodeName+" is lost: ")
	gone := time.Since(begun)
	itself := await.Receive(t, "the end of the instance", exited)
	t.Logf("after the cut: the instance ended by itself after %v, the call after %v, Jeton gave the instance up after %v",
		itself, ended.at.Sub(begun), gone)
	if itself > gone {
		t.Errorf("the instance ended %v after Jeton had given it up", itself-gone)
	}
	heal()
	released()
	m.AwaitMachine()
	if again := m.serves(m.function); again == first {
		t.Errorf("the instance that was given up serves again: %s", again)
	}
	m.jeton.Stop()
	m.AwaitNoPods(engine.LabelManagedBy, "jeton")
}
