package e2e_test

import (
	"net/http"
	"strings"
	"testing"

	"golang.org/x/sync/errgroup"

	"github.com/jeton-dev/jeton/internal/server"
	"github.com/jeton-dev/jeton/test/await"
	"github.com/jeton-dev/jeton/test/clustertest"
)

// tryWrongKey sends a request with a wrong API key and returns the status.
func tryWrongKey(t *testing.T, n *clustertest.Node) int {
	request, err := http.NewRequestWithContext(t.Context(), http.MethodGet, n.APIURL+"/functions/v1beta1/regions/fr-par/namespaces", nil)
	if err != nil {
		t.Error(err)
		return 0
	}
	request.Header.Set("X-Auth-Token", "11111111-1111-4111-8111-111111111111")
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		t.Error(err)
		return 0
	}
	defer response.Body.Close()
	return response.StatusCode
}

// Wrong keys at one node count at the other one, and valid keys continue to work. The
// addresses are deleted from the database soon, and the keys are never in it.
func TestWrongKeys_CountAtAllNodes(t *testing.T) {
	t.Parallel()
	const limit = 1500 // More than the attempts that this test makes at the second node.
	c := clustertest.Start(t, 2, func(c *server.Config) { c.WrongKeys = limit })
	var group errgroup.Group
	group.SetLimit(8)
	for range limit {
		group.Go(func() error { tryWrongKey(t, c.Nodes[0]); return nil })
	}
	_ = group.Wait()
	await.True(t, "the first node refuses wrong keys", func() bool { return tryWrongKey(t, c.Nodes[0]) == http.StatusTooManyRequests })
	attempts := 0
	await.True(t, "the second node refuses wrong keys", func() bool {
		attempts++
		return tryWrongKey(t, c.Nodes[1]) == http.StatusTooManyRequests
	})
	if attempts >= limit/2 {
		t.Errorf("the second node refused the key after %d attempts: those of the first did not count", attempts)
	}
	for _, n := range c.Nodes {
		request := must[*http.Request](t)(http.NewRequestWithContext(t.Context(), http.MethodGet, n.APIURL+"/functions/v1beta1/regions/fr-par/namespaces", nil))
		request.Header.Set("X-Auth-Token", n.SecretKey)
		response := must[*http.Response](t)(http.DefaultClient.Do(request))
		response.Body.Close()
		if response.StatusCode != http.StatusOK {
			t.Errorf("%s: the valid key got status %d", n.Name, response.StatusCode)
		}
		if strings.Contains(n.Log.String(), "wrong API keys at other nodes do not count") {
			t.Errorf("%s logged an error: %s", n.Name, n.Log)
		}
	}
}
