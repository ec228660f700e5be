package harness

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

	function "github.com/scaleway/scaleway-sdk-go/api/function/v1beta1"
	"github.com/scaleway/scaleway-sdk-go/scw"

	"github.com/jeton-dev/jeton/test/await"
)

// pollInterval is how often the state of an object is read. It is short compared
// with what is measured.
const pollInterval = 2 * time.Millisecond

// idleCPU is the CPU time per second below which a server is settled.
const idleCPU = 50 * time.Millisecond

// A Server is a running bin/jeton and a client of its API.
type Server struct {
	*function.API

	// URL, Gateway and Ops are the URLs of the server's listeners. Ops is "" unless
	// a flag enables it.
	URL, Gateway, Ops string
	// Credentials is the path of the file with the first API key, and SecretKey its
	// secret.
	Credentials, SecretKey string
	// StartTime is the time from the start of the process to the first answer, which
	// comes after everything is loaded.
	StartTime time.Duration

	command *exec.Cmd
	stopped bool
}

// Start starts the server with a data folder, and waits until it answers. Flags
// override the defaults of the benchmarks.
func Start(ctx context.Context, data string, flags ...string) (*Server, error) {
	return StartIn(ctx, os.TempDir(), data, flags...)
}

// StartIn is Start with another temporary folder, in which the server creates the folder
// of its instances' sockets.
func StartIn(ctx context.Context, temporary, data string, flags ...string) (_ *Server, err error) {
	program, err := filepath.Abs(filepath.Join("bin", "jeton"))
	if err != nil {
		return nil, err
	}
	s := &Server{Credentials: data + ".credentials.yaml"}
	// The endpoints of a server that has ended are not those of this one.
	_ = os.Remove(filepath.Join(data, "endpoints.json"))
	s.command = exec.CommandContext(ctx, program, append([]string{
		"serve", "--data-dir", data, "--log-level=error", "--min-timeout=1s",
		"--api-listen=127.0.0.1:0", "--gateway-listen=127.0.0.1:0", "--ops-listen=",
	}, flags...)...)
	s.command.Env = append(os.Environ(), "TMPDIR="+temporary)
	s.command.Stderr = os.Stderr
	s.command.Cancel = func() error { return s.command.Process.Signal(syscall.SIGTERM) }
	began := time.Now()
	if err := s.command.Start(); err != nil {
		return nil, err
	}
	defer func() {
		if err != nil {
			err = errors.Join(fmt.Errorf("start jeton: %w", err), s.Stop())
		}
	}()
	if err := s.readEndpoints(ctx, data); err != nil {
		return nil, err
	}
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
	s.StartTime = time.Since(began)
	return s, nil
}

// readEndpoints waits until the server has written the addresses of its listeners.
func (s *Server) readEndpoints(ctx context.Context, data string) error {
	var endpoints struct{ API, Gateway, Ops string }
	err := await.Until(ctx, "jeton writes endpoints.json", func() bool {
		content, err := os.ReadFile(filepath.Join(data, "endpoints.json"))
		return err == nil && json.Unmarshal(content, &endpoints) == nil
	})
	s.URL, s.Gateway, s.Ops = endpoints.API, endpoints.Gateway, endpoints.Ops
	return err
}

// PID returns the server's process ID.
func (s *Server) PID() int { return s.command.Process.Pid }

// Namespace creates a namespace, and waits until it is ready.
func (s *Server) Namespace(ctx context.Context, name string) (*function.Namespace, error) {
	n, err := s.CreateNamespace(&function.CreateNamespaceRequest{Name: name}, scw.WithContext(ctx))
	if err != nil {
		return nil, err
	}
	interval := pollInterval
	return s.WaitForNamespace(&function.WaitForNamespaceRequest{NamespaceID: n.ID, RetryInterval: &interval}, scw.WithContext(ctx))
}

// Settle waits until the server has used nearly no CPU time for a second. After its
// start it makes key pairs ahead of need, which takes seconds of CPU time.
func (s *Server) Settle(ctx context.Context) error {
	ctx, cancel := context.WithTimeoutCause(ctx, await.Patience, errors.New("the server is still busy"))
	defer cancel()
	tick := time.NewTicker(time.Second)
	defer tick.Stop()
	for {
		before, err := CPUTime(s.PID())
		if err != nil {
			return err
		}
		select {
		case <-tick.C:
		case <-ctx.Done():
			return context.Cause(ctx)
		}
		if after, err := CPUTime(s.PID()); err != nil || after-before < idleCPU {
			return err
		}
	}
}

// Close stops the server, like Stop, and ignores errors. It is for defer.
func (s *Server) Close() { _ = s.Stop() }

// Stop stops the server and waits until it has ended. It does nothing if the server
// is stopped already.
func (s *Server) Stop() error {
	if s.stopped {
		return nil
	}
	s.stopped = true
	if err := s.command.Process.Signal(syscall.SIGTERM); err != nil {
		return err
	}
	return s.command.Wait()
}
