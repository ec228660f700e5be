// Package faults_test tests the real program with faults of the machine: a full disk,
// missing permissions, damaged files and a clock that is set back.
package faults_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"sync"
	"syscall"
	"testing"
	"time"

	function "github.com/scaleway/scaleway-sdk-go/api/function/v1beta1"
	"github.com/scaleway/scaleway-sdk-go/scw"

	"github.com/jeton-dev/jeton/test/await"
	"github.com/jeton-dev/jeton/test/testlog"
)

// endTimeout is how long a program may take to end.
const endTimeout = await.Patience

// built returns the path of the program, which it builds once.
var built = sync.OnceValues(func() (string, error) {
	dir, err := os.MkdirTemp("", "jeton-faults-")
	if err != nil {
		return "", err
	}
	program := filepath.Join(dir, "jeton")
	output, err := exec.Command("go", "build", "-o", program, "github.com/jeton-dev/jeton/cmd/jeton").CombinedOutput()
	if err != nil {
		return "", fmt.Errorf("build jeton: %w\n%s", err, output)
	}
	return program, nil
})

func TestMain(m *testing.M) {
	code := m.Run()
	if program, err := built(); err == nil {
		_ = os.RemoveAll(filepath.Dir(program))
	}
	os.Exit(code)
}

// A program is a running jeton process.
type program struct {
	*function.API
	gateway string
	t       *testing.T
	command *exec.Cmd
	log     *testlog.Buffer
	ended   chan error
}

// command returns the command jeton serve for a data folder. limit is a shell command
// that runs first, or empty.
func command(t *testing.T, data, limit string) *exec.Cmd {
	t.Helper()
	jeton, err := built()
	if err != nil {
		t.Fatal(err)
	}
	arguments := []string{
		"serve", "--data-dir", data, "--api-listen=127.0.0.1:0", "--gateway-listen=127.0.0.1:0", "--ops-listen=", "--log-level=debug",
		"--max-namespaces=1000000", "--cache-dir", filepath.Join(filepath.Dir(data), "cache"),
	}
	if limit != "" {
		// The image of an instance's disk would exceed the limit.
		arguments = append(arguments, "--instance-disk=0")
		return exec.Command("sh", append([]string{"-c", limit + ` && exec "$0" "$@"`, jeton}, arguments...)...)
	}
	return exec.Command(jeton, arguments...)
}

// start starts jeton, and waits until it serves.
func start(t *testing.T, data, limit string) *program {
	t.Helper()
	p := &program{t: t, command: command(t, data, limit), log: &testlog.Buffer{}, ended: make(chan error, 1)}
	p.command.Stderr = p.log
	if err := p.command.Start(); err != nil {
		t.Fatal(err)
	}
	go func() { p.ended <- p.command.Wait() }()
	t.Cleanup(func() {
		p.kill()
		if t.Failed() {
			t.Logf("log of the program:\n%.20000s", p.log)
		}
	})
	var endpoints struct{ API, Gateway string }
	await.True(t, "jeton serves", func() bool {
		select {
		case err := <-p.ended:
			p.ended <- err
			t.Fatalf("start jeton: it ended with %v\n%s", err, p.log)
		default:
		}
		content, err := os.ReadFile(filepath.Join(data, "endpoints.json"))
		return err == nil && json.Unmarshal(content, &endpoints) == nil
	})
	config, err := scw.LoadConfigFromPath(data + ".credentials.yaml")
	if err != nil {
		t.Fatal(err)
	}
	client, err := scw.NewClient(scw.WithProfile(&config.Profile), scw.WithAPIURL(endpoints.API))
	if err != nil {
		t.Fatal(err)
	}
	p.API, p.gateway = function.NewAPI(client), endpoints.Gateway
	return p
}

// kill ends the program with SIGKILL.
func (p *program) kill() {
	_ = p.command.Process.Kill()
	err := <-p.ended
	p.ended <- err
	_ = os.Remove(filepath.Join(p.data(), "endpoints.json"))
}

func (p *program) data() string {
	for i, argument := range p.command.Args {
		if argument == "--data-dir" {
			return p.command.Args[i+1]
		}
	}
	return ""
}

// stop ends the program with SIGTERM.
func (p *program) stop() {
	p.t.Helper()
	if err := p.command.Process.Signal(syscall.SIGTERM); err != nil {
		p.t.Fatal(err)
	}
	err := <-p.ended
	p.ended <- err
	if err != nil {
		p.t.Errorf("got %v at the end of jeton, want nil", err)
	}
}

// refusesToStart checks that jeton ends with an error, and returns what it prints.
func refusesToStart(t *testing.T, data string) string {
	t.Helper()
	c := command(t, data, "")
	var printed bytes.Buffer
	c.Stderr = &printed
	ended := make(chan error, 1)
	if err := c.Start(); err != nil {
		t.Fatal(err)
	}
	go func() { ended <- c.Wait() }()
	select {
	case err := <-ended:
		if _, failed := errors.AsType[*exec.ExitError](err); !failed {
			t.Errorf("got %v at the end of jeton, want an exit status", err)
		}
	case <-time.After(endTimeout):
		_ = c.Process.Kill()
		t.Errorf("got a running jeton after %v, want it to end: %v", endTimeout, <-ended)
	}
	return printed.String()
}

// tokens creates n tokens, and returns the IDs of the acknowledged ones and the first
// error.
func (p *program) tokens(namespaceID string, n int) (ids []string, err error) {
	for range n {
		token, err := p.CreateToken(&function.CreateTokenRequest{NamespaceID: &namespaceID})
		if err != nil {
			return ids, err
		}
		ids = append(ids, token.ID)
	}
	return ids, nil
}

func (p *program) namespace(name string) *function.Namespace {
	p.t.Helper()
	n, err := p.CreateNamespace(&function.CreateNamespaceRequest{Name: name})
	if err != nil {
		p.t.Fatal(err)
	}
	often, limit := 20*time.Millisecond, endTimeout
	n, err = p.WaitForNamespace(&function.WaitForNamespaceRequest{NamespaceID: n.ID, RetryInterval: &often, Timeout: &limit})
	if err != nil {
		p.t.Fatal(err)
	}
	return n
}

// wantTokens checks that each of the tokens exists.
func (p *program) wantTokens(when string, ids []string) {
	p.t.Helper()
	for _, id := range ids {
		if _, err := p.GetToken(&function.GetTokenRequest{TokenID: id}); err != nil {
			p.t.Errorf("%s: got %v for an acknowledged token, want nil", when, err)
		}
	}
}

// refused reports whether the gateway denies a token. The function has no code: admitted
// calls get 503.
func refused(t *testing.T, gateway string, f *function.Function, token string) bool {
	t.Helper()
	request, err := http.NewRequest(http.MethodGet, gateway, nil)
	if err != nil {
		t.Fatal(err)
	}
	request.Host = f.DomainName
	request.Header.Set("X-Auth-Token", token)
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		t.Fatal(err)
	}
	response.Body.Close()
	return response.StatusCode == http.StatusForbidden
}
