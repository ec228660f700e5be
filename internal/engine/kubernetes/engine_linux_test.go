package kubernetes_test

import (
	"testing"
	"time"

	"github.com/jeton-dev/jeton/internal/engine"
	"github.com/jeton-dev/jeton/internal/engine/enginetest"
	"github.com/jeton-dev/jeton/internal/engine/kubernetes"
	"github.com/jeton-dev/jeton/test/await"
	"github.com/jeton-dev/jeton/test/needs"
)

// TestSuite runs the suite of engines with new and with warm Pods of a fake cluster, in which agents
// and launchers are real.
func TestSuite(t *testing.T) {
	t.Parallel()
	needs.Root(t, "starts launchers in process namespaces")
	for name, warm := range map[string]kubernetes.WarmPool{"new Pods": {}, "warm Pods": {Min: 1, Max: 2, Memory: 4 << 30}} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			opened := func(t *testing.T, ready time.Duration) *kubernetes.Engine {
				t.Helper()
				c := newCluster(t)
				t.Cleanup(func() {
					await.True(t, "no Pod is left", func() bool { return len(c.list()) == 0 })
				})
				config := c.config()
				config.ReadyTimeout, config.WarmPool = ready, warm
				return open(t, config)
			}
			enginetest.Run(t, func(t *testing.T, ready time.Duration) engine.Engine { return opened(t, ready) })
			t.Run("reports memory", func(t *testing.T) {
				t.Parallel()
				enginetest.RunMemory(t, opened(t, await.Patience))
			})
		})
	}
}
