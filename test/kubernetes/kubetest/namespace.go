//go:build linux

package kubetest

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/rest"
	"k8s.io/client-go/tools/clientcmd"

	engine "github.com/jeton-dev/jeton/internal/engine/kubernetes"
	"github.com/jeton-dev/jeton/internal/server"
	"github.com/jeton-dev/jeton/test/await"
	"github.com/jeton-dev/jeton/test/jetontest"
	"github.com/jeton-dev/jeton/test/kubernetes/cluster"
)

// Image is the image of functions in the test cluster.
const Image = "ghcr.io/jeton-dev/jeton-runtime-{language}:dev"

// A Namespace is a namespace of the test cluster in which the Pod Security Standard restricted is
// enforced.
type Namespace struct {
	Name    string
	Cluster *cluster.Cluster
	// Client is an administrator's client, and Config its configuration.
	Client kubernetes.Interface
	Config *rest.Config

	t testing.TB
}

// New creates a namespace, which is deleted after the test.
func New(t testing.TB, name string) *Namespace {
	t.Helper()
	n := &Namespace{Name: name, Cluster: cluster.Inside(t), t: t}
	var err error
	if n.Config, err = clientcmd.BuildConfigFromFlags("", n.Cluster.Kubeconfig()); err != nil {
		t.Fatal(err)
	}
	n.Config.QPS, n.Config.Burst = 1000, 1000
	if n.Client, err = kubernetes.NewForConfig(n.Config); err != nil {
		t.Fatal(err)
	}
	created := &corev1.Namespace{ObjectMeta: metav1.ObjectMeta{
		Name: name, Labels: map[string]string{"pod-security.kubernetes.io/enforce": "restricted"},
	}}
	if _, err := n.Client.CoreV1().Namespaces().Create(t.Context(), created, metav1.CreateOptions{}); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := n.Client.CoreV1().Namespaces().Delete(context.Background(), name, metav1.DeleteOptions{}); err != nil {
			t.Errorf("delete the namespace: %v", err)
		}
	})
	await.True(t, "the namespace has its service account", func() bool {
		_, err := n.Client.CoreV1().ServiceAccounts(name).Get(t.Context(), "default", metav1.GetOptions{})
		return err == nil
	})
	return n
}

// Server makes a server run functions as Pods of the namespace.
func (n *Namespace) Server(c *server.Config) {
	c.Engine = server.KubernetesEngine
	c.Kubernetes.Kubeconfig, c.Kubernetes.Namespace, c.Kubernetes.Image = n.Cluster.Kubeconfig(), n.Name, Image
}

var _ jetontest.Option = (*Namespace)(nil).Server

// Pods returns the Pods with labels, given as key and value.
func (n *Namespace) Pods(labels ...string) []corev1.Pod {
	n.t.Helper()
	pods, err := n.List(labels...)
	if err != nil {
		n.t.Fatal(err)
	}
	return pods
}

// List is Pods for callers that may fail.
func (n *Namespace) List(labels ...string) ([]corev1.Pod, error) {
	var selector []string
	for i := 0; i+1 < len(labels); i += 2 {
		selector = append(selector, labels[i]+"="+labels[i+1])
	}
	list, err := n.Client.CoreV1().Pods(n.Name).List(context.Background(), metav1.ListOptions{LabelSelector: strings.Join(selector, ",")})
	if err != nil {
		return nil, err
	}
	return list.Items, nil
}

// AwaitNoPods waits until there are no Pods with labels.
func (n *Namespace) AwaitNoPods(labels ...string) {
	n.t.Helper()
	if err := n.NoPods(context.Background(), labels...); err != nil {
		n.t.Fatal(err)
	}
}

// NoPods is AwaitNoPods with a context. Returns an error that names the Pods that are left.
func (n *Namespace) NoPods(ctx context.Context, labels ...string) error {
	var left []string
	err := await.Until(ctx, "there are no Pods with "+strings.Join(labels, " "), func() bool {
		pods, err := n.List(labels...)
		left = nil
		for _, pod := range pods {
			left = append(left, pod.Name)
		}
		return err == nil && len(left) == 0
	})
	if err != nil {
		return fmt.Errorf("%w: left are %v", err, left)
	}
	return nil
}

