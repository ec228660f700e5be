// Package faults_test takes away from the real program what it stands on: the room
// on its disk, the right to write, the files themselves, the clock.
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

const patience = await.Patience

// built is the path of the program, which is built once.
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

// A program is a running jeton.
type program struct {
	*function.API
	gateway string
	t       *testing.T
	command *exec.Cmd
	log     *testlog.Buffer
	ended   chan error
}

// command is jeton serve over a data folder, within a shell's limits if any.
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
		// A disk is a file that is larger than the limits allow.
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
			t.Fatalf("jeton ended: %v\n%s", err, p.log)
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

// kill ends the program as a power cut does.
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

// stop ends the program as an operator does.
func (p *program) stop() {
	p.t.Helper()
	if err := p.command.Process.Signal(syscall.SIGTERM); err != nil {
		p.t.Fatal(err)
	}
	err := <-p.ended
	p.ended <- err
	if err != nil {
		p.t.Errorf("jeton ended with %v", err)
	}
}

// refuses starts jeton where it cannot, and returns what it says at its end.
func refuses(t *testing.T, data string) string {
	t.Helper()
	c := command(t, data, "")
	var said bytes.Buffer
	c.Stderr = &said
	ended := make(chan error, 1)
	if err := c.Start(); err != nil {
		t.Fatal(err)
	}
	go func() { ended <- c.Wait() }()
	select {
	case err := <-ended:
		if _, failed := errors.AsType[*exec.ExitError](err); !failed {
			t.Errorf("jeton ends with %v", err)
		}
	case <-time.After(patience):
		_ = c.Process.Kill()
		t.Errorf("jeton goes on, until it is killed: %v", <-ended)
	}
	return said.String()
}

// tokens makes as many tokens, and returns the IDs of those that were answered
// for, and the first error.
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
	often, limit := 20*time.Millisecond, patience
	n, err = p.WaitForNamespace(&function.WaitForNamespaceRequest{NamespaceID: n.ID, RetryInterval: &often, Timeout: &limit})
	if err != nil {
		p.t.Fatal(err)
	}
	return n
}

// wantTokens fails unless each of the tokens is there.
func (p *program) wantTokens(when string, ids []string) {
	p.t.Helper()
	for _, id := range ids {
		if _, err := p.GetToken(&function.GetTokenRequest{TokenID: id}); err != nil {
			p.t.Errorf("%s, a token that was acknowledged: %v", when, err)
		}
	}
}

// refused tells whether the gateway does not let a token in. The function has no
// code: what is let in is answered with 503.
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
