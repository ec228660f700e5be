//go:build linux

package cluster

import (
	"fmt"
	"os"
	"syscall"

	"github.com/jeton-dev/jeton/test/await"
)

// folderVariable names the folder of the cluster for programs that run inside.
const folderVariable = "JETON_TEST_CLUSTER"

// Inside returns the cluster in which this process runs. It fails the test outside.
func Inside(t await.T) *Cluster {
	t.Helper()
	dir := os.Getenv(folderVariable)
	if dir == "" {
		t.Fatalf("the test runs only in a test cluster: run make test-kubernetes")
	}
	return &Cluster{dir}
}

// Kubeconfig returns the file with the administrator's configuration.
func (c *Cluster) Kubeconfig() string { return c.path(kubeconfigFile) }

// Signal sends a signal to a part: etcd, kube-apiserver, kube-controller-manager,
// kube-scheduler, kube-proxy, kubelet, containerd or kube-router. A part that ends is restarted unless it is held.
// Only processes inside can signal.
func (c *Cluster) Signal(part string, signal syscall.Signal) error {
	pid, err := c.partID(part)
	if err != nil {
		return fmt.Errorf("signal %s: it does not run: %w", part, err)
	}
	return syscall.Kill(pid, signal)
}

// Hold kills a part and waits until it has ended. It does not run again before Release.
func (c *Cluster) Hold(t await.T, part string) {
	t.Helper()
	if err := os.WriteFile(c.path(heldFile(part)), nil, 0o644); err != nil {
		t.Fatalf("hold %s: %v", part, err)
	}
	if err := c.Signal(part, syscall.SIGKILL); err != nil {
		t.Fatalf("hold: %v", err)
	}
	await.True(t, part+" has ended", func() bool { return !c.has(processFile(part)) })
}

// Release permits a held part to run, and waits until its process exists.
func (c *Cluster) Release(t await.T, part string) {
	t.Helper()
	if err := os.Remove(c.path(heldFile(part))); err != nil {
		t.Fatalf("release %s: %v", part, err)
	}
	await.True(t, part+" runs", func() bool { return c.has(processFile(part)) })
}
