package kubernetes_test

import (
	"context"
	"errors"
	"net"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/types"
	typed "k8s.io/client-go/kubernetes/typed/core/v1"
	clienttesting "k8s.io/client-go/testing"

	"github.com/jeton-dev/jeton/internal/engine"
	"github.com/jeton-dev/jeton/internal/engine/enginetest"
	"github.com/jeton-dev/jeton/internal/engine/kubernetes"
	"github.com/jeton-dev/jeton/test/await"
	"github.com/jeton-dev/jeton/test/needs"
)

// wantGone starts one instance and checks that it ends with a reason.
func wantGone(t *testing.T, e *kubernetes.Engine, want string) {
	t.Helper()
	events := enginetest.Watch(t, e)
	enginetest.Apply(t, e, enginetest.Revision(enginetest.Serve), 1)
	enginetest.Next(t, events, engine.Starting)
	if gone := enginetest.Next(t, events, engine.Gone); !strings.Contains(gone.Reason, want) {
		t.Errorf("the reason is %q, want %q in it", gone.Reason, want)
	}
}

func refuse(c *fakeCluster, times int64, err error) *atomic.Int64 {
	var refused atomic.Int64
	c.client.PrependReactor("create", "pods", func(clienttesting.Action) (bool, runtime.Object, error) {
		if refused.Add(1) <= times {
			return true, nil, err
		}
		return false, nil, nil
	})
	return &refused
}

func TestCreate_ReportsUsedUpQuota(t *testing.T) {
	t.Parallel()
	c := newCluster(t)
	refuse(c, 1, apierrors.NewForbidden(schema.GroupResource{Resource: "pods"}, "p", errors.New("exceeded quota: small, used: pods=2")))
	wantGone(t, open(t, c.config()), "the quota of namespace jeton is used up")
}

func TestCreate_ReportsMissingPermission(t *testing.T) {
	t.Parallel()
	c := newCluster(t)
	refuse(c, 1, apierrors.NewForbidden(schema.GroupResource{Resource: "pods"}, "p", errors.New("no such role")))
	wantGone(t, open(t, c.config()), "no such role")
}

func TestCreate_TriesAgainAfterThrottling(t *testing.T) {
	t.Parallel()
	needs.Root(t, "starts launchers in process namespaces")
	c := newCluster(t)
	refused := refuse(c, 2, apierrors.NewTooManyRequestsError("slow down"))
	e := open(t, c.config())
	ready := enginetest.StartOne(t, e, enginetest.Watch(t, e), enginetest.Revision(enginetest.Serve))
	if enginetest.MustAsk(t, e, ready.Address, "ping") != "pong" || refused.Load() < 3 {
		t.Errorf("the instance does not serve after %d requests", refused.Load())
	}
}

// slowPods answers the creation of a Pod after release. A request that was canceled before creates its Pod
// nevertheless, as one that is on its way to the API server.
type slowPods struct {
	typed.PodInterface

	requested, release chan struct{}
}

