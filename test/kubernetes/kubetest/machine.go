//go:build linux

package kubetest

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"time"

	coordinationv1 "k8s.io/api/coordination/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/jeton-dev/jeton/test/await"
	"github.com/jeton-dev/jeton/test/kubernetes/cluster"
)

// renewal is the interval at which a second machine renews its lease.
const renewal = 2 * time.Second

// AddMachine adds a machine without a kubelet, on which nothing runs, until the test ends. Kubernetes evicts
// the Pods of a lost machine only while there is another one.
func (n *Namespace) AddMachine(name string) {
	n.t.Helper()
	ctx, stop := context.WithCancel(context.Background())
	leases, nodes := n.Client.CoordinationV1().Leases(corev1.NamespaceNodeLease), n.Client.CoreV1().Nodes()
	node := &corev1.Node{
		ObjectMeta: metav1.ObjectMeta{Name: name},
		Spec:       corev1.NodeSpec{Taints: []corev1.Taint{{Key: "jeton.test/nothing", Effect: corev1.TaintEffectNoSchedule}}},
		Status: corev1.NodeStatus{Conditions: []corev1.NodeCondition{{
			Type: corev1.NodeReady, Status: corev1.ConditionTrue, LastHeartbeatTime: metav1.Now(), LastTransitionTime: metav1.Now(),
		}}},
	}
	lease := &coordinationv1.Lease{ObjectMeta: metav1.ObjectMeta{Name: name}, Spec: coordinationv1.LeaseSpec{
		HolderIdentity: &name, LeaseDurationSeconds: new(int32(60)), RenewTime: new(metav1.NowMicro()),
	}}
	if _, err := nodes.Create(ctx, node, metav1.CreateOptions{}); err != nil {
		n.t.Fatal(err)
	}
	if _, err := leases.Create(ctx, lease, metav1.CreateOptions{}); err != nil {
		n.t.Fatal(err)
	}
	var renewing sync.WaitGroup
	renewing.Go(func() {
		for ctx.Err() == nil {
			if current, err := leases.Get(ctx, name, metav1.GetOptions{}); err == nil {
				current.Spec.RenewTime = new(metav1.NowMicro())
				_, _ = leases.Update(ctx, current, metav1.UpdateOptions{}) // The next renewal is soon.
			}
			select {
			case <-time.After(renewal):
			case <-ctx.Done():
			}
		}
	})
	n.t.Cleanup(func() {
		stop()
		renewing.Wait()
		for what, err := range map[string]error{
			"machine": nodes.Delete(context.Background(), name, metav1.DeleteOptions{}),
			"lease":   leases.Delete(context.Background(), name, metav1.DeleteOptions{}),
		} {
			if err != nil {
				n.t.Errorf("delete the %s: %v", what, err)
			}
		}
	})
}

// AwaitMachine waits until the machine of the cluster is ready and accepts Pods.
func (n *Namespace) AwaitMachine() {
	n.t.Helper()
	await.True(n.t, "the machine is ready", func() bool {
		node, err := n.Client.CoreV1().Nodes().Get(context.Background(), cluster.NodeName, metav1.GetOptions{})
		if err != nil || len(node.Spec.Taints) > 0 {
			return false
		}
		for _, c := range node.Status.Conditions {
			if c.Type == corev1.NodeReady {
				return c.Status == corev1.ConditionTrue
			}
		}
		return false
	})
}

// Processes returns the processes of the containers of a Pod; of all Pods if the UID is empty.
func Processes(uid string) (pids []int, err error) {
	files, err := filepath.Glob("/proc/[0-9]*/cgroup")
	if err != nil {
		return nil, fmt.Errorf("list processes: %w", err)
	}
	for _, file := range files {
		groups, err := os.ReadFile(file)
		if err != nil || !strings.Contains(string(groups), "/kubepods") || !strings.Contains(string(groups), uid) {
			continue
		}
		if pid, err := strconv.Atoi(filepath.Base(filepath.Dir(file))); err == nil {
			pids = append(pids, pid)
		}
	}
	return pids, nil
}
