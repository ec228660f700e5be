// Package stage has what the benchmarks measure at: the real server as a process
// of its own, with as many tokens as are wanted.
package stage

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"time"

	function "github.com/scaleway/scaleway-sdk-go/api/function/v1beta1"
	"github.com/scaleway/scaleway-sdk-go/scw"
)

// A Server is bin/jeton, running.
type Server struct {
	*function.API

	// URL is that of the API, and Credentials the path of the file with its key,
	// which is SecretKey.
	URL, Credentials, SecretKey string
	// Gateway and Ops are the URLs of its other ports.
	Gateway, Ops string
	// Took is the time from its start to its first answer, which comes when
	// everything is loaded.
	Took time.Duration

	command *exec.Cmd
}

// Start starts the server over a data folder. Flags go before those that it has
// otherwise.
func Start(ctx context.Context, data string, flags ...string) (*Server, error) {
	program, err := filepath.Abs(filepath.Join("bin", "jeton"))
	if err != nil {
		return nil, err
	}
	arguments := append([]string{
		"serve", "--data-dir", data, "--log-level=error", "--api-listen=127.0.0.1:0", "--gateway-listen=127.0.0.1:0", "--ops-listen=", "--min-timeout=1s",
	}, flags...)
	s := &Server{command: exec.CommandContext(ctx, program, arguments...)}
	s.command.Stderr = os.Stderr
	began := time.Now()
	if err := s.command.Start(); err != nil {
		return nil, err
	}
	if err := s.awaitEndpoints(data); err != nil {
		return nil, err
	}
	s.Credentials = data + ".credentials.yaml"
	config, err := scw.LoadConfigFromPath(s.Credentials)
	if err != nil {
		return nil, err
	}
	client, err := scw.NewClient(scw.WithProfile(&config.Profile), scw.WithAPIURL(s.URL))
	if err != nil {
		return nil, err
	}
	s.API = function.NewAPI(client)
	s.SecretKey, _ = client.GetSecretKey()
	if _, err := s.ListNamespaces(&function.ListNamespacesRequest{}, scw.WithContext(ctx)); err != nil {
		return nil, err
	}
	s.Took = time.Since(began)
	return s, nil
}

// awaitEndpoints waits until the server says where it listens.
func (s *Server) awaitEndpoints(data string) error {
	var endpoints struct{ API, Gateway, Ops string }
	ended := time.After(2 * time.Minute)
	tick := time.NewTicker(5 * time.Millisecond)
	defer tick.Stop()
	for {
		content, err := os.ReadFile(filepath.Join(data, "endpoints.json"))
		if err == nil && json.Unmarshal(content, &endpoints) == nil {
			s.URL, s.Gateway, s.Ops = endpoints.API, endpoints.Gateway, endpoints.Ops
			return nil
		}
		select {
		case <-tick.C:
		case <-ended:
			return fmt.Errorf("jeton does not start: %w", err)
		}
	}
}

// PID is the server's process.
func (s *Server) PID() int { return s.command.Process.Pid }

// Namespace makes a namespace, and waits until it is ready.
func (s *Server) Namespace(ctx context.Context, name string) (*function.Namespace, error) {
	n, err := s.CreateNamespace(&function.CreateNamespaceRequest{Name: name}, scw.WithContext(ctx))
	if err != nil {
		return nil, err
	}
	poll := 2 * time.Millisecond
	return s.WaitForNamespace(&function.WaitForNamespaceRequest{NamespaceID: n.ID, RetryInterval: &poll}, scw.WithContext(ctx))
}

// Stop ends the server, and returns the bytes that it had in memory at its end.
func (s *Server) Stop() (int64, error) {
	content, err := os.ReadFile(fmt.Sprintf("/proc/%d/statm", s.PID()))
	if err != nil {
		return 0, err
	}
	pages, err := strconv.ParseInt(strings.Fields(string(content))[1], 10, 64)
	if err != nil {
		return 0, err
	}
	if err := s.command.Process.Signal(syscall.SIGTERM); err != nil {
		return 0, err
	}
	return pages * int64(os.Getpagesize()), s.command.Wait()
}