func (s slowPods) Create(ctx context.Context, pod *corev1.Pod, o metav1.CreateOptions) (*corev1.Pod, error) {
	s.requested <- struct{}{}
	create := func() (*corev1.Pod, error) {
		<-s.release
		return s.PodInterface.Create(context.WithoutCancel(ctx), pod, o)
	}
	created := make(chan struct{})
	var err error
	go func() {
		defer close(created)
		pod, err = create()
	}()
	select {
	case <-created:
		return pod, err
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}

// TestCreate_AnswerAfterStopLeavesNoPod closes an engine while the API server creates a Pod.
func TestCreate_AnswerAfterStopLeavesNoPod(t *testing.T) {
	t.Parallel()
	c := newCluster(t)
	c.noStart.Store(true)
	var created atomic.Int64
	c.client.PrependReactor("create", "pods", func(clienttesting.Action) (bool, runtime.Object, error) {
		created.Add(1)
		return false, nil, nil
	})
	config := c.config()
	slow := slowPods{config.Pods, make(chan struct{}, 1), make(chan struct{})}
	config.Pods = slow
	e := open(t, config)
	events := enginetest.Watch(t, e)
	enginetest.Apply(t, e, enginetest.Revision(enginetest.Serve), 1)
	enginetest.Next(t, events, engine.Starting)
	await.Receive(t, "the request", slow.requested)
	closed := make(chan error, 1)
	go func() { closed <- e.Close() }()
	enginetest.Next(t, events, engine.Gone)
	close(slow.release)
	if err := await.Receive(t, "the end of the engine", closed); err != nil {
		t.Errorf("Close() = %v", err)
	}
	await.True(t, "the API server has created the Pod", func() bool { return created.Load() == 1 })
	if left := c.list(); len(left) != 0 {
		t.Errorf("the closed engine has left %d Pods", len(left))
	}
}

// setStatus gives the next Pod, which the kubelet does not start, a status.
func setStatus(t *testing.T, c *fakeCluster, change func(*corev1.PodStatus)) {
	t.Helper()
	go func() {
		for len(c.list()) == 0 {
			select {
			case <-time.After(5 * time.Millisecond):
			case <-t.Context().Done():
				return
			}
		}
		c.update(c.list()[0].Name, change)
	}()
}

func TestStart_ReportsWhyAPodDoesNotStart(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		change func(*corev1.PodStatus)
		want   string
	}{
		"missing image": {func(s *corev1.PodStatus) {
			s.ContainerStatuses = []corev1.ContainerStatus{{Name: "agent", State: corev1.ContainerState{
				Waiting: &corev1.ContainerStateWaiting{Reason: "ImagePullBackOff", Message: "no such image"},
			}}}
		}, "the container agent does not start: ImagePullBackOff: no such image"},
		"no space": {func(s *corev1.PodStatus) {
			s.Conditions = []corev1.PodCondition{{Type: corev1.PodScheduled, Status: corev1.ConditionFalse, Message: "0/3 nodes are available"}}
		}, "the Pod did not start within 500ms: it is not scheduled: 0/3 nodes are available"},
		"evicted": {func(s *corev1.PodStatus) {
			s.Phase, s.Reason, s.Message = corev1.PodFailed, "Evicted", "the node has little memory"
		}, "does not start: its machine has refused it: Evicted: the node has little memory"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			c := newCluster(t)
			c.noStart.Store(true)
			setStatus(t, c, test.change)
			config := c.config()
			if config.PodTimeout = time.Minute; name != "missing image" {
				config.PodTimeout = 500 * time.Millisecond
			}
			wantGone(t, open(t, config), test.want)
			await.True(t, "the Pod is deleted", func() bool { return len(c.list()) == 0 })
		})
	}
}

// TestVerify_RefusesTokenOfAnotherPod lets an agent present the valid token of another Pod, as the Pod
// of another tenant at a reused address would.
func TestVerify_RefusesTokenOfAnotherPod(t *testing.T) {
	t.Parallel()
	needs.Root(t, "starts launchers in process namespaces")
	c := newCluster(t)
	c.wrongToken.Store(true)
	wantGone(t, open(t, c.config()), "its token is bound to another Pod")
}

// TestConnection_LossEndsInstance kills the agent of a ready instance. Its address is not dialed again.
func TestConnection_LossEndsInstance(t *testing.T) {
	t.Parallel()
	needs.Root(t, "starts launchers in process namespaces")
	c := newCluster(t)
	e := open(t, c.config())
	events := enginetest.Watch(t, e)
	ready := enginetest.StartOne(t, e, events, enginetest.Revision(enginetest.Serve))
	pod := c.list()[0]
	c.mu.Lock()
	agentProcess := c.pods[pod.UID].agent.Process
	c.mu.Unlock()
	if err := agentProcess.Kill(); err != nil {
		t.Fatal(err)
	}
	if gone := enginetest.Next(t, events, engine.Gone); gone.Reason == "" {
		t.Error("an instance without its agent is gone without a reason")
	}
	if conn, err := e.Dial(t.Context(), ready.Address); err == nil {
		t.Errorf("Dial() of the instance succeeds: %v", conn.Close())
	}
	await.True(t, "the Pod is deleted", func() bool { return len(c.list()) == 0 })
}

// TestConnection_RequiresTheNodesKey connects to an agent without the key of its node.
func TestConnection_RequiresTheNodesKey(t *testing.T) {
	t.Parallel()
	needs.Root(t, "starts launchers in process namespaces")
	c := newCluster(t)
	e := open(t, c.config())
	enginetest.StartOne(t, e, enginetest.Watch(t, e), enginetest.Revision(enginetest.Serve))
	for name, dial := range strangers(t) {
		if err := dial(net.JoinHostPort(c.list()[0].Status.PodIP, "9443")); err == nil {
			t.Errorf("%s is accepted by the agent", name)
		}
	}
}

