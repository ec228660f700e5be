package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"

	"github.com/jeton-dev/jeton/bench/harness"
	"github.com/jeton-dev/jeton/test/postgres"
	"github.com/jeton-dev/jeton/test/s3server"
)

// A world is a database and a bucket, and the nodes that use them.
type world struct {
	dir      string
	database *postgres.Server
	bucket   *s3server.Server
	// address is the URL of the database, and blobs that of the bucket.
	address, blobs string
	nodes          []*harness.Server
}

// onDisk is a folder that all users can reach and that is not in memory. PostgreSQL does
// not run as root.
const onDisk = "/var/tmp"

// newWorld starts a database that syncs its log, and a bucket. The caller closes it.
func newWorld(ctx context.Context, dir string) (_ *world, err error) {
	w := &world{dir: dir}
	defer func() {
		if err != nil {
			err = errors.Join(err, w.close())
		}
	}()
	if w.database, err = postgres.StartIn(onDisk, "fsync=on", "shared_buffers=256MB"); err != nil {
		return nil, err
	}
	if w.bucket, err = s3server.Start(ctx); err != nil {
		return nil, err
	}
	if w.address, err = w.database.CreateDatabase(); err != nil {
		return nil, err
	}
	name, err := w.bucket.CreateBucket(ctx)
	if err != nil {
		return nil, err
	}
	w.blobs = w.bucket.URL(name, "bench")
	return w, errors.Join(os.Setenv("AWS_ACCESS_KEY_ID", s3server.AccessKey), os.Setenv("AWS_SECRET_ACCESS_KEY", s3server.SecretKey))
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
			"--database", w.address, "--blobs", w.blobs, "--node-name", name, "--cluster-listen=127.0.0.1:0",
			"--cache-dir", filepath.Join(w.dir, name+"-cache"),
		}
		if len(w.nodes) > 0 {
			if err := w.copyFromFirst(data); err != nil {
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

// copyFromFirst gives a new node the key and the credentials of the first.
func (w *world) copyFromFirst(data string) error {
	first := filepath.Join(w.dir, "node1")
	if err := os.MkdirAll(data, 0o700); err != nil {
		return err
	}
	for from, to := range map[string]string{
		filepath.Join(first, "secret.key"): filepath.Join(data, "secret.key"),
		first + ".credentials.yaml":        data + ".credentials.yaml",
	} {
		content, err := os.ReadFile(from)
		if err != nil {
			return err
		}
		if err := os.WriteFile(to, content, 0o600); err != nil {
			return err
		}
	}
	return nil
}

// close stops everything.
func (w *world) close() error {
	var err error
	for _, n := range w.nodes {
		err = errors.Join(err, n.Stop())
	}
	if w.database != nil {
		err = errors.Join(err, w.database.Stop())
	}
	if w.bucket != nil {
		err = errors.Join(err, w.bucket.Stop())
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
