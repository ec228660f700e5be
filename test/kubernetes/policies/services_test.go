//go:build linux && kubernetes

package policies_test

import (
	"fmt"
	"net"
	"slices"
	"testing"
	"time"

	function "github.com/scaleway/scaleway-sdk-go/api/function/v1beta1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/util/intstr"

	"github.com/jeton-dev/jeton/internal/agent/wire"
	engine "github.com/jeton-dev/jeton/internal/engine/kubernetes"
	"github.com/jeton-dev/jeton/internal/iam"
	"github.com/jeton-dev/jeton/test/await"
	"github.com/jeton-dev/jeton/test/jetontest"
	"github.com/jeton-dev/jeton/test/kubernetes/cluster"
	"github.com/jeton-dev/jeton/test/kubernetes/kubetest"
)

// expose creates a Service and returns its addresses: the one in the cluster, and the port of the node.
func expose(t *testing.T, n *kubetest.Namespace, selector map[string]string, port int32) (inside, node string) {
	t.Helper()
	s, err := n.Client.CoreV1().Services(n.Name).Create(t.Context(), &corev1.Service{
		ObjectMeta: metav1.ObjectMeta{GenerateName: "service-"},
		Spec: corev1.ServiceSpec{
			Type: corev1.ServiceTypeNodePort, Selector: selector, Ports: []corev1.ServicePort{{Port: 80, TargetPort: intstr.FromInt32(port)}},
		},
	}, metav1.CreateOptions{})
	if err != nil {
		t.Fatal(err)
	}
	return s.Spec.ClusterIP + ":80", fmt.Sprintf("%s:%d", cluster.NodeIP, s.Spec.Ports[0].NodePort)
}

// exposed are the addresses at which Services of a namespace make parts of the cluster reachable.
type exposed struct {
	// open has the API server and a Pod that no policy selects, victim a function of another project.
	open, victim []string
}

// all returns all addresses, sorted.
func (e exposed) all() []string { return slices.Sorted(slices.Values(slices.Concat(e.open, e.victim))) }

// startExposed starts a server with a function that connects to addresses, in a namespace with the chart's
// policies or without any, and creates Services.
func startExposed(t *testing.T, name string, policies bool) (*jetontest.Jeton, *function.Function, exposed) {
	t.Helper()
	n, j := start(t, name, policies)
	api := function.NewAPI(j.Client())
	f := kubetest.Deploy(t, api, kubetest.Node(kubetest.CreateNamespace(t, api), "f", function.FunctionPrivacyPublic), kubetest.ReachCode)
	second, err := j.Admin.CreateProject(t.Context(), "second")
	if err != nil {
		t.Fatal(err)
	}
	other := function.NewAPI(j.ClientOf(j.Key(second.ID, iam.FullAccess)))
	request := kubetest.Node(kubetest.CreateNamespace(t, other), "victim", function.FunctionPrivacyPublic)
	request.MinScale = new(uint32(1))
	victim := kubetest.Deploy(t, other, request, "exports.handle = () => 'mine';\n")
	kubetest.RunNode(t, name, "open", "require('net').createServer().listen(8000);\n")

	var e exposed
	inside, node := expose(t, n, map[string]string{"app": "open"}, 8000)
	kubernetes, err := n.Client.CoreV1().Services("default").Get(t.Context(), "kubernetes", metav1.GetOptions{})
	if err != nil {
		t.Fatal(err)
	}
	e.open = []string{net.JoinHostPort(kubernetes.Spec.ClusterIP, "443"), inside, node}
	slices.Sort(e.open)
	inside, node = expose(t, n, map[string]string{engine.LabelFunction: victim.ID}, wire.Port)
	e.victim = []string{inside, node}
	// The machine reaches all of them: policies do not apply to it.
	for _, address := range e.all() {
		await.True(t, "the Service at "+address+" is reachable", func() bool {
			conn, err := net.DialTimeout("tcp", address, time.Second)
			return err == nil && conn.Close() == nil
		})
	}
	return j, f, e
}

// TestServices_FunctionsReachNothingOfTheCluster connects through Services to the API server, another Pod and
// a function of another project. A Pod that no policy selects reaches the first two.
func TestServices_FunctionsReachNothingOfTheCluster(t *testing.T) {
	j, f, e := startExposed(t, "services", true)
	if reached := kubetest.ReachedBy(t, j.GatewayURL, f, e.all()...); len(reached) > 0 {
		t.Errorf("the function reaches %v", reached)
	}
	if reached := kubetest.ReachedByPod(t, "services", e.all()...); !slices.Equal(reached, e.open) {
		t.Errorf("a Pod that no policy selects reaches %v, want %v", reached, e.open)
	}
}

// TestServices_ReachableWithoutPolicies shows that the policies prevent it.
func TestServices_ReachableWithoutPolicies(t *testing.T) {
	j, f, e := startExposed(t, "services-open", false)
	if reached := kubetest.ReachedBy(t, j.GatewayURL, f, e.all()...); !slices.Equal(reached, e.all()) {
		t.Errorf("the function reaches %v, want %v", reached, e.all())
	}
}
