package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"

	"github.com/jeton-dev/jeton/bench/harness"
	"github.com/jeton-dev/jeton/test/nodes"
)

// A world is a database and a bucket, and the nodes that use them.
type world struct {
	*nodes.Shared

	dir   string
	nodes []*harness.Server
}

// onDisk is a folder that all users can reach and that is not in memory. PostgreSQL does
// not run as root.
const onDisk = "/var/tmp"

// newWorld starts a database that syncs its log, and a bucket. The caller closes it.
func newWorld(ctx context.Context, dir string) (*world, error) {
	shared, err := nodes.Share(ctx, onDisk, "fsync=on", "shared_buffers=256MB")
	if err != nil {
		return nil, err
	}
	return &world{Shared: shared, dir: dir}, nodes.SetCredentials()
}

// add starts n more nodes.
func (w *world) add(ctx context.Context, n int) error {
	for range n {
		name := fmt.Sprint("node", len(w.nodes)+1)
		if err := os.MkdirAll(w.dir, 0o755); err != nil {
			return err
		}
		data := filepath.Join(w.dir, name)
		flags := []string{
			"--database", w.Database, "--blobs", w.Blobs, "--node-name", name, "--cluster-listen=127.0.0.1:0",
			"--cache-dir", filepath.Join(w.dir, name+"-cache"),
		}
		if len(w.nodes) > 0 {
			// A new node has the key and the credentials of the first.
			first := filepath.Join(w.dir, "node1")
			if err := errors.Join(nodes.ShareKey(first, data), nodes.ShareCredentials(first, data)); err != nil {
				return err
			}
		}
		s, err := harness.Start(ctx, data, flags...)
		if err != nil {
			return err
		}
		w.nodes = append(w.nodes, s)
	}
	return nil
}

// close stops everything.
func (w *world) close() error {
	var err error
	for _, n := range w.nodes {
		err = errors.Join(err, n.Stop())
	}
	if w.Shared != nil {
		err = errors.Join(err, w.Stop())
	}
	return err
}

// clusterSize is the number of nodes of a cluster.
const clusterSize = 3

// inCluster runs measure with three nodes.
func inCluster(ctx context.Context, dir string, measure func(*world) ([]harness.Result, error)) (results []harness.Result, err error) {
	w, err := newWorld(ctx, dir)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, w.close()) }()
	if err := w.add(ctx, clusterSize); err != nil {
		return nil, err
	}
	for _, n := range w.nodes {
		if err := n.Settle(ctx); err != nil {
			return nil, err
		}
	}
	return measure(w)
}
