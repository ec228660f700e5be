package e2e_test

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"

	function "github.com/scaleway/scaleway-sdk-go/api/function/v1beta1"

	"github.com/jeton-dev/jeton/internal/api"
	"github.com/jeton-dev/jeton/test/await"
	"github.com/jeton-dev/jeton/test/clustertest"
)

// consoleRoute requests a route of the console at a node.
func consoleRoute[T any](t *testing.T, n *clustertest.Node, path string) T {
	t.Helper()
	var answer T
	request := must[*http.Request](t)(http.NewRequestWithContext(t.Context(), http.MethodGet, n.APIURL+"/jeton/v1"+path, nil))
	request.Header.Set("X-Auth-Token", n.SecretKey)
	response := must[*http.Response](t)(http.DefaultClient.Do(request))
	defer response.Body.Close()
	if response.StatusCode != http.StatusOK {
		t.Fatalf("%s at %s: %s", path, n.Name, response.Status)
	}
	if err := json.NewDecoder(response.Body).Decode(&answer); err != nil {
		t.Fatal(err)
	}
	return answer
}

// streamed reads a stream of the console at a node until it contains a text.
func streamed(t *testing.T, n *clustertest.Node, path, text string) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), await.Patience)
	defer cancel()
	request := must[*http.Request](t)(http.NewRequestWithContext(ctx, http.MethodGet, n.APIURL+"/jeton/v1"+path, nil))
	request.Header.Set("X-Auth-Token", n.SecretKey)
	response := must[*http.Response](t)(http.DefaultClient.Do(request))
	defer response.Body.Close()
	lines := bufio.NewScanner(response.Body)
	lines.Buffer(nil, 4<<20)
	for lines.Scan() {
		if strings.Contains(lines.Text(), text) {
			return
		}
	}
	t.Errorf("%s at %s does not contain %q: %v", path, n.Name, text, lines.Err())
}

func total(values []int64) (sum int64) {
	for _, v := range values {
		sum += v
	}
	return sum
}

// Any node shows the metrics, logs, builds, refused calls and states of all nodes.
func TestCluster_ConsoleShowsAllNodes(t *testing.T) {
	t.Parallel()
	c := clustertest.Start(t, 3)
	w := at(t, c.Nodes[0])
	n := w.namespace("shown")
	request := python(n.ID, "f")
	request.Privacy = function.FunctionPrivacyPrivate
	f := w.function(request, pythonHandler("print('said at home'); return 'ok'"))
	issued := must[*function.Token](t)(w.CreateToken(&function.CreateTokenRequest{FunctionID: &f.ID}))
	home := c.Home(f.ID)
	away := c.Others(home)
	const calls = 6
	for i := range calls {
		if status, body := at(t, c.Nodes[i%3]).call(f, "/", issued.Token); status != http.StatusOK {
			t.Fatalf("call: got %d %q", status, body)
		}
	}
	region := "/regions/fr-par"
	for _, node := range c.Nodes {
		for _, scope := range []string{"function_id=" + f.ID, "namespace_id=" + n.ID, ""} {
			await.True(t, fmt.Sprintf("%s shows %d calls of %q", node.Name, calls, scope), func() bool {
				s := consoleRoute[api.MetricsSeries](t, node, region+"/metrics?"+scope)
				return total(s.Calls) == calls && len(s.MissingNodes) == 0
			})
		}
		type rows struct {
			Functions []struct {
				Calls     int64 `json:"calls"`
				Instances int64 `json:"instances"`
			} `json:"functions"`
		}
		if got := consoleRoute[rows](t, node, region+"/functions"); len(got.Functions) != 1 || got.Functions[0].Calls != calls {
			t.Errorf("%s lists %+v, want a function with %d calls", node.Name, got, calls)
		}
		if day := consoleRoute[api.MetricsSeries](t, node, region+"/metrics?range=day"); total(day.Calls) != calls {
			t.Errorf("%s shows %d calls of the day, want %d", node.Name, total(day.Calls), calls)
		}
		streamed(t, node, region+"/functions/"+f.ID+"/log", "said at home")
		streamed(t, node, region+"/functions/"+f.ID+"/build", `"running":false`)
	}
	must[*function.Token](t)(w.DeleteToken(&function.DeleteTokenRequest{TokenID: issued.ID}))
	for _, node := range c.Nodes {
		if status, _ := at(t, node).call(f, "/", issued.Token); status != http.StatusForbidden {
			t.Errorf("%s answers %d to a revoked token", node.Name, status)
		}
	}
	type revocation struct {
		Refused int64 `json:"refused_calls"`
	}
	for _, node := range c.Nodes {
		if got := consoleRoute[revocation](t, node, region+"/tokens/"+issued.ID+"/revocation"); got.Refused != int64(len(c.Nodes)) {
			t.Errorf("%s shows %d refused calls, want %d", node.Name, got.Refused, len(c.Nodes))
		}
		state := consoleRoute[api.ClusterState](t, node, "/state")
		if len(state.Nodes) != len(c.Nodes) {
			t.Fatalf("%s shows %d nodes, want %d", node.Name, len(state.Nodes), len(c.Nodes))
		}
		for i, other := range c.Nodes {
			shown := state.Nodes[i]
			if shown.Name != other.Name || shown.Self != (other == node) || shown.Problem != "" || shown.State == nil || !strings.HasSuffix(other.APIURL, shown.State.APIAddress) {
				t.Errorf("%s shows %+v for %s", node.Name, shown, other.Name)
			}
		}
	}
	// A node that has left is no longer asked.
	home.Stop()
	await.True(t, "the home has left", func() bool { return len(c.Members()) == 2 })
	await.True(t, "the other nodes no longer show it", func() bool {
		state := consoleRoute[api.ClusterState](t, away[0], "/state")
		return !slices.ContainsFunc(state.Nodes, func(s api.NodeState) bool { return s.Name == home.Name })
	})
	if s := consoleRoute[api.MetricsSeries](t, away[0], region+"/metrics"); len(s.MissingNodes) != 0 {
		t.Errorf("nodes %v are missing, want none", s.MissingNodes)
	}
}
