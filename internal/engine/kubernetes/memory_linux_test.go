package kubernetes_test

import (
	"strings"
	"testing"

	"github.com/jeton-dev/jeton/internal/engine"
	"github.com/jeton-dev/jeton/internal/engine/enginetest"
	"github.com/jeton-dev/jeton/test/needs"
)

// TestMemory_ReportsWithoutAQuestionEndTheInstance replaces the launcher by one that floods its node.
func TestMemory_ReportsWithoutAQuestionEndTheInstance(t *testing.T) {
	t.Parallel()
	needs.Root(t, "starts launchers in process namespaces")
	c := newCluster(t)
	c.flood.Store(true)
	e := open(t, c.config())
	events := enginetest.Watch(t, e)
	enginetest.StartOne(t, e, events, enginetest.Revision(enginetest.Serve))
	gone := enginetest.Next(t, events, engine.Gone)
	if !strings.Contains(gone.Reason, "reports its memory without a question") {
		t.Errorf("the reason is %q, want that a report was not asked for", gone.Reason)
	}
	if used := e.Memory(); len(used) > 0 {
		t.Errorf("the memory is %v, want none", used)
	}
}
