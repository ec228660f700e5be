//go:build linux && kubernetes

package chaos_test

import (
	"net/http"
	"testing"

	function "github.com/scaleway/scaleway-sdk-go/api/function/v1beta1"

	"github.com/jeton-dev/jeton/internal/server"
	"github.com/jeton-dev/jeton/test/await"
	"github.com/jeton-dev/jeton/test/kubernetes/kubetest"
)

// TestBurst_CreatesPodsUpToMaxScale sends fifty calls at once to a function with one instance. There are no warm
// Pods.
func TestBurst_CreatesPodsUpToMaxScale(t *testing.T) {
	const calls, most = 50, 3
	m := newMachineTest(t, "burst")
	proxy := m.NewProxy()
	m.jeton.Restart(func(c *server.Config) { c.Kubernetes.Kubeconfig = proxy.Kubeconfig })
	m.api = function.NewAPI(m.jeton.Client())
	request := kubetest.Node(m.group, "burst", function.FunctionPrivacyPublic)
	request.MaxScale = new(uint32(most))
	f := kubetest.Deploy(t, m.api, request, waiting)
	before := len(proxy.Created())
	var answers []<-chan answer
	for range calls {
		answers = append(answers, m.call(f, "/pause"))
	}
	served := map[string]int{}
	for _, answered := range answers {
		if got := await.Receive(t, "an answer", answered); got.status == http.StatusOK {
			served[got.body]++
		} else {
			t.Errorf("a call: got %+v", got)
		}
	}
	created := len(proxy.Created()) - before
	t.Logf("%d calls were served by %v; %d Pods were created", calls, served, created)
	if created < 1 || created > most {
		t.Errorf("%d Pods were created, want %d at most", created, most)
	}
	m.jeton.Stop() // It needs the proxy.
}
