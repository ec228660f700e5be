package e2e_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	function "github.com/scaleway/scaleway-sdk-go/api/function/v1beta1"

	"github.com/jeton-dev/jeton/internal/reconcile"
	"github.com/jeton-dev/jeton/internal/server"
	"github.com/jeton-dev/jeton/test/await"
	"github.com/jeton-dev/jeton/test/clustertest"
	"github.com/jeton-dev/jeton/test/jetontest"
)

// takeover returns the time within which another node does the work of a node that was killed. Twelve
// Pods that start one after the other on a busy machine take longer.
func takeover() time.Duration {
	if jetontest.InPods() {
		return patience
	}
	return 10 * time.Second
}

// oneBuild makes the builds of a node wait for each other.
func oneBuild(c *server.Config) { c.BuildsAtOnce = 1 }

// at returns the world of a node.
func at(t *testing.T, n *clustertest.Node) *world {
	return &world{Jeton: n.Jeton, API: function.NewAPI(n.Client()), t: t}
}

// servedAtHome reports whether a call at the home of a function returns a text.
func servedAtHome(t *testing.T, c *clustertest.Cluster, f *function.Function, text string) bool {
	t.Helper()
	status, body := at(t, c.Home(f.ID)).call(f, "/", "")
	return status == http.StatusOK && body == text
}

// The home of several functions is killed while it builds them. Another node finishes the
// builds, and the functions that were ready serve at their new homes. Then a second node is
// killed.
func TestCluster_OtherNodesTakeUpWorkOfKilledHome(t *testing.T) {
	t.Parallel()
	c := clustertest.StartProcesses(t, 3, oneBuild)
	t.Cleanup(func() { releaseWorkspaces(t, c) })
	w := at(t, c.Nodes[0])
	n := w.namespace("owners")
	const count = 12
	var all []*function.Function
	homes := map[*clustertest.Node]int{}
	for i := range count {
		f := must[*function.Function](t)(w.CreateFunction(python(n.ID, fmt.Sprintf("f%d", i))))
		w.upload(f.ID, zipOf(t, pythonHandler(fmt.Sprintf("return 'f%d'", i))))
		all = append(all, f)
		homes[c.Home(f.ID)]++
	}
	victim := c.Nodes[0]
	for node, functions := range homes {
		if functions > homes[victim] {
			victim = node
		}
	}
	survivor := at(t, c.Others(victim)[0])
	for _, f := range all {
		must[*function.Function](t)(survivor.DeployFunction(&function.DeployFunctionRequest{FunctionID: f.ID}))
	}
	status := func(f *function.Function) *function.Function {
		return must[*function.Function](t)(survivor.GetFunction(&function.GetFunctionRequest{FunctionID: f.ID}))
	}
	var first *function.Function
	await.True(t, "the victim has built a function and builds others", func() bool {
		first = nil
		pending := false
		for _, f := range all {
			if c.Home(f.ID) != victim {
				continue
			}
			if s := status(f).Status; s == function.FunctionStatusReady {
				first = f
			} else {
				pending = pending || s == function.FunctionStatusPending
			}
		}
		if first != nil && !pending {
			t.Fatal("all builds have ended: build more functions")
		}
		return first != nil
	})
	killed := time.Now()
	victim.Kill()
	await.True(t, "a function that was ready serves at its new home", func() bool {
		return c.Home(first.ID) != victim && servedAtHome(t, c, first, first.Name)
	})
	moved := time.Since(killed)
	if moved > takeover() {
		t.Errorf("the function was served again after %v, want at most %v", moved, takeover())
	}
	for i, f := range all {
		if f = survivor.settled(f.ID); f.Status != function.FunctionStatusReady {
			t.Errorf("function %d is %s: %v", i, f.Status, f.ErrorMessage)
		}
		if !servedAtHome(t, c, f, f.Name) {
			t.Errorf("function %d does not serve at its home", i)
		}
	}
	t.Logf("served again after %v, all built after %v", moved, time.Since(killed))

	other := c.Node(survivor.nodeName(c))
	for _, node := range c.Others(other) {
		node.Kill()
	}
	killed = time.Now()
	for i, f := range all {
		await.True(t, "the last node serves all functions", func() bool { return c.Home(f.ID) == other && servedAtHome(t, c, f, f.Name) })
		if took := time.Since(killed); took > takeover() {
			t.Errorf("function %d is served after %v, want at most %v", i, took, takeover())
		}
	}
	if got := at(t, other).metric("jeton_home_functions", ""); got != count {
		t.Errorf("the last node is the home of %d functions, want %d", got, count)
	}
}

