package nodes

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"syscall"
	"time"

	"github.com/jeton-dev/jeton/internal/server"
	"github.com/jeton-dev/jeton/test/await"
)

// A Node is one process of jeton serve. It can be started again.
type Node struct {
	Name, Data string
	// Binary is the program, and Flags are more flags of jeton serve.
	Binary string
	Flags  []string
	// Endpoints are the addresses of the process.
	Endpoints server.Endpoints

	shared  *Shared
	process *os.Process
	ended   chan struct{}
}

// New returns a node that is not started, with a data folder in dir. It gets the key of the
// first one, if there is one.
func (s *Shared) New(name, dir, binary string, first *Node, flags ...string) (*Node, error) {
	n := &Node{Name: name, Data: filepath.Join(dir, name), Binary: binary, Flags: flags, shared: s}
	if first == nil {
		return n, nil
	}
	return n, ShareKey(first.Data, n.Data)
}

// Start starts the process of the node and waits until it is ready. An error has the log of
// a process that has ended.
func (n *Node) Start(ctx context.Context) error {
	log, err := os.OpenFile(n.Data+".log", os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
	if err != nil {
		return err
	}
	defer log.Close()
	flags := append([]string{"serve", "--cache-dir", n.Data + ".cache", "--stop-delay", "1s"}, Flags(n.Name, n.Data, n.shared.Database, n.shared.Blobs)...)
	command := exec.Command(n.Binary, append(flags, n.Flags...)...)
	command.Env = append(os.Environ(), Credentials()...)
	command.Stdout, command.Stderr = log, log
	_ = os.Remove(filepath.Join(n.Data, server.EndpointsFile))
	if err := command.Start(); err != nil {
		return err
	}
	ended := make(chan struct{})
	n.process, n.ended = command.Process, ended
	go func() { _ = command.Wait(); close(ended) }()
	err = await.Until(ctx, n.Name+" is ready", func() bool { return n.Ended() || n.read() && n.ready(ctx) })
	if n.Ended() {
		output, _ := os.ReadFile(n.Data + ".log")
		return fmt.Errorf("%s ended:\n%s", n.Name, output)
	}
	return err
}

// Ended reports whether the process does not run.
func (n *Node) Ended() bool {
	if n.process == nil {
		return true
	}
	select {
	case <-n.ended:
		return true
	default:
		return false
	}
}

// read reads the addresses of the node.
func (n *Node) read() bool {
	content, err := os.ReadFile(filepath.Join(n.Data, server.EndpointsFile))
	return err == nil && json.Unmarshal(content, &n.Endpoints) == nil
}

func (n *Node) ready(ctx context.Context) bool {
	ctx, cancel := context.WithTimeout(ctx, 5*time.Second)
	defer cancel()
	return Ready(ctx, n.Endpoints.Ops)
}

// Signal sends a signal to the process.
func (n *Node) Signal(signal syscall.Signal) error { return n.process.Signal(signal) }

// End ends the process with a signal, also if it is paused, and waits for that.
func (n *Node) End(signal syscall.Signal) error {
	if n.Ended() {
		return nil
	}
	_ = n.process.Signal(syscall.SIGCONT)
	err := n.process.Signal(signal)
	<-n.ended
	if errors.Is(err, os.ErrProcessDone) {
		return nil
	}
	return err
}
