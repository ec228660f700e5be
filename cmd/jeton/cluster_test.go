package main

import (
	"fmt"
	"testing"
	"time"

	function "github.com/scaleway/scaleway-sdk-go/api/function/v1beta1"

	"github.com/jeton-dev/jeton/internal/admin"
	"github.com/jeton-dev/jeton/test/await"
	"github.com/jeton-dev/jeton/test/clustertest"
	"github.com/jeton-dev/jeton/test/jetontest"
)

// statusOf returns what 'jeton cluster status' prints at a node.
func statusOf(t *testing.T, n *clustertest.Node) (all admin.ClusterStatus, byName map[string]admin.NodeStatus) {
	t.Helper()
	all = commandJSON[admin.ClusterStatus](t, "cluster", "status", "--data-dir", n.DataDir)
	byName = map[string]admin.NodeStatus{}
	for _, m := range all.Members {
		byName[m.Name] = m
	}
	return all, byName
}

func TestClusterCommands(t *testing.T) {
	t.Parallel()
	c := clustertest.StartProcesses(t, 3)
	api := function.NewAPI(c.Nodes[0].Client())
	namespace, err := api.CreateNamespace(&function.CreateNamespaceRequest{Name: "operate"})
	if err != nil {
		t.Fatal(err)
	}
	interval := 20 * time.Millisecond
	if _, err := api.WaitForNamespace(&function.WaitForNamespaceRequest{NamespaceID: namespace.ID, RetryInterval: &interval}); err != nil {
		t.Fatal(err)
	}
	const functions = 12
	for i := range functions {
		if _, err := api.CreateFunction(&function.CreateFunctionRequest{NamespaceID: namespace.ID, Name: fmt.Sprint("f", i), Runtime: "python311"}); err != nil {
			t.Fatal(err)
		}
	}
	for _, n := range c.Nodes {
		all, byName := statusOf(t, n)
		homes := 0
		for name, m := range byName {
			homes += m.Functions
			if m.State != admin.NodeServing || m.LeaseLeft <= 0 || m.LeaseLeft > 5 || m.Address == "" || m.Incarnation == "" || m.ClockOffset > 1 || m.ClockOffset < -1 {
				t.Errorf("%s at %s: got %+v", name, n.Name, m)
			}
		}
		if all.Node != n.Name || !all.Lease || all.Error != "" || len(byName) != 3 || homes != functions || all.Change == 0 {
			t.Errorf("at %s: got %+v", n.Name, all)
		}
	}
	status, output := command(t, "", "cluster", "status", "--data-dir", c.Nodes[1].DataDir)
	wantOutput(t, "the table", status, 0, output, "NODE   STATE    ADDRESS", "node1  serving  127.0.0.1:", "node3  serving")
	status, _ = command(t, "", "cluster", "status", "-o", "json", "--data-dir", c.Nodes[1].DataDir)
	if status != 0 {
		t.Error("-o json is not accepted")
	}

	// Any node changes any other.
	status, output = command(t, "", "cluster", "cordon", "node3", "--data-dir", c.Nodes[0].DataDir)
	wantOutput(t, "cordon", status, 0, output, "cordoned node3")
	await.True(t, "node3 owns nothing", func() bool {
		_, byName := statusOf(t, c.Nodes[1])
		return byName["node3"].State == admin.NodeCordoned && byName["node3"].Functions == 0 && byName["node1"].Functions+byName["node2"].Functions == functions
	})
	c.Nodes[2].Restart()
	c.Nodes[2].AwaitReady(t)
	if _, byName := statusOf(t, c.Nodes[2]); byName["node3"].State != admin.NodeCordoned || byName["node3"].Functions != 0 {
		t.Errorf("after a restart: got %+v, want that the node is still cordoned", byName["node3"])
	}
	status, output = command(t, "", "cluster", "uncordon", "node3", "--data-dir", c.Nodes[2].DataDir)
	wantOutput(t, "uncordon", status, 0, output, "uncordoned node3")

	for name, test := range map[string]commandCase{
		"a node that runs": {"cluster fence node2", 1, "renews its lease"},
		"itself":           {"cluster fence node1", 1, "cannot fence itself"},
		"no node":          {"cluster fence other", 1, "not found"},
		"cordon no node":   {"cluster cordon other", 1, "not found"},
	} {
		test.args += " --data-dir " + c.Nodes[0].DataDir
		test.check(t, name)
	}
	c.Nodes[1].Kill()
	status, output = command(t, "", "cluster", "fence", "node2", "--data-dir", c.Nodes[0].DataDir)
	wantOutput(t, "fence", status, 0, output, "fenced node2")
	if _, byName := statusOf(t, c.Nodes[0]); len(byName) != 2 {
		t.Errorf("after the fence: got %v", byName)
	}
}

func TestClusterCommands_SingleServer(t *testing.T) {
	t.Parallel()
	jeton := jetontest.Start(t)
	for name, test := range map[string]commandCase{
		"status": {"cluster status", 0, "is not a node of a cluster"},
		"cordon": {"cluster cordon x", 1, "not a member of a cluster"},
		"fence":  {"cluster fence x", 1, "not a member of a cluster"},
	} {
		test.args += " --data-dir " + jeton.DataDir
		test.check(t, name)
	}
}
