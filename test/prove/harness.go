package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"time"

	function "github.com/scaleway/scaleway-sdk-go/api/function/v1beta1"
	"github.com/scaleway/scaleway-sdk-go/scw"

	"github.com/jeton-dev/jeton/test/await"
	"github.com/jeton-dev/jeton/test/deploy"
)

// A harness starts servers for the proofs in a temporary folder, and collects the secrets
// that the proofs create, which must not appear in any output.
type harness struct {
	// root is the folder of the repository, and dir the temporary folder.
	root, dir string
	servers   int
	secrets   []string
}

func newHarness() (*harness, error) {
	root, err := os.Getwd()
	if err != nil {
		return nil, err
	}
	dir, err := os.MkdirTemp("", "jeton-prove-")
	return &harness{root: root, dir: dir}, err
}

func (h *harness) close() { _ = os.RemoveAll(h.dir) }

// A jeton is a server process.
type jeton struct {
	*function.API
	harness *harness
	data    string
	// credentials is the file with the API key.
	credentials string
	command     []string
	environment []string
	process     *exec.Cmd
	// exited is closed when the process has ended.
	exited  chan struct{}
	api     string
	gateway string
	ops     string
	cluster string
}

// newServer starts a new server with an empty data folder: bin/jeton or, if command is
// not empty, that command with the data folder as its last argument.
func (h *harness) newServer(ctx context.Context, command ...string) (*jeton, error) {
	h.servers++
	data := filepath.Join(h.dir, fmt.Sprint("data", h.servers))
	if command == nil {
		command = []string{
			filepath.Join(h.root, "bin", "jeton"), "serve", "--data-dir", data, "--cache-dir", filepath.Join(h.root, ".cache"),
			"--api-listen=127.0.0.1:0", "--gateway-listen=127.0.0.1:0", "--ops-listen=127.0.0.1:0", "--log-format=json", "--min-timeout=1s",
			// The Rust program of the escape proofs needs these crates.
			"--crates=" + filepath.Join(h.root, "test", "crates", "registry"),
		}
	} else {
		command = append(command, data)
	}
	v := &jeton{harness: h, data: data, credentials: data + ".credentials.yaml", command: command}
	return v, v.start(ctx)
}

// newServerWithNamespace starts a new server, and creates a namespace. The caller stops
// the server.
func (h *harness) newServerWithNamespace(ctx context.Context, name string) (v *jeton, namespaceID string, err error) {
	if v, err = h.newServer(ctx); err != nil {
		return nil, "", err
	}
	if namespaceID, err = v.namespace(ctx, name); err != nil {
		v.stop()
		return nil, "", err
	}
	return v, namespaceID, nil
}

// verdict returns the line of a proof, with the failures and errBroken if there are any.
func verdict(line string, failures []string) (string, error) {
	if len(failures) > 0 {
		return line + ": " + strings.Join(failures, "; "), errBroken
	}
	return line, nil
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
	process.Env = append(os.Environ(), v.environment...)
	if err := process.Start(); err != nil {
		return err
	}
	v.process, v.exited = process, make(chan struct{})
	go func(exited chan struct{}) {
		defer close(exited)
		_ = process.Wait()
	}(v.exited)
	var endpoints struct{ API, Gateway, Ops, Cluster string }
	ended := false
	err = await.Until(ctx, "jeton writes endpoints.json or ends", func() bool {
		select {
		case <-v.exited:
			ended = true
			return true
		default:
		}
		content, err := os.ReadFile(filepath.Join(v.data, "endpoints.json"))
		return err == nil && json.Unmarshal(content, &endpoints) == nil
	})
	if ended {
		err = errors.New("jeton ended")
	}
	if err != nil {
		return fmt.Errorf("start server: %w: see %s.log", err, v.data)
	}
	config, err := scw.LoadConfigFromPath(v.credentials)
	if err != nil {
		return err
	}
	client, err := scw.NewClient(scw.WithProfile(&config.Profile), scw.WithAPIURL(endpoints.API))
	if err != nil {
		return err
	}
	v.harness.secrets = append(v.harness.secrets, *config.SecretKey)
	v.API, v.api, v.gateway, v.ops = function.NewAPI(client), endpoints.API, endpoints.Gateway, endpoints.Ops
	v.cluster = endpoints.Cluster
	return nil
}

// kill ends the server with SIGKILL.
func (v *jeton) kill() {
	_ = v.process.Process.Kill()
	<-v.exited
}

func (v *jeton) stop() {
	_ = v.process.Process.Signal(syscall.SIGTERM)
	<-v.exited
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

// deploy creates and deploys a private function in Go, with a secret variable.
func (v *jeton) deploy(ctx context.Context, namespaceID, name, code string, maxScale uint32) (*function.Function, error) {
	secret := "secret-of-" + name + "-8d0f1a"
	v.harness.secrets = append(v.harness.secrets, secret)
	return deploy.Function(ctx, v.API, &function.CreateFunctionRequest{
		NamespaceID: namespaceID, Name: name, Runtime: "go126", Privacy: function.FunctionPrivacyPrivate, MaxScale: &maxScale,
		SecretEnvironmentVariables: []*function.Secret{{Key: "SECRET", Value: &secret}},
	}, map[string]string{"go.mod": "module example.org/f\n\ngo 1.21\n", "f.go": code})
}

// token creates a token for a function; expiresAt may be nil.
func (v *jeton) token(ctx context.Context, functionID string, expiresAt *time.Time) (*function.Token, error) {
	token, err := v.CreateToken(&function.CreateTokenRequest{FunctionID: &functionID, ExpiresAt: expiresAt}, scw.WithContext(ctx))
	if err == nil {
		v.harness.secrets = append(v.harness.secrets, token.Token)
	}
	return token, err
}
