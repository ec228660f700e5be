//go:build linux && kubernetes

package nodes_test

import (
	"fmt"
	"net/http"
	"testing"
	"time"

	function "github.com/scaleway/scaleway-sdk-go/api/function/v1beta1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	engine "github.com/jeton-dev/jeton/internal/engine/kubernetes"
	"github.com/jeton-dev/jeton/internal/engine/process"
	"github.com/jeton-dev/jeton/internal/server"
	"github.com/jeton-dev/jeton/test/await"
	"github.com/jeton-dev/jeton/test/clustertest"
	"github.com/jeton-dev/jeton/test/jetontest"
	"github.com/jeton-dev/jeton/test/kubernetes/kubetest"
)

func TestMain(m *testing.M) { clustertest.Main(m) }

const (
	public = function.FunctionPrivacyPublic
	code   = "exports.handle = () => ({ body: 'called' });\n"
)

func warm(c *server.Config) {
	c.WarmPool = process.WarmPool{Min: 1, Max: 1, Memory: 4 << 30}
}

// deployAt deploys a function through a node. Its home is as wanted, of all functions that may have that
// ID: it creates functions until one has the home, and deploys only that.
func deployAt(t *testing.T, c *clustertest.Cluster, home func(*clustertest.Node) bool) *function.Function {
	t.Helper()
	api := function.NewAPI(c.Nodes[0].Client())
	n, err := api.CreateNamespace(&function.CreateNamespaceRequest{Name: fmt.Sprintf("functions-%d", time.Now().UnixNano())})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := api.WaitForNamespace(&function.WaitForNamespaceRequest{NamespaceID: n.ID}); err != nil {
		t.Fatal(err)
	}
	for i := range 50 {
		f, err := api.CreateFunction(kubetest.Node(n.ID, fmt.Sprintf("f%d", i), public))
		if err != nil {
			t.Fatal(err)
		}
		if home(c.Home(f.ID)) {
			return kubetest.DeployCode(t, api, f, code)
		}
	}
	t.Fatal("no function has the wanted home")
	return nil
}

func anyHome(*clustertest.Node) bool { return true }

// TestNodes_OnlyTheHomeLaunchesPods calls functions through all nodes.
func TestNodes_OnlyTheHomeLaunchesPods(t *testing.T) {
	n := kubetest.New(t, "home")
	c := clustertest.StartProcesses(t, 3, n.Server)
	for _, home := range c.Nodes {
		f := deployAt(t, c, func(n *clustertest.Node) bool { return n == home })
		for _, node := range c.Nodes {
			kubetest.Want(t, node.GatewayURL, f, "/", "", http.StatusOK, "called")
		}
		await.True(t, "a Pod has the label of the function", func() bool { return len(n.Pods(engine.LabelFunction, f.ID)) > 0 })
		if nodes := kubetest.NodesOf(n.Pods(engine.LabelFunction, f.ID)); len(nodes) != 1 || nodes[0] != home.Name {
			t.Errorf("%s with the home %s has Pods of %v", f.Name, home.Name, nodes)
		}
	}
}

// TestNodes_KilledHomesPodsEndAndItsFunctionsMove kills a node. Its Pods end at once, since their
// agents lose the connection; the node that does the work of the cluster deletes them.
func TestNodes_KilledHomesPodsEndAndItsFunctionsMove(t *testing.T) {
	n := kubetest.New(t, "moves")
	c := clustertest.StartProcesses(t, 3, n.Server, warm)
	f := deployAt(t, c, anyHome)
	kubetest.Want(t, c.Nodes[0].GatewayURL, f, "/", "", http.StatusOK, "called")
	home := c.Home(f.ID)
	await.True(t, "the home has an instance and a warm Pod", func() bool { return len(kubetest.Living(n.Pods(engine.LabelNode, home.Name))) == 2 })
	killed := time.Now()
	home.Kill()
	await.True(t, "the Pods of the killed node have ended", func() bool { return len(kubetest.Living(n.Pods(engine.LabelNode, home.Name))) == 0 })
	ended := time.Since(killed)
	other := c.Others(home)[0]
	kubetest.Want(t, other.GatewayURL, f, "/", "", http.StatusOK, "called")
	t.Logf("the Pods had ended after %v; a call was answered after %v", ended, time.Since(killed))
	var nodes []string
	await.True(t, "a Pod has the label of the function", func() bool {
		nodes = kubetest.NodesOf(kubetest.Living(n.Pods(engine.LabelFunction, f.ID)))
		return len(nodes) > 0
	})
	if len(nodes) != 1 || nodes[0] == home.Name {
		t.Errorf("the function has Pods of %v after its home %s was killed", nodes, home.Name)
	}
	n.AwaitNoPods(engine.LabelNode, home.Name)
	t.Logf("its Pods were deleted after %v", time.Since(killed))
}

