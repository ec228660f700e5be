package main

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"syscall"
	"time"

	function "github.com/scaleway/scaleway-sdk-go/api/function/v1beta1"
	"github.com/scaleway/scaleway-sdk-go/scw"

	"github.com/jeton-dev/jeton/test/await"
	"github.com/jeton-dev/jeton/test/deploy"
)

// stage is where the proofs run: a folder, and what was made in it that nobody
// may find again.
type stage struct {
	root, dir string
	servers   int
	secrets   []string
}

func newStage() (*stage, error) {
	root, err := os.Getwd()
	if err != nil {
		return nil, err
	}
	dir, err := os.MkdirTemp("", "jeton-prove-")
	return &stage{root: root, dir: dir}, err
}

func (s *stage) close() { _ = os.RemoveAll(s.dir) }

// jeton is one server in a process of its own.
type jeton struct {
	*function.API
	stage   *stage
	data    string
	command []string
	process *exec.Cmd
	api     string
	gateway string
	ops     string
}

// newServer starts a fresh server: bin/jeton, unless another command is given.
func (s *stage) newServer(ctx context.Context, command ...string) (*jeton, error) {
	s.servers++
	data := filepath.Join(s.dir, fmt.Sprint("data", s.servers))
	if command == nil {
		command = []string{
			filepath.Join(s.root, "bin", "jeton"), "serve", "--data-dir", data, "--cache-dir", filepath.Join(s.root, ".cache"),
			"--api-listen=127.0.0.1:0", "--gateway-listen=127.0.0.1:0", "--ops-listen=127.0.0.1:0", "--log-format=json", "--min-timeout=1s",
			// Of the proofs' Rust function alone.
			"--crates=" + filepath.Join(s.root, "test", "crates", "registry"),
		}
	} else {
		command = append(command, data)
	}
	v := &jeton{stage: s, data: data, command: command}
	return v, v.start(ctx)
}

func (v *jeton) start(ctx context.Context) error {
	_ = os.Remove(filepath.Join(v.data, "endpoints.json"))
	log, err := os.OpenFile(v.data+".log", os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
	if err != nil {
		return err
	}
	defer log.Close()
	process := exec.CommandContext(ctx, v.command[0], v.command[1:]...)
	process.Stdout, process.Stderr = log, log
	if err := process.Start(); err != nil {
		return err
	}
	v.process = process
	var endpoints struct{ API, Gateway, Ops string }
	err = await.Until(ctx, "jeton writes endpoints.json", func() bool {
		content, err := os.ReadFile(filepath.Join(v.data, "endpoints.json"))
		return err == nil && json.Unmarshal(content, &endpoints) == nil
	})
	if err != nil {
		return fmt.Errorf("the server does not start, see %s.log: %w", v.data, err)
	}
	config, err := scw.LoadConfigFromPath(v.data + ".credentials.yaml")
	if err != nil {
		return err
	}
	client, err := scw.NewClient(scw.WithProfile(&config.Profile), scw.WithAPIURL(endpoints.API))
	if err != nil {
		return err
	}
	v.stage.secrets = append(v.stage.secrets, *config.SecretKey)
	v.API, v.api, v.gateway, v.ops = function.NewAPI(client), endpoints.API, endpoints.Gateway, endpoints.Ops
	return nil
}

// kill ends the server as a power cut would.
func (v *jeton) kill() {
	_ = v.process.Process.Kill()
	_ = v.process.Wait()
}

func (v *jeton) stop() {
	_ = v.process.Process.Signal(syscall.SIGTERM)
	_ = v.process.Wait()
}

func (v *jeton) namespace(ctx context.Context, name string) (string, error) {
	n, err := v.CreateNamespace(&function.CreateNamespaceRequest{Name: name}, scw.WithContext(ctx))
	if err != nil {
		return "", err
	}
	_, err = v.WaitForNamespace(&function.WaitForNamespaceRequest{NamespaceID: n.ID, RetryInterval: &poll}, scw.WithContext(ctx))
	return n.ID, err
}

var (
	poll  = 20 * time.Millisecond
	limit = 5 * time.Minute
)

// deploy makes a private function in Go, with a secret variable.
func (v *jeton) deploy(ctx context.Context, namespaceID, name, code string, maxScale uint32) (*function.Function, error) {
	secret := "secret-of-" + name + "-8d0f1a"
	v.stage.secrets = append(v.stage.secrets, secret)
	return deploy.Function(ctx, v.API, &function.CreateFunctionRequest{
		NamespaceID: namespaceID, Name: name, Runtime: "go126", Privacy: function.FunctionPrivacyPrivate, MaxScale: &maxScale,
		SecretEnvironmentVariables: []*function.Secret{{Key: "SECRET", Value: &secret}},
	}, map[string]string{"go.mod": "module example.org/f\n\ngo 1.21\n", "f.go": code})
}

// token makes a token for a function.
func (v *jeton) token(ctx context.Context, functionID string, expiresAt *time.Time) (*function.Token, error) {
	token, err := v.CreateToken(&function.CreateTokenRequest{FunctionID: &functionID, ExpiresAt: expiresAt}, scw.WithContext(ctx))
	if err == nil {
		v.stage.secrets = append(v.stage.secrets, token.Token)
	}
	return token, err
}
