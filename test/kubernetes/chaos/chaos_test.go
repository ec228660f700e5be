//go:build linux && kubernetes

package chaos_test

import (
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	function "github.com/scaleway/scaleway-sdk-go/api/function/v1beta1"
	"github.com/scaleway/scaleway-sdk-go/scw"

	engine "github.com/jeton-dev/jeton/internal/engine/kubernetes"
	"github.com/jeton-dev/jeton/internal/engine/process"
	"github.com/jeton-dev/jeton/internal/server"
	"github.com/jeton-dev/jeton/test/await"
	"github.com/jeton-dev/jeton/test/clustertest"
	"github.com/jeton-dev/jeton/test/kubernetes/chaos"
	"github.com/jeton-dev/jeton/test/kubernetes/kubetest"
)

func TestMain(m *testing.M) { clustertest.Main(m) }

// roundsVariable is how often each part is killed; 1 by default.
const roundsVariable = "JETON_TEST_CHAOS_ROUNDS"

// steady is how many calls are answered after each fault before the next.
const steady = 60

// TestChaos_NothingWrongUnderLoad kills the parts of the cluster and of Jeton, one after another, while
// clients call with valid, revoked and expired tokens and make changes.
func TestChaos_NothingWrongUnderLoad(t *testing.T) {
	n := kubetest.New(t, "chaos")
	c := clustertest.StartProcesses(t, 3, n.Server, func(c *server.Config) {
		c.WarmPool = process.WarmPool{Min: 1, Max: 2, Memory: 2 << 30}
	})
	l := &load{t: t, cluster: c, namespace: n}
	l.use(nil)
	api := l.any().api
	request := kubetest.Node(kubetest.CreateNamespace(t, api), "f", function.FunctionPrivacyPrivate)
	request.MaxScale = new(uint32(maxScale))
	l.function = kubetest.Deploy(t, api, request, code)
	l.start()
	defer l.end()
	phases := []chaos.Phase{l.during("nothing", func() {})}
	for range rounds(t) {
		for _, fault := range l.faults() {
			phases = append(phases, l.during(fault.name, fault.inject))
		}
	}
	l.end()
	report(t, l, phases)
	if len(n.Pods(engine.LabelManagedBy, "jeton")) == 0 {
		t.Error("there are no Pods before the end: that none is left then proves nothing")
	}
	for _, node := range c.Nodes {
		node.Stop()
	}
	n.AwaitNoPods(engine.LabelManagedBy, "jeton")
}

func rounds(t *testing.T) int {
	t.Helper()
	text := os.Getenv(roundsVariable)
	if text == "" {
		return 1
	}
	n, err := strconv.Atoi(text)
	if err != nil || n < 1 {
		t.Fatalf("%s is %q: it must be a number", roundsVariable, text)
	}
	return n
}

// during causes a fault and waits until calls are answered again.
func (l *load) during(name string, inject func()) chaos.Phase {
	l.t.Helper()
	p := chaos.Phase{Name: name, Begun: time.Now()}
	inject()
	l.awaitAnswers(steady)
	p.Over = time.Now()
	return p
}

type fault struct {
	name   string
	inject func()
}

// faults returns what is killed. The cluster restarts its parts.
func (l *load) faults() []fault {
	kill := func(part string) func() {
		return func() {
			if err := l.namespace.Cluster.Signal(part, syscall.SIGKILL); err != nil {
				l.t.Fatal(err)
			}
			// The load continues while the part starts again.
			l.awaitAnswers(steady)
			await.True(l.t, "the API server answers", func() bool { _, err := l.namespace.List(); return err == nil })
		}
	}
	return []fault{
		{"API server", kill("kube-apiserver")},
		{"etcd", kill("etcd")},
		{"kubelet", kill("kubelet")},
		{"agents", l.killAgents},
		{"API server and agents", func() {
			l.namespace.Cluster.Hold(l.t, "kube-apiserver")
			l.killAgents()
			l.namespace.Cluster.Release(l.t, "kube-apiserver")
		}},
		{"home", func() {
			home := l.cluster.Home(l.function.ID)
			l.use(home)
			home.Kill()
			l.awaitAnswers(steady)
			home.Restart()
			home.AwaitReady(l.t)
			l.use(nil)
		}},
	}
}

// killAgents kills the agents of all Pods.
func (l *load) killAgents() {
	killed := 0
	lines, err := filepath.Glob("/proc/[0-9]*/cmdline")
	if err != nil {
		l.t.Fatal(err)
	}
	for _, file := range lines {
		line, err := os.ReadFile(file)
		if err != nil || !strings.HasPrefix(string(line), "/usr/local/bin/jeton\x00agent\x00--dir=") {
			continue
		}
		pid, err := strconv.Atoi(filepath.Base(filepath.Dir(file)))
		if err == nil && syscall.Kill(pid, syscall.SIGKILL) == nil {
			killed++
		}
	}
	if killed == 0 {
		l.t.Error("there is no agent to kill")
	}
}

// report prints the table, and checks what the clients have seen.
func report(t *testing.T, l *load, phases []chaos.Phase) {
	t.Helper()
	var tokens []string
	// A node that has just joined may not be able to confirm its answer yet.
	await.True(t, "the tokens can be listed", func() bool {
		listed, err := l.any().api.ListTokens(&function.ListTokensRequest{FunctionID: &l.function.ID}, scw.WithAllPages())
		if err != nil {
			return false
		}
		tokens = nil
		for _, token := range listed.Tokens {
			tokens = append(tokens, token.ID)
		}
		return true
	})
	wrong, denied, lost, most := l.history.WronglyAdmitted(), l.history.WronglyDenied(), l.ledger.Lost(tokens), l.history.MostAtOnce()
	var table strings.Builder
	fmt.Fprintln(&table, chaos.Header)
	for _, p := range phases {
		fmt.Fprintln(&table, l.history.Row(p))
	}
	fmt.Fprintf(&table, "calls %d, wrongly admitted %d, wrongly denied %d; changes acknowledged %d, not answered %d, lost %d; Pods at once per node %v of %d\n",
		len(l.history.Calls), len(wrong), len(denied), l.ledger.Acknowledged, l.ledger.Unanswered, len(lost), most, maxScale)
	t.Logf("\n%s", &table)
	if len(wrong) > 0 || len(denied) > 0 || len(lost) > 0 {
		t.Errorf("wrongly admitted: %+v\nwrongly denied: %+v\nlost: %v", wrong, denied, lost)
	}
	served := 0
	for node, n := range most {
		if served += n; n > maxScale {
			t.Errorf("%d Pods of node %q served at once, want %d at most", n, node, maxScale)
		}
	}
	if served < maxScale || l.ledger.Acknowledged < 10 {
		t.Errorf("%d Pods served and %d changes were acknowledged: the load is too low for the checks", served, l.ledger.Acknowledged)
	}
}