// TestNodes_CreationAfterFencingLeavesNoPod holds the request of a node that creates a Pod until the
// node was killed and fenced. The API server then creates the Pod.
func TestNodes_CreationAfterFencingLeavesNoPod(t *testing.T) {
	n := kubetest.New(t, "late")
	proxy := n.NewProxy()
	c := clustertest.StartProcesses(t, 1, n.Server)
	late := c.Add(func(config *server.Config) { config.Kubernetes.Kubeconfig = proxy.Kubeconfig })
	f := deployAt(t, c, func(n *clustertest.Node) bool { return n == late })
	// The start check has left an instance. The next deployment starts another one.
	proxy.Hold()
	before := len(proxy.Created())
	api := function.NewAPI(c.Nodes[0].Client())
	if _, err := api.DeployFunction(&function.DeployFunctionRequest{FunctionID: f.ID}); err != nil {
		t.Fatal(err)
	}
	await.True(t, "the node creates a Pod", func() bool { return proxy.Held() > 0 })
	late.Kill()
	await.True(t, "the killed node is fenced", func() bool { return len(c.Members()) == 1 })
	n.AwaitNoPods(engine.LabelNode, late.Name)
	proxy.Release()
	await.True(t, "the API server has answered the request", func() bool { return len(proxy.Created()) > before })
	if last := proxy.Created()[before]; last != http.StatusCreated {
		t.Fatalf("the API server answered %d, want 201", last)
	}
	n.AwaitNoPods(engine.LabelNode, late.Name)
	kubetest.Want(t, c.Nodes[0].GatewayURL, f, "/", "", http.StatusOK, "called")
}

// TestOwner_PodsEndWithThePodOfTheirNode deletes the Pod that owns those of a single node, which was
// killed: only the garbage collection of Kubernetes can delete them.
func TestOwner_PodsEndWithThePodOfTheirNode(t *testing.T) {
	n := kubetest.New(t, "owner")
	owner := kubetest.PausePod("owner")
	if _, err := n.Client.CoreV1().Pods(n.Name).Create(t.Context(), owner, metav1.CreateOptions{}); err != nil {
		t.Fatal(err)
	}
	j := jetontest.StartProcess(t, t.TempDir()+"/data", nil, n.Server, func(c *server.Config) { c.Kubernetes.Pod = owner.Name })
	api := function.NewAPI(j.Client())
	f := kubetest.Deploy(t, api, kubetest.Node(kubetest.CreateNamespace(t, api), "f", public), code)
	kubetest.Want(t, j.GatewayURL, f, "/", "", http.StatusOK, "called")
	j.Kill()
	pods := n.Pods(engine.LabelManagedBy, "jeton")
	if len(pods) == 0 {
		t.Fatal("the Pods of the killed node are gone already")
	}
	if err := n.Client.CoreV1().Pods(n.Name).Delete(t.Context(), owner.Name, metav1.DeleteOptions{GracePeriodSeconds: new(int64(0))}); err != nil {
		t.Fatal(err)
	}
	n.AwaitNoPods(engine.LabelManagedBy, "jeton")
}
