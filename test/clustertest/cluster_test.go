package clustertest_test

import (
	"testing"

	function "github.com/scaleway/scaleway-sdk-go/api/function/v1beta1"

	"github.com/jeton-dev/jeton/test/await"
	"github.com/jeton-dev/jeton/test/clustertest"
)

func TestMain(m *testing.M) { clustertest.Main(m) }

// create creates a namespace through a node.
func create(t *testing.T, n *clustertest.Node, name string) *function.Namespace {
	t.Helper()
	created, err := function.NewAPI(n.Client()).CreateNamespace(&function.CreateNamespaceRequest{Name: name})
	if err != nil {
		t.Fatalf("create a namespace at %s: %v", n.Name, err)
	}
	return created
}

func TestStart_NodesShareObjects(t *testing.T) {
	t.Parallel()
	c := clustertest.Start(t, 3)
	if got := len(c.Members()); got != 3 {
		t.Errorf("got %d members, want 3", got)
	}
	created := create(t, c.Nodes[0], "shared")
	for _, n := range c.Nodes {
		if _, err := function.NewAPI(n.Client()).GetNamespace(&function.GetNamespaceRequest{NamespaceID: created.ID}); err != nil {
			t.Errorf("read at %s: %v", n.Name, err)
		}
	}
	home := c.Home(created.ID)
	home.Stop()
	if got := c.Home(created.ID); got == home {
		t.Errorf("%s has left and is still the home", got.Name)
	}
}

func TestStartProcesses_NodesCanBeKilledAndPaused(t *testing.T) {
	t.Parallel()
	c := clustertest.StartProcesses(t, 2)
	create(t, c.Nodes[1], "before")
	c.Nodes[0].Kill()
	await.True(t, "the killed node is fenced", func() bool { return len(c.Members()) == 1 })
	create(t, c.Nodes[1], "between")
	c.Nodes[0].Restart()
	c.Nodes[0].AwaitReady(t)
	c.Nodes[1].Pause()
	await.True(t, "the paused node is fenced", func() bool { return len(c.Members()) == 1 })
	c.Nodes[1].Resume()
	await.True(t, "the resumed node has joined again", func() bool { return len(c.Members()) == 2 })
	c.Nodes[1].AwaitReady(t)
	create(t, c.Nodes[1], "after")
}
