package e2e_test

import (
	"net/http"
	"testing"

	function "github.com/scaleway/scaleway-sdk-go/api/function/v1beta1"

	"github.com/jeton-dev/jeton/internal/server"
	"github.com/jeton-dev/jeton/test/await"
	"github.com/jeton-dev/jeton/test/clustertest"
	pgtest "github.com/jeton-dev/jeton/test/postgres"
)

// PostgreSQL is restored to a point in time from a base backup and its archived log. The
// bucket stays as it is: it still has the code that was replaced and deleted after the
// point. The nodes have empty caches.
func TestCluster_RestoresToAPointInTime(t *testing.T) {
	t.Parallel()
	database := must[*pgtest.Server](t)(pgtest.StartIn("", pgtest.Archived()...))
	t.Cleanup(func() { _ = database.Stop() })
	c := clustertest.StartOver(t, 2, must[string](t)(database.CreateDatabase()))
	w := at(t, c.Nodes[0])
	n := w.namespace("restored")
	replaced := w.function(python(n.ID, "replaced"), pythonHandler("return 'first'"))
	private := python(n.ID, "private")
	private.Privacy = function.FunctionPrivacyPrivate
	guarded := w.function(private, pythonHandler("return 'guarded'"))
	token := must[*function.Token](t)(w.CreateToken(&function.CreateTokenRequest{FunctionID: &guarded.ID}))
	if err := database.BaseBackup(); err != nil {
		t.Fatal(err)
	}
	deleted := w.function(python(n.ID, "deleted"), pythonHandler("return 'deleted'"))
	earlier := must[*function.Token](t)(w.CreateToken(&function.CreateTokenRequest{FunctionID: &guarded.ID}))
	must[*function.Token](t)(w.DeleteToken(&function.DeleteTokenRequest{TokenID: earlier.ID}))
	if err := database.RestorePoint("point"); err != nil {
		t.Fatal(err)
	}

	w.deploy(replaced.ID, zipOf(t, pythonHandler("return 'second'")))
	must[*function.Function](t)(w.DeleteFunction(&function.DeleteFunctionRequest{FunctionID: deleted.ID}))
	await.True(t, "the function is deleted", func() bool {
		_, err := w.GetFunction(&function.GetFunctionRequest{FunctionID: deleted.ID})
		return err != nil
	})
	later := w.function(python(n.ID, "later"), pythonHandler("return 'later'"))
	for _, node := range c.Nodes {
		node.Stop()
	}
	if err := database.Restore("point"); err != nil {
		t.Fatal(err)
	}
	for _, node := range c.Nodes {
		node.Restart(func(config *server.Config) { config.CacheDir = t.TempDir() })
		node.AwaitReady(t)
	}

	w = at(t, c.Nodes[1])
	for f, want := range map[*function.Function]string{replaced: "first", deleted: "deleted"} {
		if status, body := w.call(f, "/", ""); status != http.StatusOK || body != want {
			t.Errorf("%s: got %d %q, want %q", f.Name, status, body, want)
		}
	}
	if status, body := w.call(guarded, "/", token.Token); status != http.StatusOK || body != "guarded" {
		t.Errorf("the token of the private function: got %d %q", status, body)
	}
	if status, _ := w.call(guarded, "/", earlier.Token); status != http.StatusForbidden {
		t.Errorf("a token that was revoked before the point: got %d", status)
	}
	if _, err := w.GetFunction(&function.GetFunctionRequest{FunctionID: later.ID}); err == nil {
		t.Error("a function that was created after the point exists")
	}
	// The cluster goes on: the new code has keys of its own in the bucket.
	again := w.deploy(replaced.ID, zipOf(t, pythonHandler("return 'third'")))
	if status, body := w.call(again, "/", ""); status != http.StatusOK || body != "third" {
		t.Errorf("after another deployment: got %d %q", status, body)
	}
}
