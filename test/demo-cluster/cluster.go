package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"syscall"
	"time"

	"github.com/jeton-dev/jeton/internal/server"
	"github.com/jeton-dev/jeton/test/await"
	"github.com/jeton-dev/jeton/test/postgres"
	"github.com/jeton-dev/jeton/test/s3server"
)

// A cluster is three nodes with their database and bucket.
type cluster struct {
	dir, binary     string
	postgres        *postgres.Server
	s3              *s3server.Server
	database, blobs string
	nodes           []*node
}

// A node is one process of jeton serve.
type node struct {
	name, data string
	command    *exec.Cmd
	endpoints  server.Endpoints
	ended      chan struct{}
}

func (c *cluster) start(ctx context.Context) (err error) {
	if c.postgres, err = postgres.Start(); err != nil {
		return err
	}
	if c.database, err = c.postgres.CreateDatabase(); err != nil {
		return err
	}
	if c.s3, err = s3server.Start(ctx); err != nil {
		return err
	}
	bucket, err := c.s3.CreateBucket(ctx)
	if err != nil {
		return err
	}
	c.blobs = c.s3.URL(bucket, "demo")
	for i := range 3 {
		if err := c.add(ctx, fmt.Sprint("node", i+1)); err != nil {
			return err
		}
	}
	return nil
}

// add starts a node with the key of the first one.
func (c *cluster) add(ctx context.Context, name string) error {
	n := &node{name: name, data: filepath.Join(c.dir, name)}
	if len(c.nodes) > 0 {
		key, err := os.ReadFile(filepath.Join(c.nodes[0].data, "secret.key"))
		if err != nil {
			return err
		}
		if err := errors.Join(os.Mkdir(n.data, 0o700), os.WriteFile(filepath.Join(n.data, "secret.key"), key, 0o600)); err != nil {
			return err
		}
	}
	c.nodes = append(c.nodes, n)
	return c.run(ctx, n)
}

// run starts the process of a node and waits until it is ready.
func (c *cluster) run(ctx context.Context, n *node) error {
	log, err := os.OpenFile(n.data+".log", os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
	if err != nil {
		return err
	}
	defer log.Close()
	const free = "127.0.0.1:0"
	n.command = exec.Command(c.binary, "serve", "--data-dir", n.data, "--node-name", n.name, "--cluster-listen", free,
		"--api-listen", free, "--gateway-listen", free, "--ops-listen", free, "--cache-dir", n.data+".cache", "--stop-delay", "1s")
	n.command.Env = append(os.Environ(), "JETON_DATABASE="+c.database, "JETON_BLOBS="+c.blobs,
		"AWS_ACCESS_KEY_ID="+s3server.AccessKey, "AWS_SECRET_ACCESS_KEY="+s3server.SecretKey)
	n.command.Stdout, n.command.Stderr = log, log
	_ = os.Remove(filepath.Join(n.data, server.EndpointsFile))
	if err := n.command.Start(); err != nil {
		return err
	}
	n.ended = make(chan struct{})
	go func() { _ = n.command.Wait(); close(n.ended) }()
	err = await.Until(ctx, n.name+" is ready", func() bool { return n.exited() || n.read() && n.ready(ctx) })
	if n.exited() {
		output, _ := os.ReadFile(n.data + ".log")
		return fmt.Errorf("%s ended:\n%s", n.name, output)
	}
	return err
}

func (n *node) exited() bool {
	select {
	case <-n.ended:
		return true
	default:
		return false
	}
}

// read reads the addresses of the node.
func (n *node) read() bool {
	content, err := os.ReadFile(filepath.Join(n.data, server.EndpointsFile))
	return err == nil && json.Unmarshal(content, &n.endpoints) == nil
}

func (n *node) ready(ctx context.Context) bool {
	ctx, cancel := context.WithTimeout(ctx, 5*time.Second)
	defer cancel()
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, n.endpoints.Ops+"/readyz", nil)
	if err != nil {
		return false
	}
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		return false
	}
	defer response.Body.Close()
	return response.StatusCode == http.StatusOK
}

// end ends the process of the node with a signal and waits for that.
func (n *node) end(signal syscall.Signal) error {
	if n.command == nil || n.command.Process == nil || n.exited() {
		return nil
	}
	_ = n.command.Process.Signal(syscall.SIGCONT)
	err := n.command.Process.Signal(signal)
	<-n.ended
	return err
}

// stop ends everything.
func (c *cluster) stop() (err error) {
	for _, n := range c.nodes {
		err = errors.Join(err, n.end(syscall.SIGTERM))
	}
	if c.s3 != nil {
		err = errors.Join(err, c.s3.Stop())
	}
	if c.postgres != nil {
		err = errors.Join(err, c.postgres.Stop())
	}
	return err
}
