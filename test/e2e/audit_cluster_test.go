package e2e_test

import (
	"context"
	"errors"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/jeton-dev/jeton/internal/admin"
	"github.com/jeton-dev/jeton/internal/audit"
	"github.com/jeton-dev/jeton/test/await"
	"github.com/jeton-dev/jeton/test/clustertest"
)

// The audit log of all nodes can be followed at each of them, in the same order, and has
// the entry of a change when its answer arrives.
func TestAuditLog_OfAllNodes(t *testing.T) {
	t.Parallel()
	c := clustertest.Start(t, 2)
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	seen := make(chan string, 100)
	ended := make(chan error, 1)
	go func() {
		ended <- audit.ReadPages(ctx, true, func(after int64, wait bool) (admin.AuditPage, error) {
			return c.Nodes[1].Admin.AuditEntries(ctx, after, time.Time{}, wait)
		}, func(e audit.Entry, _ []byte) error {
			seen <- e.Node + " " + e.Endpoint
			return nil
		})
	}()
	var want []string
	for i, n := range []*clustertest.Node{c.Nodes[0], c.Nodes[1], c.Nodes[0]} {
		project := must[admin.Project](t)(n.Admin.CreateProject(ctx, strings.Repeat("p", i+1)))
		want = append(want, n.Name+" POST /projects")
		page := must[admin.AuditPage](t)(c.Nodes[i%2].Admin.AuditEntries(ctx, 0, time.Time{}, false))
		if last := string(page.Entries[len(page.Entries)-1]); !strings.Contains(last, project.ID) {
			t.Errorf("after the answer, the last entry is %s", last)
		}
	}
	request := must[*http.Request](t)(http.NewRequestWithContext(ctx, http.MethodGet, c.Nodes[1].APIURL+"/functions/v1beta1/regions/fr-par/namespaces", nil))
	response := must[*http.Response](t)(http.DefaultClient.Do(request))
	response.Body.Close()
	want = append(want, c.Nodes[1].Name+" GET /functions/v1beta1/regions/{region}/namespaces")
	var got []string
	for range want {
		got = append(got, await.Receive(t, "an entry", seen))
	}
	if !slices.Equal(got, want) {
		t.Errorf("the follower got %v, want %v", got, want)
	}
	// A follower does not delay the end of its node.
	begun := time.Now()
	c.Nodes[1].Stop()
	if took := time.Since(begun); took > 9*time.Second {
		t.Errorf("the node stopped after %v", took)
	}
	cancel()
	if err := <-ended; err != nil && !errors.Is(err, context.Canceled) && !strings.Contains(err.Error(), "connect") && !errors.Is(err, http.ErrServerClosed) {
		t.Logf("the follower ended with %v", err)
	}
}
