//go:build escape

package escape_test

import (
	"encoding/json"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"

	function "github.com/scaleway/scaleway-sdk-go/api/function/v1beta1"
	"github.com/scaleway/scaleway-sdk-go/scw"

	"github.com/jeton-dev/jeton/internal/sandbox"
	"github.com/jeton-dev/jeton/internal/server"
	"github.com/jeton-dev/jeton/test/await"
	"github.com/jeton-dev/jeton/test/escape"
	"github.com/jeton-dev/jeton/test/jetontest"
	"github.com/jeton-dev/jeton/test/testlog"
)

// nobodyID is the id of the unprivileged user nobody.
const nobodyID = 65534

// notPrevented are the attempts that level user does not prevent, and why, as
// docs/isolation.md says.
var notPrevented = map[string]string{
	"memory": "the level does not limit memory",
	"setuid": "instances have user id 0 in their namespace, without capabilities, which mount and raw test",
}

// TestPrograms_CannotEscapeAtLevelUser runs the programs on a server of the user nobody.
// Root builds the Rust program first, since its toolchain is usually in root's home. The
// user nobody builds the others.
func TestPrograms_CannotEscapeAtLevelUser(t *testing.T) {
	t.Parallel()
	wantRoot(t)
	programs := escape.Programs()
	isRust := func(p escape.Program) bool { return p.Language == "rust" }
	rust := programs[slices.IndexFunc(programs, isRust)]

	dir := readableFolder(t)
	built := &fixture{}
	jeton := jetontest.Start(t, func(c *server.Config) {
		c.DataDir = filepath.Join(dir, "home", "data")
		c.Credentials = server.CredentialsPath(c.DataDir)
		c.Isolation = sandbox.Full.String()
		crates(t, c)
	})
	built.api = function.NewAPI(jeton.Client())
	built.addNamespace(t)
	deployedRust := built.deploy(t, rust)
	jeton.Stop()

	f := serveAsNobody(t, dir, jeton, built.namespaceID)
	for _, p := range programs {
		t.Run(p.Language, func(t *testing.T) {
			deployed := deployedRust
			if !isRust(p) {
				deployed = f.deploy(t, p)
			}
			attempts := slices.DeleteFunc(slices.Clone(p.Attempts), func(a string) bool {
				why, skip := notPrevented[a]
				if skip {
					t.Logf("%-9s is not tried: %s", a, why)
				}
				return skip
			})
			wantBlocked(t, f.call(t, p, deployed, attempts))
		})
	}
}

// readableFolder makes a folder that every user may read.
func readableFolder(t *testing.T) string {
	t.Helper()
	dir, err := os.MkdirTemp("/var/tmp", "jn") //nolint:usetesting // Only its owner may enter the folder of t.TempDir.
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = os.RemoveAll(dir) })
	if err := errors.Join(os.Chmod(dir, 0o755), os.Mkdir(filepath.Join(dir, "home"), 0o700)); err != nil {
		t.Fatal(err)
	}
	return dir
}

// serveAsNobody starts the real program at level user as the user nobody, with the data
// folder of a server that has ended.
func serveAsNobody(t *testing.T, dir string, before *jetontest.Jeton, namespaceID string) *fixture {
	t.Helper()
	program, home := filepath.Join(dir, "jeton"), filepath.Join(dir, "home")
	for _, c := range []*exec.Cmd{
		exec.Command("go", "build", "-o", program, "github.com/jeton-dev/jeton/cmd/jeton"),
		exec.Command("chown", "-R", "65534:65534", home),
	} {
		if out, err := c.CombinedOutput(); err != nil {
			t.Fatalf("%v: %v\n%s", c.Args, err, out)
		}
	}
	c := exec.Command(program, "serve", "--isolation=user", "--data-dir", before.DataDir, "--cache-dir", filepath.Join(home, "cache"),
		"--api-listen=127.0.0.1:0", "--gateway-listen=127.0.0.1:0", "--ops-listen=", "--log-level=debug")
	c.Dir, c.Env = home, []string{"HOME=" + home, "PATH=" + readablePath()}
	c.SysProcAttr = &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: nobodyID, Gid: nobodyID}, Pdeathsig: syscall.SIGKILL}
	log := &testlog.Buffer{}
	c.Stderr = log
	if err := c.Start(); err != nil {
		t.Fatal(err)
	}
	ended := make(chan error, 1)
	go func() { ended <- c.Wait() }()
	t.Cleanup(func() {
		_ = c.Process.Signal(syscall.SIGTERM)
		if err := <-ended; err != nil {
			t.Errorf("got %v at the end of the server, want nil", err)
		}
		if t.Failed() {
			t.Logf("log of the server:\n%.20000s", log)
		}
	})
	api, gateway := endpoints(t, before.DataDir, ended, log)
	f := &fixture{
		api: function.NewAPI(before.Client(scw.WithAPIURL(api))), gatewayURL: gateway, namespaceID: namespaceID,
	}
	f.addTargets(t, escape.Server{DataDir: before.DataDir, APIURL: api, PID: c.Process.Pid})
	return f
}

// endpoints waits until a server serves, and returns its URLs.
func endpoints(t *testing.T, dataDir string, ended chan error, log *testlog.Buffer) (api, gateway string) {
	t.Helper()
	var found struct{ API, Gateway string }
	await.True(t, "jeton serves", func() bool {
		select {
		case err := <-ended:
			ended <- err
			t.Fatalf("jeton ended with %v:\n%s", err, log)
		default:
		}
		content, err := os.ReadFile(filepath.Join(dataDir, "endpoints.json"))
		return err == nil && json.Unmarshal(content, &found) == nil
	})
	return found.API, found.Gateway
}

// readablePath returns PATH without the folders that not every user may read, such as
// toolchains in root's home.
func readablePath() string {
	var dirs []string
	for _, dir := range filepath.SplitList(os.Getenv("PATH")) {
		if isReadable(dir) {
			dirs = append(dirs, dir)
		}
	}
	return strings.Join(dirs, string(filepath.ListSeparator))
}

// isReadable reports whether every user may read a folder and enter its parents.
func isReadable(dir string) bool {
	for ; ; dir = filepath.Dir(dir) {
		info, err := os.Stat(dir)
		if err != nil || info.Mode().Perm()&0o005 != 0o005 {
			return false
		}
		if dir == "/" || dir == "." {
			return true
		}
	}
}
