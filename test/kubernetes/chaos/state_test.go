//go:build linux && kubernetes

package chaos_test

import (
	"bytes"
	"encoding/json"
	"net/http"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	function "github.com/scaleway/scaleway-sdk-go/api/function/v1beta1"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/resource"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/jeton-dev/jeton/internal/server"
	"github.com/jeton-dev/jeton/test/await"
	"github.com/jeton-dev/jeton/test/jetontest"
	"github.com/jeton-dev/jeton/test/kubernetes/kubetest"
)

const simple = "exports.handle = () => ({ body: 'called' });\n"

// etcd sends a request to the JSON interface of etcd.
func etcd(t *testing.T, path string, request, response any) {
	t.Helper()
	text, err := json.Marshal(request)
	if err != nil {
		t.Fatal(err)
	}
	answered, err := http.Post("http://127.0.0.1:2379"+path, "application/json", bytes.NewReader(text))
	if err != nil {
		t.Fatal(err)
	}
	defer answered.Body.Close()
	if answered.StatusCode != http.StatusOK {
		t.Fatalf("etcd %s: %s", path, answered.Status)
	}
	if err := json.NewDecoder(answered.Body).Decode(response); err != nil {
		t.Fatal(err)
	}
}

// compact deletes the history of etcd.
func compact(t *testing.T) {
	t.Helper()
	var head struct{ Header struct{ Revision string } }
	etcd(t, "/v3/kv/range", map[string]string{"key": "AA=="}, &head)
	etcd(t, "/v3/kv/compaction", map[string]any{"revision": head.Header.Revision, "physical": true}, &struct{}{})
}

// TestWatch_ContinuesAfterCompaction makes the resource version of the server's watch too old: Pods
// change while its watch is paused, and etcd forgets the changes.
func TestWatch_ContinuesAfterCompaction(t *testing.T) {
	n := kubetest.New(t, "compaction")
	j := jetontest.StartProcess(t, filepath.Join(t.TempDir(), "data"), nil, n.Server)
	api := function.NewAPI(j.Client())
	namespace := kubetest.CreateNamespace(t, api)
	before := kubetest.Deploy(t, api, kubetest.Node(namespace, "before", function.FunctionPrivacyPublic), simple)
	n.Cluster.Hold(t, "kube-apiserver")
	j.Pause()
	n.Cluster.Release(t, "kube-apiserver")
	await.True(t, "Pods change while the server is paused", func() bool {
		_, err := n.Client.CoreV1().Pods(n.Name).Create(t.Context(), kubetest.PausePod("other"), metav1.CreateOptions{})
		return err == nil
	})
	compact(t)
	// A new API server has no events from before its start.
	if err := n.Cluster.Signal("kube-apiserver", syscall.SIGKILL); err != nil {
		t.Fatal(err)
	}
	await.True(t, "the API server answers", func() bool {
		_, err := n.List()
		return err == nil
	})
	j.Resume()
	kubetest.Want(t, j.GatewayURL, before, "/", "", http.StatusOK, "called")
	await.True(t, "the log says that the watch was too old", func() bool { return strings.Contains(j.Log.String(), "too old resource version") })
	after := kubetest.Deploy(t, api, kubetest.Node(namespace, "after", function.FunctionPrivacyPublic), simple)
	kubetest.Want(t, j.GatewayURL, after, "/", "", http.StatusOK, "called")
}

// TestState_SaysWhyNoPodStarts creates functions whose Pods the API server or the kubelet refuse.
func TestState_SaysWhyNoPodStarts(t *testing.T) {
	n := kubetest.New(t, "refused")
	proxy := n.NewProxy()
	j := jetontest.StartProcess(t, filepath.Join(t.TempDir(), "data"), nil, n.Server, func(c *server.Config) { c.Kubernetes.Kubeconfig = proxy.Kubeconfig })
	api := function.NewAPI(j.Client())
	namespace := kubetest.CreateNamespace(t, api)
	deploy := func(name string) *function.Function {
		return kubetest.Deploy(t, api, kubetest.Node(namespace, name, function.FunctionPrivacyPublic), simple)
	}

	busy := kubetest.Refusal{Status: http.StatusTooManyRequests, Header: map[string]string{"Retry-After": "1"}, Body: "slow down"}
	proxy.Refuse(busy, busy)
	f := deploy("throttled")
	kubetest.Want(t, j.GatewayURL, f, "/", "", http.StatusOK, "called")

	quota := &corev1.ResourceQuota{ObjectMeta: metav1.ObjectMeta{Name: "none"}, Spec: corev1.ResourceQuotaSpec{
		Hard: corev1.ResourceList{corev1.ResourcePods: *resource.NewQuantity(0, resource.DecimalSI)},
	}}
	if _, err := n.Client.CoreV1().ResourceQuotas(n.Name).Create(t.Context(), quota, metav1.CreateOptions{}); err != nil {
		t.Fatal(err)
	}
	await.True(t, "the quota is in force", func() bool {
		_, err := n.Client.CoreV1().Pods(n.Name).Create(t.Context(), kubetest.PausePod("over-quota"), metav1.CreateOptions{DryRun: []string{metav1.DryRunAll}})
		return err != nil && strings.Contains(err.Error(), "exceeded quota")
	})
	n.DeletePods()
	await.True(t, "a call says that the quota is used up", func() bool {
		status, body, _ := kubetest.Call(t.Context(), j.GatewayURL, f, "/", "")
		return status >= 500 && strings.Contains(kubetest.Log(t, j, f), "the quota of namespace refused is used up") && body != ""
	})
	if err := n.Client.CoreV1().ResourceQuotas(n.Name).Delete(t.Context(), quota.Name, metav1.DeleteOptions{}); err != nil {
		t.Fatal(err)
	}
	await.True(t, "calls are answered without the quota", func() bool {
		status, _, _ := kubetest.Call(t.Context(), j.GatewayURL, f, "/", "")
		return status == http.StatusOK
	})

	n.DeletePods()
	j.Restart(func(c *server.Config) { c.Kubernetes.Image = "jeton.test/missing-{language}:1" })
	await.True(t, "the log names the missing image", func() bool {
		_, _, _ = kubetest.Call(t.Context(), j.GatewayURL, f, "/", "")
		log := kubetest.Log(t, j, f)
		return strings.Contains(log, "jeton.test/missing-node:1") && strings.Contains(log, "ImagePullBackOff")
	})
}
