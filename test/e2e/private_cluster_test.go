package e2e_test

import (
	"net/http"
	"net/url"
	"path/filepath"
	"testing"
	"time"

	function "github.com/scaleway/scaleway-sdk-go/api/function/v1beta1"

	"github.com/jeton-dev/jeton/internal/server"
	"github.com/jeton-dev/jeton/test/await"
	"github.com/jeton-dev/jeton/test/clustertest"
	"github.com/jeton-dev/jeton/test/link"
)

// A function is made private while a node cannot reach the database. No call without a
// token that is sent to that node after the answer is served, nor any after the node is
// back.
func TestCluster_FunctionMadePrivateWhileANodeIsCutOff(t *testing.T) {
	t.Parallel()
	c := clustertest.Start(t, 2)
	way := must[*link.Link](t)(link.New(t.Context()))
	t.Cleanup(func() { _ = way.Close() })
	direct := must[*url.URL](t)(url.Parse(c.Database))
	way.To("unix", filepath.Join(direct.Query().Get("host"), ".s.PGSQL.5432"))
	cut := c.Add(func(config *server.Config) {
		config.Database = "postgres://jeton@" + way.Address() + direct.Path + "?sslmode=disable"
	})
	w, atCut := at(t, c.Nodes[0]), at(t, cut)
	n := w.namespace("private")
	f := w.function(python(n.ID, "f"), pythonHandler("return 'public'"))
	await.True(t, "the node serves the public function", func() bool {
		status, _ := atCut.call(f, "/", "")
		return status == http.StatusOK
	})

	way.Cut()
	answered := make(chan error, 1)
	go func() {
		private := function.FunctionPrivacyPrivate
		_, err := w.UpdateFunction(&function.UpdateFunctionRequest{FunctionID: f.ID, Privacy: private})
		answered <- err
	}()
	served := 0
	for waiting := true; waiting; {
		select {
		case err := <-answered:
			if err != nil {
				t.Fatal(err)
			}
			waiting = false
		default:
			if status, _ := atCut.call(f, "/", ""); status == http.StatusOK {
				served++
			}
		}
	}
	if served == 0 {
		t.Error("the node that is cut off has served no call before the answer: the test shows nothing")
	}
	refused := func() {
		if status, body := atCut.call(f, "/", ""); status == http.StatusOK {
			t.Fatalf("after the answer a call without a token is served: %q", body)
		}
	}
	for end := time.Now().Add(2 * time.Second); time.Now().Before(end); {
		refused()
	}
	way.Mend()
	cut.AwaitReady(t)
	for range 20 {
		refused()
	}
	status, _ := atCut.call(f, "/", "")
	wantStatus(t, "a call without a token at the node that is back", status, http.StatusForbidden)
}
