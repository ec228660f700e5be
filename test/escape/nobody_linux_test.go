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

// nobody is a user without rights.
const nobody = 65534

// notAsked are the attempts that level user lets through, and why, as
// docs/isolation.md says.
var notAsked = map[string]string{
	"memory": "memory is not enforced",
	"setuid": "instances have the number 0 in their namespace from the start, and no capabilities: mount and raw tell what that is worth",
}

// TestEscapeAsNobody has each program try everything at level user, in a server that
// belongs to a user without rights, and get nowhere. Rust's program is built by root
// before, whose toolchain is mostly in root's home; all others are built by nobody.
func TestEscapeAsNobody(t *testing.T) {
	t.Parallel()
	wantRoot(t)
	programs := escape.Programs()
	isRust := func(p escape.Program) bool { return p.Language == "rust" }
	rust := programs[slices.IndexFunc(programs, isRust)]

	dir := folderForAll(t)
	built := &scene{}
	jeton := jetontest.Start(t, func(c *server.Config) {
		c.DataDir = filepath.Join(dir, "home", "data")
		c.Credentials = server.CredentialsPath(c.DataDir)
		c.Isolation = sandbox.Full.String()
		crates(t, c)
	})
	built.api = function.NewAPI(jeton.Client())
	built.addNamespace(t)
	deployed := built.deployProgram(t, rust)
	jeton.Stop()

	s := serveAsNobody(t, dir, jeton, built.namespaceID)
	for _, p := range programs {
		t.Run(p.Language, func(t *testing.T) {
			f := deployed
			if !isRust(p) {
				f = s.deployProgram(t, p)
			}
			attempts := slices.DeleteFunc(slices.Clone(p.Attempts), func(a string) bool {
				why, isNot := notAsked[a]
				if isNot {
					t.Logf("%-9s is not tried: %s", a, why)
				}
				return isNot
			})
			wantClosed(t, s.call(t, p, f, attempts))
		})
	}
}

// folderForAll is a folder that every user may look into.
func folderForAll(t *testing.T) string {
	t.Helper()
	dir, err := os.MkdirTemp("/var/tmp", "jn") //nolint:usetesting // The folder of t.TempDir is the owner's alone.
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = os.RemoveAll(dir) })
	if err := errors.Join(os.Chmod(dir, 0o755), os.Mkdir(filepath.Join(dir, "home"), 0o700)); err != nil {
		t.Fatal(err)
	}
	return dir
}

// serveAsNobody starts the real program at level user, over the data folder of a
// server that has ended, which becomes nobody's.
func serveAsNobody(t *testing.T, dir string, before *jetontest.Jeton, namespaceID string) *scene {
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
	c.Dir, c.Env = home, []string{"HOME=" + home, "PATH=" + pathForAll()}
	c.SysProcAttr = &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: nobody, Gid: nobody}, Pdeathsig: syscall.SIGKILL}
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
			t.Errorf("the server ended with %v", err)
		}
		if t.Failed() {
			t.Logf("log of the server:\n%.20000s", log)
		}
	})
	api, gateway := endpoints(t, before.DataDir, ended, log)
	s := &scene{
		api: function.NewAPI(before.Client(scw.WithAPIURL(api))), gatewayURL: gateway, namespaceID: namespaceID,
	}
	s.layBait(t, before.DataDir, api, c.Process.Pid)
	return s
}

// endpoints waits until a server serves, and returns where.
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

// pathForAll has the folders of PATH that every user may look into: toolchains in
// the home of root are not for nobody.
func pathForAll() string {
	var dirs []string
	for _, dir := range filepath.SplitList(os.Getenv("PATH")) {
		if openToAll(dir) {
			dirs = append(dirs, dir)
		}
	}
	return strings.Join(dirs, string(filepath.ListSeparator))
}

func openToAll(dir string) bool {
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
