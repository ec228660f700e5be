package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"log/slog"
	"math/rand/v2"
	"os"
	"os/signal"
	"path/filepath"
	"slices"
	"syscall"
	"time"

	"github.com/jeton-dev/jeton/internal/server"
	"github.com/jeton-dev/jeton/test/link"
	"github.com/jeton-dev/jeton/test/nodes"
	"github.com/jeton-dev/jeton/test/postgres"
)

// nodeCount is the number of nodes of a cluster.
const nodeCount = 3

// A cluster is three nodes over one database and one bucket.
type cluster struct {
	harness *harness
	shared  *nodes.Shared
	nodes   []*node
}

// A node is a server process whose connections can be cut.
type node struct {
	*jeton

	name string
	// toDatabase is the way to the database, and fromPeers that of the other nodes to this
	// one.
	toDatabase, fromPeers *link.Link
}

// newCluster starts a cluster of nodes: bin/jeton or, with arguments, this program with
// nodeArgument and the arguments of each node. The caller closes it.
func (h *harness) newCluster(ctx context.Context, arguments ...string) (_ *cluster, err error) {
	c := &cluster{harness: h}
	defer func() {
		if err != nil {
			err = errors.Join(err, c.close())
		}
	}()
	if c.shared, err = nodes.Share(ctx, ""); err != nil {
		return nil, err
	}
	if err := c.execute(muteFunction); err != nil {
		return nil, err
	}
	for i := range nodeCount {
		program := []string{filepath.Join(h.root, "bin", "jeton"), "serve", "--log-format=json", "--min-timeout=1s"}
		if len(arguments) > 0 {
			self, err := os.Executable()
			if err != nil {
				return nil, err
			}
			program = []string{self, nodeArgument, arguments[i%len(arguments)]}
		}
		if err := c.add(ctx, program); err != nil {
			return nil, err
		}
	}
	return c, nil
}

// muteFunction replaces pg_notify by a function that notifies nobody while the table mute
// has a row. The URL of the nodes makes it precede that of PostgreSQL.
const muteFunction = `CREATE TABLE mute (x int);
	CREATE FUNCTION pg_notify(channel text, payload text) RETURNS void LANGUAGE plpgsql AS $$
	BEGIN
		IF NOT EXISTS (SELECT FROM mute) THEN PERFORM pg_catalog.pg_notify(channel, payload); END IF;
	END $$`

// add starts one more node.
func (c *cluster) add(ctx context.Context, program []string) (err error) {
	h := c.harness
	h.servers++
	n := &node{name: fmt.Sprint("node", len(c.nodes)+1)}
	if n.toDatabase, err = link.New(ctx); err != nil {
		return err
	}
	if n.fromPeers, err = link.New(ctx); err != nil {
		return err
	}
	n.toDatabase.To("unix", c.shared.Postgres.Socket())
	data := filepath.Join(h.dir, fmt.Sprint("data", h.servers))
	address := "postgres://jeton@" + n.toDatabase.Address() + "/" + postgres.Name(c.shared.Database) + "?sslmode=disable&search_path=public,pg_catalog"
	n.jeton = &jeton{
		harness: h, data: data, credentials: data + ".credentials.yaml",
		environment: nodes.Credentials(),
		command: slices.Concat(program, nodes.Flags(n.name, data, address, c.shared.Blobs),
			[]string{"--cache-dir", filepath.Join(h.root, ".cache", "cluster", n.name), "--cluster-address", n.fromPeers.Address()}),
	}
	if len(c.nodes) > 0 {
		first := c.nodes[0]
		n.credentials = first.credentials
		if err := nodes.ShareKey(first.data, data); err != nil {
			return err
		}
	}
	c.nodes = append(c.nodes, n)
	return n.begin(ctx)
}

// begin starts the process of a node and waits until it is ready.
func (n *node) begin(ctx context.Context) error {
	if err := n.start(ctx); err != nil {
		return err
	}
	n.fromPeers.To("tcp", n.cluster)
	return n.awaitReady(ctx)
}

// awaitReady waits until the node has its lease and serves.
func (n *node) awaitReady(ctx context.Context) error {
	return nodes.AwaitReady(ctx, n.name, n.ops)
}

// close ends everything.
func (c *cluster) close() error {
	for _, n := range c.nodes {
		if n.process != nil {
			n.kill()
		}
		_, _ = n.toDatabase.Close(), n.fromPeers.Close()
	}
	if c.shared == nil {
		return nil
	}
	return c.shared.Stop()
}

// any returns a random node.
func (c *cluster) any() *node { return c.nodes[rand.IntN(len(c.nodes))] }

// gateways returns the URLs of all gateways.
func (c *cluster) gateways() []string {
	var all []string
	for _, n := range c.nodes {
		all = append(all, n.gateway)
	}
	return all
}

const (
	// nodeArgument makes this program run a node. One of the following flags comes next.
	nodeArgument = "serve-node"
	// unconfirmedFlag makes the node break promise 1: its responses do not wait for others.
	unconfirmedFlag = "--unconfirmed"
	// clockFlag sets how far the clock of the node is ahead.
	clockFlag = "--clock"
)

// serveNode runs a node. It takes some of the flags of jeton serve.
func serveNode(arguments []string) error {
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGTERM)
	defer stop()
	config := server.DefaultConfig("")
	flags := flag.NewFlagSet(nodeArgument, flag.ContinueOnError)
	flags.SetOutput(io.Discard)
	for name, value := range map[string]*string{
		"data-dir": &config.DataDir, "cache-dir": &config.CacheDir, "node-name": &config.Node, "database": &config.Database, "blobs": &config.Blobs,
		"cluster-address": &config.ClusterAddress, "cluster-listen": &config.ClusterListen,
		"api-listen": &config.APIListen, "gateway-listen": &config.GatewayListen, "ops-listen": &config.OpsListen,
	} {
		flags.StringVar(value, name, *value, "")
	}
	unconfirmed := flags.Bool(unconfirmedFlag[2:], false, "")
	ahead := flags.Duration(clockFlag[2:], 0, "")
	if err := flags.Parse(arguments); err != nil {
		return err
	}
	config.Now = func() time.Time { return time.Now().Add(*ahead).UTC() }
	var options []server.Option
	if *unconfirmed {
		options = append(options, server.Unconfirmed())
	}
	config.Credentials = server.CredentialsPath(config.DataDir)
	s, err := server.Open(ctx, config, slog.New(slog.NewTextHandler(os.Stderr, nil)), options...)
	if err != nil {
		return err
	}
	return errors.Join(s.Run(ctx), s.Close())
}