// releaseWorkspaces unmounts what nodes that were killed have left, as their next start
// does.
func releaseWorkspaces(t *testing.T, c *clustertest.Cluster) {
	t.Helper()
	for _, n := range c.Nodes {
		left, err := filepath.Glob(filepath.Join(filepath.Dir(n.DataDir), "cache", "blobs", "*", "artifacts", "build-*"))
		for _, workspace := range left {
			err = errors.Join(err, reconcile.ReleaseWorkspace(workspace))
		}
		if err != nil {
			t.Error(err)
		}
	}
}

// nodeName returns the name of the node of a world.
func (w *world) nodeName(c *clustertest.Cluster) string {
	for _, n := range c.Nodes {
		if n.Jeton == w.Jeton {
			return n.Name
		}
	}
	return ""
}

// metric returns the value of the series of a metric of a node that has the labels, 0 if there
// is none.
func (w *world) metric(name, labels string) int {
	w.t.Helper()
	_, _, metrics := w.send(http.MethodGet, w.OpsURL+"/metrics", nil, nil)
	for line := range strings.Lines(metrics) {
		series, value, _ := strings.Cut(strings.TrimSpace(line), " ")
		if strings.HasPrefix(series, name+"{") && strings.Contains(series, labels) {
			n, err := strconv.Atoi(value)
			if err != nil {
				w.t.Fatal(err)
			}
			return n
		}
	}
	return 0
}

// Only the home has instances of a function, and a change through another node reaches it.
func TestCluster_InstancesFollowTheHome(t *testing.T) {
	t.Parallel()
	c := clustertest.Start(t, 2)
	w := at(t, c.Nodes[0])
	f := w.function(python(w.namespace("homes").ID, "f"), pythonHandler("return 'f'"))
	ready := func(n *clustertest.Node) int {
		return at(t, n).metric("jeton_instances", `function_id="`+f.ID+`"`+`,node="`+n.Name+`",state="idle"`)
	}
	home := c.Home(f.ID)
	other := c.Others(home)[0]
	must[*function.Function](t)(at(t, other).UpdateFunction(&function.UpdateFunctionRequest{FunctionID: f.ID, MinScale: pointer(uint32(2))}))
	await.True(t, "the home has the minimum of instances", func() bool { return ready(home) == 2 })
	if got := ready(other); got != 0 {
		t.Errorf("the other node has %d instances", got)
	}
	home.Stop()
	await.True(t, "the other node is the home", func() bool { return ready(other) == 2 && servedAtHome(t, c, f, "f") })
	home.Restart()
	home.AwaitReady(t)
	await.True(t, "the first node is the home again", func() bool { return ready(home) == 2 && ready(other) == 0 && servedAtHome(t, c, f, "f") })
	must[*function.Function](t)(at(t, other).DeleteFunction(&function.DeleteFunctionRequest{FunctionID: f.ID}))
	await.True(t, "no node has instances of the deleted function", func() bool { return ready(home) == 0 && ready(other) == 0 })
}

// Each node has the output of its own instances, and shows that of all.
func TestCluster_LogsFromAnyNode(t *testing.T) {
	t.Parallel()
	c := clustertest.Start(t, 2)
	w := at(t, c.Nodes[0])
	f := w.function(python(w.namespace("logs").ID, "f"), pythonHandler("print(event['path'], flush=True)", "return 'f'"))
	home := c.Home(f.ID)
	other := c.Others(home)[0]
	served := func(n *clustertest.Node, path string) {
		t.Helper()
		await.True(t, n.Name+" serves", func() bool {
			status, _ := at(t, n).call(f, path, "")
			return status == http.StatusOK
		})
	}
	shows := func(n *clustertest.Node, want ...string) {
		t.Helper()
		var answer struct {
			Logs []struct{ Message, Stream string }
		}
		var got []string
		await.True(t, fmt.Sprintf("%s shows %q", n.Name, want), func() bool {
			_, _, body := at(t, n).api(http.MethodGet, "/functions/"+f.ID+"/logs", "")
			if err := json.Unmarshal([]byte(body), &answer); err != nil {
				t.Fatal(err, body)
			}
			got = nil
			for _, line := range answer.Logs {
				if line.Stream == "stdout" {
					got = append(got, line.Message)
				}
			}
			return slices.Equal(got, want)
		})
		status, _, body := at(t, n).api(http.MethodGet, "/functions/"+f.ID+"/build-log", "")
		if status != http.StatusOK || !strings.Contains(body, "The build succeeded.") {
			t.Errorf("%s shows the build log %d %s", n.Name, status, body)
		}
	}
	served(home, "/first")
	shows(home, "/first")
	shows(other, "/first")
	home.Stop()
	await.True(t, "the other node is the home", func() bool { return c.Home(f.ID) == other })
	served(other, "/second")
	home.Restart()
	home.AwaitReady(t)
	served(home, "/third")
	shows(home, "/first", "/second", "/third")
	shows(other, "/first", "/second", "/third")
}
