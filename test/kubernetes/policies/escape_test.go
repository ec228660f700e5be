//go:build linux && kubernetes

package policies_test

import (
	"os"
	"path/filepath"
	"slices"
	"testing"

	function "github.com/scaleway/scaleway-sdk-go/api/function/v1beta1"

	"github.com/jeton-dev/jeton/internal/server"
	"github.com/jeton-dev/jeton/test/escape"
	"github.com/jeton-dev/jeton/test/jetontest"
	"github.com/jeton-dev/jeton/test/kubernetes/cluster"
	"github.com/jeton-dev/jeton/test/kubernetes/kubetest"
)

// elsewhere are the attempts that Pods do not prevent, and what does.
var elsewhere = map[string]string{
	"disk":       "the kubelet evicts the Pod when a volume exceeds its size limit, some time later",
	"io_uring":   "the seccomp profile of the container runtime; containerd 1.6 permits io_uring",
	"machine":    "container runtimes do not hide the files of /proc about the machine",
	"interfaces": "the interfaces are those of the Pod",
	"ptrace":     "a function may trace its own processes; it cannot trace the launcher",
}

// missing are the attempts whose programs the image of a language does not have.
var missing = map[string][]string{"go": {"forks"}, "python": {"forks"}, "node": {"mount", "unshare"}}

// canaryAddress is an address of this machine that the chart's policies deny.
const canaryAddress = cluster.NodeIP + ":8084"

// A fixture is a server with the targets of the programs.
type fixture struct {
	*jetontest.Jeton

	api       *function.API
	namespace string
	targets   *escape.Targets
}

// start starts a server in a namespace with the chart's network policies, or without any. With policies no
// instance runs before them, also one that replaces another.
func start(t *testing.T, name string, policies bool) (*kubetest.Namespace, *jetontest.Jeton) {
	t.Helper()
	n := kubetest.New(t, name)
	canary := func(*server.Config) {}
	if policies {
		kubetest.Apply(t, kubetest.Chart(t, "builds", name, "NetworkPolicy"), "-n", name)
		canary = func(c *server.Config) { c.Kubernetes.Canary = canaryAddress }
	}
	return n, jetontest.StartProcess(t, filepath.Join(t.TempDir(), "data"), nil, n.Server, canary)
}

// newFixture starts a server in a namespace with the chart's network policies, or without any.
func newFixture(t *testing.T, name string, policies bool) *fixture {
	t.Helper()
	_, j := start(t, name, policies)
	f := &fixture{Jeton: j}
	f.api = function.NewAPI(f.Client())
	f.namespace = kubetest.CreateNamespace(t, f.api)
	victim := kubetest.Deploy(t, f.api, kubetest.Node(f.namespace, "victim", function.FunctionPrivacyPublic), "exports.handle = () => 'mine';\n")
	dir, err := os.MkdirTemp("/var/tmp", "jp") //nolint:usetesting // The path of a socket must be short.
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = os.RemoveAll(dir) })
	if f.targets, err = escape.NewTargets(dir, escape.Server{DataDir: f.DataDir, APIURL: f.APIURL, PID: os.Getpid()}, victim.ID); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = f.targets.Close() })
	return f
}

// try deploys a program and makes attempts.
func (f *fixture) try(t *testing.T, p escape.Program, attempts []string) []escape.Outcome {
	t.Helper()
	deployed, err := escape.Deploy(t.Context(), f.api, f.namespace, p)
	if err != nil {
		t.Fatal(err)
	}
	outcomes, err := escape.Try(t.Context(), p, attempts, f.GatewayURL, deployed.DomainName, f.targets)
	if err != nil {
		t.Fatal(err)
	}
	return outcomes
}

// TestEscape_ProgramsCannotLeaveTheirPods makes the attempts of the escape tests in Pods. Rust is left out:
// its crates cannot be downloaded inside the cluster.
func TestEscape_ProgramsCannotLeaveTheirPods(t *testing.T) {
	f := newFixture(t, "escape", true)
	for _, p := range escape.Programs() {
		if p.Language == "rust" {
			continue
		}
		t.Run(p.Language, func(t *testing.T) {
			attempts := slices.DeleteFunc(slices.Clone(p.Attempts), func(attempt string) bool {
				return elsewhere[attempt] != "" || slices.Contains(missing[p.Language], attempt)
			})
			for _, o := range f.try(t, p, attempts) {
				t.Logf("%-10s %s", o.Attempt, o.Answer)
				if failure := o.Failure(); failure != "" {
					t.Error(failure)
				}
			}
		})
	}
}

// TestEscape_NetworkAttemptsSucceedWithoutPolicies shows that the policies prevent them.
func TestEscape_NetworkAttemptsSucceedWithoutPolicies(t *testing.T) {
	f := newFixture(t, "escape-open", false)
	for _, p := range escape.Programs() {
		if p.Language != "node" {
			continue
		}
		for _, o := range f.try(t, p, []string{"host", "udp"}) {
			if !o.Succeeded {
				t.Errorf("%s: got %q, want success", o.Attempt, o.Answer)
			}
		}
	}
}
