package jetontest

import (
	"cmp"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"net/url"
	"os"
	"testing"
	"time"

	core "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/errors"
	meta "k8s.io/apimachinery/pkg/apis/meta/v1"
	corev1 "k8s.io/client-go/kubernetes/typed/core/v1"
	"k8s.io/client-go/tools/clientcmd"

	"github.com/jeton-dev/jeton/internal/engine/kubernetes"
	"github.com/jeton-dev/jeton/internal/server"
)

const (
	// engineVariable selects the engine of all servers of a test program.
	engineVariable = "JETON_TEST_ENGINE"
	// kubeconfigVariable names the configuration of the test cluster for programs that run inside.
	kubeconfigVariable = "KUBECONFIG"
	// podsNamespace is the namespace of all Pods. Each server has an installation of its own in it.
	podsNamespace = "e2e"
)

// InPods reports whether servers run functions and builds as Pods of the test cluster, in which the test
// program runs: the variable JETON_TEST_ENGINE is "kubernetes".
func InPods() bool { return os.Getenv(engineVariable) == server.KubernetesEngine }

// usePods makes a server run functions and builds as Pods, if all servers of the program do.
func usePods(t testing.TB, c *server.Config) {
	t.Helper()
	switch engine := os.Getenv(engineVariable); engine {
	case "", server.ProcessEngine:
		return
	case server.KubernetesEngine:
	default:
		t.Fatalf("%s is %q: use %s or %s", engineVariable, engine, server.ProcessEngine, server.KubernetesEngine)
	}
	c.Engine = server.KubernetesEngine
	c.Kubernetes.Kubeconfig, c.Kubernetes.Namespace = os.Getenv(kubeconfigVariable), podsNamespace
	c.Kubernetes.Image = "ghcr.io/jeton-dev/jeton-runtime-{language}:dev"
	makeNamespace(t)
}

// setInstallation separates the Pods of a server from those of others. Nodes with one database are one
// installation.
func setInstallation(c *server.Config) {
	if InPods() {
		sum := sha256.Sum256([]byte(cmp.Or(c.Database, c.DataDir)))
		c.Kubernetes.Installation = hex.EncodeToString(sum[:8])
	}
}

func coreClient(t testing.TB, kubeconfig string) *corev1.CoreV1Client {
	t.Helper()
	config, err := clientcmd.BuildConfigFromFlags("", kubeconfig)
	if err != nil {
		t.Fatalf("connect to the test cluster: %v: run make test-kubernetes-e2e", err)
	}
	client, err := corev1.NewForConfig(config)
	if err != nil {
		t.Fatal(err)
	}
	return client
}

// makeNamespace creates the namespace of Pods, in which the Pod Security Standard restricted is enforced.
func makeNamespace(t testing.TB) {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	client := coreClient(t, os.Getenv(kubeconfigVariable))
	namespace := &core.Namespace{ObjectMeta: meta.ObjectMeta{
		Name: podsNamespace, Labels: map[string]string{"pod-security.kubernetes.io/enforce": "restricted"},
	}}
	if _, err := client.Namespaces().Create(ctx, namespace, meta.CreateOptions{}); err != nil && !errors.IsAlreadyExists(err) {
		t.Fatalf("create the namespace of Pods: %v", err)
	}
}

// searchPods fails the test if a stopped server has left a Pod.
func (j *Jeton) searchPods() {
	j.t.Helper()
	if j.config.Engine != server.KubernetesEngine {
		return
	}
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	selector := kubernetes.LabelInstallation + "=" + j.config.Kubernetes.Installation
	if j.config.Node != "" {
		selector += "," + kubernetes.LabelNode + "=" + j.config.Node
	}
	pods, err := coreClient(j.t, j.config.Kubernetes.Kubeconfig).Pods(j.config.Kubernetes.Namespace).List(ctx, meta.ListOptions{LabelSelector: selector})
	if err != nil {
		j.t.Errorf("list the Pods of a stopped server: %v", err)
		return
	}
	for _, pod := range pods.Items {
		if pod.DeletionTimestamp == nil {
			j.t.Errorf("the server has stopped and left the Pod %s", pod.Name)
		}
	}
}

// HostAddress returns the address at which functions reach this machine: in Pods, or as plain processes.
func HostAddress(t testing.TB) string {
	t.Helper()
	if !InPods() {
		return "127.0.0.1"
	}
	config, err := clientcmd.BuildConfigFromFlags("", os.Getenv(kubeconfigVariable))
	if err != nil {
		t.Fatal(err)
	}
	// The API server of the test cluster runs on this machine.
	api, err := url.Parse(config.Host)
	if err != nil {
		t.Fatal(err)
	}
	return api.Hostname()
}
