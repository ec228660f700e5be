// Command demo-cluster is `make demo-cluster`. It starts PostgreSQL, an S3 server and three
// nodes on loopback, and shows that they act as one: a deployment through one node, a call
// through another, a revocation through the third, and the death of a node.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"path/filepath"
	"syscall"
)

func main() {
	faults := flag.Bool("faults", false, "also stop a node, PostgreSQL and the S3 server, and measure what callers see")
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	if err := run(ctx, *faults); err != nil {
		fmt.Fprintln(os.Stderr, "demo-cluster:", err)
		stop()
		os.Exit(1)
	}
}

func run(ctx context.Context, faults bool) (err error) {
	dir, err := os.MkdirTemp("", "jeton-cluster-")
	if err != nil {
		return err
	}
	defer func() {
		if err != nil {
			fmt.Fprintln(os.Stderr, "the logs of the nodes are in", dir)
			return
		}
		err = os.RemoveAll(dir)
	}()
	c := &cluster{dir: dir, binary: filepath.Join("bin", "jeton")}
	defer func() { err = errors.Join(err, c.stop()) }()
	if err := c.start(ctx); err != nil {
		return err
	}
	d := &demo{cluster: c, out: os.Stdout}
	if err := d.show(ctx); err != nil {
		return err
	}
	if faults {
		return d.measure(ctx)
	}
	return nil
}