// DeletePods deletes all Pods at once, as a node that is lost.
func (n *Namespace) DeletePods() {
	n.t.Helper()
	err := n.Client.CoreV1().Pods(n.Name).DeleteCollection(context.Background(), metav1.DeleteOptions{GracePeriodSeconds: new(int64(0))}, metav1.ListOptions{})
	if err != nil {
		n.t.Fatal(err)
	}
}

// PausePod returns a Pod that does nothing.
func PausePod(name string) *corev1.Pod {
	return &corev1.Pod{
		ObjectMeta: metav1.ObjectMeta{Name: name},
		Spec: corev1.PodSpec{
			TerminationGracePeriodSeconds: new(int64(1)),
			SecurityContext: &corev1.PodSecurityContext{
				RunAsUser: new(int64(65532)), RunAsNonRoot: new(true), SeccompProfile: &corev1.SeccompProfile{Type: corev1.SeccompProfileTypeRuntimeDefault},
			},
			Containers: []corev1.Container{{
				Name: "pause", Image: cluster.PauseImage, ImagePullPolicy: corev1.PullNever,
				SecurityContext: &corev1.SecurityContext{
					AllowPrivilegeEscalation: new(bool), Capabilities: &corev1.Capabilities{Drop: []corev1.Capability{"ALL"}},
				},
			}},
		},
	}
}

// Living returns those Pods that have not ended.
func Living(pods []corev1.Pod) []corev1.Pod {
	var living []corev1.Pod
	for _, pod := range pods {
		if pod.Status.Phase != corev1.PodFailed && pod.Status.Phase != corev1.PodSucceeded {
			living = append(living, pod)
		}
	}
	return living
}

// NodesOf returns the values of the label of the node in some Pods.
func NodesOf(pods []corev1.Pod) []string {
	var nodes []string
	for _, pod := range pods {
		nodes = append(nodes, pod.Labels[engine.LabelNode])
	}
	return nodes
}

// Kubectl runs kubectl and returns its output.
func Kubectl(t testing.TB, args ...string) string {
	t.Helper()
	output, err := exec.CommandContext(t.Context(), "kubectl", args...).CombinedOutput()
	if err != nil {
		t.Fatalf("kubectl %s: %v\n%s", strings.Join(args, " "), err, output)
	}
	return string(output)
}

// Apply applies manifests with kubectl.
func Apply(t testing.TB, manifests string, args ...string) {
	t.Helper()
	command := exec.CommandContext(t.Context(), "kubectl", append([]string{"apply", "-f", "-"}, args...)...)
	command.Stdin = strings.NewReader(manifests)
	if output, err := command.CombinedOutput(); err != nil {
		t.Fatalf("kubectl apply: %v\n%s", err, output)
	}
}

// Chart returns the manifests of some kinds of a chart that the caller of the tests has rendered, in
// another namespace.
func Chart(t testing.TB, name, namespace string, kinds ...string) string {
	t.Helper()
	content, err := os.ReadFile(filepath.Join(os.Getenv("JETON_TEST_CHARTS"), name+".yaml"))
	if err != nil {
		t.Fatalf("%v: run make test-kubernetes", err)
	}
	var chosen []string
	for document := range strings.SplitSeq(string(content), "\n---\n") {
		for _, kind := range kinds {
			if strings.Contains("\n"+document, "\nkind: "+kind+"\n") {
				chosen = append(chosen, document)
			}
		}
	}
	if len(chosen) == 0 {
		t.Fatalf("the chart has no %v", kinds)
	}
	return strings.ReplaceAll(strings.Join(chosen, "\n---\n"), "namespace: jeton\n", "namespace: "+namespace+"\n") + "\n"
}
