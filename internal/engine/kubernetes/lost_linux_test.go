package kubernetes_test

import (
	"context"
	"strings"
	"sync"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	clienttesting "k8s.io/client-go/testing"

	"github.com/jeton-dev/jeton/internal/engine"
	"github.com/jeton-dev/jeton/internal/engine/enginetest"
	"github.com/jeton-dev/jeton/internal/engine/kubernetes"
	"github.com/jeton-dev/jeton/test/await"
	"github.com/jeton-dev/jeton/test/needs"
)

// collect returns a function that returns what the engine has written into logs of functions.
func collect(e *kubernetes.Engine) func() string {
	var mu sync.Mutex
	var text strings.Builder
	e.SetOutput(func(line engine.Line) {
		mu.Lock()
		defer mu.Unlock()
		text.WriteString(line.Text + "\n")
	})
	return func() string {
		mu.Lock()
		defer mu.Unlock()
		return text.String()
	}
}

// wantLog checks that a log has a text.
func wantLog(t *testing.T, log, want string) {
	t.Helper()
	if !strings.Contains(log, want) {
		t.Errorf("the log is\n%s\nwant %q in it", log, want)
	}
}

// assign makes a scheduler assign new Pods to machine m1.
func (c *fakeCluster) assign() {
	c.client.PrependReactor("create", "pods", func(a clienttesting.Action) (bool, runtime.Object, error) {
		if create, ok := a.(clienttesting.CreateAction); ok {
			if pod, ok := create.GetObject().(*corev1.Pod); ok {
				pod.Spec.NodeName = "m1"
			}
		}
		return false, nil, nil
	})
}

// TestLost_MachineDoesNotBlockTheFunction loses the machine of an instance. Its Pod waits for the kubelet as
// long as the machine is gone, and another instance serves meanwhile.
func TestLost_MachineDoesNotBlockTheFunction(t *testing.T) {
	t.Parallel()
	needs.Root(t, "starts launchers in process namespaces")
	c := newCluster(t)
	c.assign()
	e := open(t, c.config())
	log := collect(e)
	events := enginetest.Watch(t, e)
	r := enginetest.Revision(enginetest.Serve)
	enginetest.StartOne(t, e, events, r)
	lost := c.list()[0]
	c.lost.Store(true)
	c.kill(lost.UID)
	want := "the connection to the Pod " + lost.Name + " on machine m1 is lost: "
	if gone := enginetest.Next(t, events, engine.Gone); !strings.HasPrefix(gone.Reason, want) {
		t.Errorf("the reason is %q, want %q at its beginning", gone.Reason, want)
	}
	wantLog(t, log(), want)
	await.True(t, "the deletion of the Pod waits for its kubelet", func() bool { return c.list()[0].DeletionTimestamp != nil })
	c.lost.Store(false)
	enginetest.Scale(t, e, r, 1)
	enginetest.Next(t, events, engine.Starting)
	ready := enginetest.Next(t, events, engine.Ready)
	if got := enginetest.MustAsk(t, e, ready.Address, "ping"); got != "pong" {
		t.Errorf("the next instance answers %q", got)
	}
	if pods := c.list(); len(pods) != 2 {
		t.Errorf("there are %d Pods, want that of the lost machine and another one", len(pods))
	}
}

// TestStart_GivesUpASilentMachine assigns a new Pod to a machine that has just been lost: the API server
// learns of that later.
func TestStart_GivesUpASilentMachine(t *testing.T) {
	t.Parallel()
	needs.Root(t, "starts launchers in process namespaces")
	c := newCluster(t)
	c.assign()
	c.lost.Store(true)
	config := c.config()
	config.MachineTimeout = 100 * time.Millisecond
	e := open(t, config)
	log := collect(e)
	events := enginetest.Watch(t, e)
	enginetest.Apply(t, e, enginetest.Revision(enginetest.Serve), 1)
	enginetest.Next(t, events, engine.Starting)
	await.True(t, "the engine gives up a Pod", func() bool { return strings.Contains(log(), "another Pod is created: ") })
	c.lost.Store(false)
	enginetest.Next(t, events, engine.Ready)
	wantLog(t, log(), " on machine m1 does not start: its machine does not react")
	await.True(t, "one Pod is left", func() bool { return len(c.list()) == 1 })
}

