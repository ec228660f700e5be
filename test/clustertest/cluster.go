package clustertest

import (
	"context"
	"encoding/json"
	"fmt"
	"path/filepath"
	"slices"
	"sync"
	"testing"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
	"github.com/scaleway/scaleway-sdk-go/scw"

	"github.com/jeton-dev/jeton/internal/cluster"
	"github.com/jeton-dev/jeton/internal/server"
	"github.com/jeton-dev/jeton/internal/store"
	"github.com/jeton-dev/jeton/test/await"
	"github.com/jeton-dev/jeton/test/jetontest"
	"github.com/jeton-dev/jeton/test/nodes"
	"github.com/jeton-dev/jeton/test/postgres"
	"github.com/jeton-dev/jeton/test/s3server"
	"github.com/jeton-dev/jeton/test/shared"
)

// A Cluster is a set of running nodes.
type Cluster struct {
	// Nodes are node1, node2 and so on. All have the API key of the first.
	Nodes []*Node
	// Database and Blobs are the URLs that the nodes share.
	Database, Blobs string

	t       testing.TB
	options []jetontest.Option
	// processes means that each node is a process.
	processes bool
}

// A Node is one node.
type Node struct {
	*jetontest.Jeton

	Name string
}

// Main runs the tests of a program and stops the servers that its clusters share. TestMain
// calls it.
func Main(m *testing.M) {
	shared.Main(m, postgres.StopShared, s3server.StopShared)
}

// Start runs a cluster of n nodes in the process of the test until the test ends. It
// returns when all nodes are ready. TestMain must call Main.
func Start(t testing.TB, n int, options ...jetontest.Option) *Cluster {
	t.Helper()
	return start(t, n, postgres.Database(t), false, options)
}

// StartOver is Start with a database of the test's own, for tests that do more with its
// server than to stop it.
func StartOver(t testing.TB, n int, database string, options ...jetontest.Option) *Cluster {
	t.Helper()
	return start(t, n, database, false, options)
}

// StartProcesses runs a cluster of n nodes that are processes of their own, so that they
// can be killed and paused. Options cannot set functions of the configuration.
func StartProcesses(t testing.TB, n int, options ...jetontest.Option) *Cluster {
	t.Helper()
	return start(t, n, postgres.Database(t), true, options)
}

// withCredentials sets the credentials of the bucket for all servers of the program.
var withCredentials = sync.OnceFunc(func() {
	// The variables are for all tests, and some are parallel.
	_ = nodes.SetCredentials()
})

func start(t testing.TB, n int, database string, processes bool, options []jetontest.Option) *Cluster {
	t.Helper()
	withCredentials()
	s3 := s3server.Shared(t)
	c := &Cluster{
		Database: database, Blobs: s3.URL(s3.Bucket(t), "jeton"),
		t: t, options: options, processes: processes,
	}
	for range n {
		c.Add()
	}
	return c
}

// Add starts one more node, with options in addition to those of the cluster, and returns it
// when it is ready.
func (c *Cluster) Add(options ...jetontest.Option) *Node {
	c.t.Helper()
	n := &Node{Name: fmt.Sprintf("node%d", len(c.Nodes)+1)}
	dir := c.t.TempDir()
	data := filepath.Join(dir, "data")
	all := slices.Concat([]jetontest.Option{func(config *server.Config) {
		config.Database, config.Blobs, config.Node = c.Database, c.Blobs, n.Name
		if len(c.Nodes) > 0 {
			config.NewID = uuid.NewString // The first ID of the first node is that of its project.
		}
	}}, c.options, options)
	var credentials *scw.Profile
	if len(c.Nodes) > 0 {
		credentials = c.Nodes[0].Credentials()
		if err := nodes.ShareKey(c.Nodes[0].DataDir, data); err != nil {
			c.t.Fatal(err)
		}
	}
	switch {
	case c.processes:
		n.Jeton = jetontest.StartProcess(c.t, data, credentials, all...)
	case credentials == nil:
		n.Jeton = jetontest.StartIn(c.t, data, all...)
	default:
		n.Jeton = jetontest.StartOver(c.t, data, credentials, all...)
	}
	c.Nodes = append(c.Nodes, n)
	n.AwaitReady(c.t)
	return n
}

// Ready reports whether the node is ready: it has its lease and serves.
func (n *Node) Ready(ctx context.Context) bool {
	return nodes.Ready(ctx, n.OpsURL)
}

// AwaitReady waits until the node is ready.
func (n *Node) AwaitReady(t testing.TB) {
	t.Helper()
	await.True(t, n.Name+" is ready", func() bool { return n.Ready(t.Context()) })
}

// Members returns the members that the database has now.
func (c *Cluster) Members() []store.Member {
	c.t.Helper()
	return Members(c.t, c.Database)
}

// Members returns the members of the cluster of a database.
func Members(t testing.TB, database string) []store.Member {
	t.Helper()
	conn, err := pgx.Connect(t.Context(), database)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = conn.Close(t.Context()) }()
	rows, err := conn.Query(t.Context(), "SELECT body FROM members")
	if err != nil {
		t.Fatal(err)
	}
	bodies, err := pgx.CollectRows(rows, pgx.RowTo[string])
	if err != nil {
		t.Fatal(err)
	}
	members := make([]store.Member, len(bodies))
	for i, body := range bodies {
		if err := json.Unmarshal([]byte(body), &members[i]); err != nil {
			t.Fatal(err)
		}
	}
	return members
}

// Home returns the node that is now the home of a function, or the owner of other work
// with a key.
func (c *Cluster) Home(key string) *Node {
	c.t.Helper()
	home, ok := cluster.Choose(c.Members(), key)
	if !ok {
		c.t.Fatal("the cluster has no members")
	}
	return c.Node(home.Node)
}

// Node returns the node with a name.
func (c *Cluster) Node(name string) *Node {
	c.t.Helper()
	i := slices.IndexFunc(c.Nodes, func(n *Node) bool { return n.Name == name })
	if i < 0 {
		c.t.Fatalf("the cluster has no node %s", name)
	}
	return c.Nodes[i]
}

// Others returns all nodes but one.
func (c *Cluster) Others(than *Node) []*Node {
	return slices.DeleteFunc(slices.Clone(c.Nodes), func(n *Node) bool { return n == than })
}
