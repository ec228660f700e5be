package main

import (
	"context"
	"errors"
	"fmt"
	"syscall"

	"github.com/jeton-dev/jeton/test/nodes"
)

// A cluster is three nodes with their database and bucket.
type cluster struct {
	*nodes.Shared

	dir, binary string
	nodes       []*nodes.Node
}

func (c *cluster) start(ctx context.Context) (err error) {
	if c.Shared, err = nodes.Share(ctx, ""); err != nil {
		return err
	}
	for i := range 3 {
		var first *nodes.Node
		if i > 0 {
			first = c.nodes[0]
		}
		n, err := c.New(fmt.Sprint("node", i+1), c.dir, c.binary, first)
		if err != nil {
			return err
		}
		c.nodes = append(c.nodes, n)
		if err := n.Start(ctx); err != nil {
			return err
		}
	}
	return nil
}

// stop ends everything.
func (c *cluster) stop() (err error) {
	for _, n := range c.nodes {
		err = errors.Join(err, n.End(syscall.SIGTERM))
	}
	if c.Shared != nil {
		err = errors.Join(err, c.Stop())
	}
	return err
}