func TestSweep_DeletesPodsOfEarlierEnginesAndGoneNodes(t *testing.T) {
	t.Parallel()
	c := newCluster(t)
	c.noStart.Store(true)
	for name, labels := range map[string]map[string]string{
		"mine":     {kubernetes.LabelInstallation: "test", kubernetes.LabelNode: "n1", kubernetes.LabelEngine: "earlier"},
		"gone":     {kubernetes.LabelInstallation: "test", kubernetes.LabelNode: "n9", kubernetes.LabelEngine: "e9"},
		"member":   {kubernetes.LabelInstallation: "test", kubernetes.LabelNode: "n2", kubernetes.LabelEngine: "e2"},
		"stranger": {"app": "other"},
	} {
		pod := &corev1.Pod{ObjectMeta: metav1.ObjectMeta{Name: name, Namespace: namespace, Labels: labels}}
		if _, err := c.client.CoreV1().Pods(namespace).Create(t.Context(), pod, metav1.CreateOptions{}); err != nil {
			t.Fatal(err)
		}
	}
	config := c.config()
	config.Members = func() []string { return []string{"n1", "n2"} }
	open(t, config)
	await.True(t, "two Pods are left", func() bool { return len(c.list()) == 2 })
	for _, pod := range c.list() {
		if pod.Name != "member" && pod.Name != "stranger" {
			t.Errorf("the Pod %s is left", pod.Name)
		}
	}
}

// TestWarmPool_EndsPodsBeyondTheBudgetOfAllNodes adds a warm Pod of another node, which has started it at the
// same time as this one. Of all three, the youngest is in excess.
func TestWarmPool_EndsPodsBeyondTheBudgetOfAllNodes(t *testing.T) {
	t.Parallel()
	needs.Root(t, "starts launchers in process namespaces")
	// The Pods of the fake cluster have no time of creation, so that their UIDs decide.
	for name, test := range map[string]struct {
		uid  types.UID
		want int
	}{"older": {"!", 1}, "younger": {"~", 2}} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			c := newCluster(t)
			config := c.config()
			config.WarmPool = kubernetes.WarmPool{Min: 2, Max: 2, Memory: 2 * (512 + 32 + 128) << 20}
			e := open(t, config)
			if err := e.Apply(t.Context(), enginetest.Revision(enginetest.Serve)); err != nil {
				t.Fatal(err)
			}
			await.True(t, "two Pods are warm", func() bool { return e.WarmCounts()["Go"] == 2 })
			c.noStart.Store(true)
			foreign := c.list()[0].DeepCopy()
			foreign.Name, foreign.UID, foreign.ResourceVersion = "foreign", test.uid, ""
			foreign.Labels[kubernetes.LabelNode], foreign.Labels[kubernetes.LabelEngine] = "other", "other"
			if err := c.client.Tracker().Create(corev1.SchemeGroupVersion.WithResource("pods"), foreign, namespace); err != nil {
				t.Fatal(err)
			}
			if test.want < 2 {
				await.True(t, "one Pod is ended", func() bool { return e.WarmCounts()["Go"] == test.want && len(c.list()) == test.want+1 })
			}
			// The pool compares itself with the budget every five seconds.
			ended := time.After(7 * time.Second)
			for done := false; !done; {
				select {
				case <-ended:
					done = true
				case <-time.After(50 * time.Millisecond):
				}
				if n := e.WarmCounts()["Go"]; n != test.want {
					t.Fatalf("%d Pods are warm, want %d", n, test.want)
				}
			}
		})
	}
}

func TestWarmPool_StaysWithinItsMemory(t *testing.T) {
	t.Parallel()
	needs.Root(t, "starts launchers in process namespaces")
	c := newCluster(t)
	config := c.config()
	config.WarmPool = kubernetes.WarmPool{Min: 5, Max: 5, Memory: 2 * (512 + 32 + 128) << 20}
	e := open(t, config)
	if len(c.list()) != 0 {
		t.Error("there are warm Pods without a revision")
	}
	if err := e.Apply(t.Context(), enginetest.Revision(enginetest.Serve)); err != nil {
		t.Fatal(err)
	}
	await.True(t, "two Pods are warm", func() bool { return e.WarmCounts()["Go"] == 2 })
	if n := len(c.list()); n != 2 {
		t.Errorf("there are %d Pods, want 2", n)
	}
}
