//go:build linux

package cluster

import (
	"os"
	"strings"
	"syscall"

	"github.com/jeton-dev/jeton/test/await"
)

// ChangeKubelet replaces a text in the configuration of the kubelet, and restarts the kubelet. Undo reverts
// that.
func (c *Cluster) ChangeKubelet(t await.T, before, after string) (undo func()) {
	t.Helper()
	content, err := os.ReadFile(c.path(kubeletFile))
	if err != nil {
		t.Fatalf("change the kubelet: %v", err)
	}
	if !strings.Contains(string(content), before) {
		t.Fatalf("change the kubelet: its configuration does not have %q", before)
	}
	restart := func(content string) {
		t.Helper()
		if err := os.WriteFile(c.path(kubeletFile), []byte(content), 0o644); err != nil {
			t.Fatalf("change the kubelet: %v", err)
		}
		if err := c.Signal("kubelet", syscall.SIGKILL); err != nil {
			t.Fatalf("change the kubelet: %v", err)
		}
	}
	restart(strings.Replace(string(content), before, after, 1))
	return func() { restart(string(content)) }
}
