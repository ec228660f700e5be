package e2e_test

import (
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	function "github.com/scaleway/scaleway-sdk-go/api/function/v1beta1"
	"github.com/scaleway/scaleway-sdk-go/scw"

	"github.com/jeton-dev/jeton/internal/server"
	"github.com/jeton-dev/jeton/internal/store"
	"github.com/jeton-dev/jeton/test/clustertest"
	"github.com/jeton-dev/jeton/test/jetontest"
	"github.com/jeton-dev/jeton/test/nodes"
	pgtest "github.com/jeton-dev/jeton/test/postgres"
	"github.com/jeton-dev/jeton/test/s3server"
)

// program builds jeton with build tags.
func program(t *testing.T, tags string) string {
	t.Helper()
	binary := filepath.Join(t.TempDir(), "jeton")
	build := exec.CommandContext(t.Context(), "go", "build", "-tags", tags, "-o", binary, "./cmd/jeton")
	build.Dir = filepath.Join("..", "..")
	build.Env = append(build.Environ(), "CGO_ENABLED=0", "GOWORK=off")
	if output, err := build.CombinedOutput(); err != nil {
		t.Fatalf("build jeton: %v: %s", err, output)
	}
	return binary
}

// atNode returns the world of a process.
func atNode(t *testing.T, n *nodes.Node, credentials *scw.Profile) *world {
	t.Helper()
	j := &jetontest.Jeton{
		APIURL: n.Endpoints.API, GatewayURL: n.Endpoints.Gateway, OpsURL: n.Endpoints.Ops, AccessKey: *credentials.AccessKey, SecretKey: *credentials.SecretKey,
		ProjectID: *credentials.DefaultProjectID, OrganizationID: *credentials.DefaultOrganizationID, DataDir: n.Data,
	}
	client := must[*scw.Client](t)(scw.NewClient(scw.WithProfile(credentials), scw.WithAPIURL(j.APIURL), scw.WithDefaultRegion(scw.RegionFrPar)))
	return &world{Jeton: j, API: function.NewAPI(client), t: t}
}

// Three nodes are replaced one after the other by a later version, which has another
// format and more in the database. Calls and revocations work all the time.
func TestCluster_RollingUpgrade(t *testing.T) {
	t.Parallel()
	s3 := s3server.Shared(t)
	shared := &nodes.Shared{Database: pgtest.Database(t), Blobs: s3.URL(s3.Bucket(t), "jeton")}
	before, after := program(t, ""), program(t, "nextversion")
	dir := t.TempDir()
	var all []*nodes.Node
	for _, name := range []string{"node1", "node2", "node3"} {
		var first *nodes.Node
		if len(all) > 0 {
			first = all[0]
		}
		n := must[*nodes.Node](t)(shared.New(name, dir, before, first, "--isolation=none"))
		if err := n.Start(t.Context()); err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() {
			_ = n.End(syscall.SIGKILL)
			if log, err := os.ReadFile(n.Data + ".log"); t.Failed() {
				t.Logf("log of %s: %v\n%s", n.Name, err, log)
			}
		})
		all = append(all, n)
	}
	config := must[*scw.Config](t)(scw.LoadConfigFromPath(server.CredentialsPath(all[0].Data)))
	w := func(n *nodes.Node) *world { return atNode(t, n, &config.Profile) }
	namespace := w(all[0]).namespace("upgrade")
	request := python(namespace.ID, "f")
	request.Privacy = function.FunctionPrivacyPrivate
	f := w(all[1]).function(request, pythonHandler("return 'served'"))
	lasting := must[*function.Token](t)(w(all[2]).CreateToken(&function.CreateTokenRequest{FunctionID: &f.ID}))

	for i, n := range all {
		others := slices.Delete(slices.Clone(all), i, i+1)
		stop := callAll(t, f, lasting.Token, w(others[0]), w(others[1]))
		if err := n.End(syscall.SIGTERM); err != nil {
			t.Fatal(err)
		}
		if i == 1 {
			// The first node has migrated the database.
			if err := n.Start(t.Context()); err == nil || !strings.Contains(err.Error(), "written by a newer version of jeton") {
				t.Fatalf("the version before starts after the migration: %v", err)
			}
		}
		n.Binary = after
		if err := n.Start(t.Context()); err != nil {
			t.Fatal(err)
		}
		stop()
		// Each version creates a token, and the other one deletes it.
		for _, pair := range [][2]*nodes.Node{{n, others[0]}, {others[1], n}} {
			token := must[*function.Token](t)(w(pair[0]).CreateToken(&function.CreateTokenRequest{FunctionID: &f.ID}))
			for _, at := range all {
				if status, body := w(at).call(f, "/", token.Token); status != http.StatusOK || body != "served" {
					t.Errorf("a token of %s at %s: got %d %q", pair[0].Name, at.Name, status, body)
				}
			}
			must[*function.Token](t)(w(pair[1]).DeleteToken(&function.DeleteTokenRequest{TokenID: token.ID}))
			for _, at := range all {
				if status, _ := w(at).call(f, "/", token.Token); status != http.StatusForbidden {
					t.Errorf("a token that %s has deleted at %s: got %d", pair[1].Name, at.Name, status)
				}
			}
		}
		formats := map[int]int{}
		for _, m := range clustertest.Members(t, shared.Database) {
			formats[m.Format]++
		}
		if formats[store.Format+1] != i+1 || formats[store.Format] != 2-i {
			t.Errorf("after %d replacements the formats of the members are %v", i+1, formats)
		}
	}
}

// callAll calls a function at several nodes until stop is called. Every call must be
// served.
func callAll(t *testing.T, f *function.Function, token string, at ...*world) (stop func()) {
	t.Helper()
	var calling sync.WaitGroup
	var stopped atomic.Bool
	var served atomic.Int64
	for _, w := range at {
		calling.Go(func() {
			for !stopped.Load() {
				if status, body := w.call(f, "/", token); status != http.StatusOK || body != "served" {
					t.Errorf("a call during an upgrade: got %d %q", status, body)
				}
				served.Add(1)
				<-time.After(5 * time.Millisecond)
			}
		})
	}
	return func() {
		stopped.Store(true)
		calling.Wait()
		if served.Load() == 0 {
			t.Error("no call was made during an upgrade")
		}
	}
}