// startAfter starts an instance whose first Pod does not run, spoils that Pod, and returns the log of the
// function when the instance is ready.
func startAfter(t *testing.T, spoil func(c *fakeCluster, pod string)) string {
	t.Helper()
	needs.Root(t, "starts launchers in process namespaces")
	c := newCluster(t)
	c.noStart.Store(true)
	e := open(t, c.config())
	log := collect(e)
	events := enginetest.Watch(t, e)
	enginetest.Apply(t, e, enginetest.Revision(enginetest.Serve), 1)
	enginetest.Next(t, events, engine.Starting)
	await.True(t, "there is a Pod", func() bool { return len(c.list()) == 1 })
	c.noStart.Store(false)
	spoil(c, c.list()[0].Name)
	enginetest.Next(t, events, engine.Ready)
	return log()
}

// TestStart_ReplacesADeletedPod deletes a Pod before it runs, as the drain of its machine does.
func TestStart_ReplacesADeletedPod(t *testing.T) {
	t.Parallel()
	log := startAfter(t, func(c *fakeCluster, pod string) {
		if err := c.client.CoreV1().Pods(namespace).Delete(context.Background(), pod, metav1.DeleteOptions{}); err != nil {
			t.Fatal(err)
		}
	})
	wantLog(t, log, "another Pod is created: the Pod was deleted")
}

// TestStart_ReplacesARejectedPod makes the kubelet refuse a new Pod.
func TestStart_ReplacesARejectedPod(t *testing.T) {
	t.Parallel()
	log := startAfter(t, func(c *fakeCluster, pod string) {
		c.update(pod, func(s *corev1.PodStatus) {
			s.Phase, s.Reason, s.Message = corev1.PodFailed, "OutOfmemory", "the machine has no memory"
		})
	})
	wantLog(t, log, "another Pod is created: the Pod ")
	wantLog(t, log, "its machine has refused it: OutOfmemory: the machine has no memory")
}

const evicted = `Usage of EmptyDir volume "tmp" exceeds the limit "8Mi".`

// evict makes the kubelet report an eviction.
func (c *fakeCluster) evict() {
	c.update(c.list()[0].Name, func(s *corev1.PodStatus) {
		s.Phase, s.Reason, s.Message = corev1.PodFailed, "Evicted", evicted+" "
	})
}

// TestEviction_IsTheReasonOfTheEnd evicts the Pod of an instance that serves a call.
func TestEviction_IsTheReasonOfTheEnd(t *testing.T) {
	t.Parallel()
	needs.Root(t, "starts launchers in process namespaces")
	c := newCluster(t)
	e := open(t, c.config())
	events := enginetest.Watch(t, e)
	enginetest.StartOne(t, e, events, enginetest.Revision(enginetest.Serve))
	c.evict()
	c.kill(c.list()[0].UID)
	if gone := enginetest.Next(t, events, engine.Gone); !strings.HasPrefix(gone.Reason, "the Pod has ended: Evicted: "+evicted) {
		t.Errorf("the reason is %q, want the eviction", gone.Reason)
	}
	await.True(t, "no Pod is left", func() bool { return len(c.list()) == 0 })
}

// TestEviction_OfAnIdleInstanceIsInTheLog evicts the Pod of an idle instance. It ends within the grace period
// of the eviction.
func TestEviction_OfAnIdleInstanceIsInTheLog(t *testing.T) {
	t.Parallel()
	needs.Root(t, "starts launchers in process namespaces")
	c := newCluster(t)
	e := open(t, c.config())
	log := collect(e)
	events := enginetest.Watch(t, e)
	r := enginetest.Revision(enginetest.Serve)
	ready := enginetest.StartOne(t, e, events, r)
	c.terminate()
	enginetest.Next(t, events, engine.Leaving)
	enginetest.Scale(t, e, r, 0, ready.InstanceID)
	c.evict() // The report of the kubelet comes later than its signal.
	if gone := enginetest.Next(t, events, engine.Gone); gone.Reason != "" {
		t.Errorf("the reason is %q, want none", gone.Reason)
	}
	wantLog(t, log(), "the Pod was ended: Evicted: "+evicted+"\n")
	await.True(t, "no Pod is left", func() bool { return len(c.list()) == 0 })
}
