package kubernetes_test

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"encoding/json"
	"fmt"
	"log/slog"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/go-jose/go-jose/v4"
	"github.com/go-jose/go-jose/v4/jwt"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/client-go/kubernetes/fake"
	clienttesting "k8s.io/client-go/testing"

	"github.com/jeton-dev/jeton/internal/agent/wire"
	"github.com/jeton-dev/jeton/internal/engine/kubernetes"
)

const namespace = "jeton"

// A fakeCluster is an API server in memory with a kubelet that runs the agent and the launcher of a
// Pod as processes of this machine: each Pod has a loopback address and, for the launcher, a process
// namespace. Containers, images and network policies do not exist.
type fakeCluster struct {
	t      *testing.T
	client *fake.Clientset
	key    *ecdsa.PrivateKey
	// noStart makes the kubelet start no Pod.
	noStart atomic.Bool
	// wrongToken replaces the UID in tokens.
	wrongToken atomic.Bool
	// lost makes the kubelet of all machines stop: it starts no Pod, and reports and removes none.
	lost atomic.Bool
	// flood replaces launchers by flooders.
	flood atomic.Bool

	mu   sync.Mutex
	pods map[types.UID]*fakePod
}

type fakePod struct {
	dir             string
	agent, launcher *exec.Cmd
	ended           sync.WaitGroup
}

// addresses counts the loopback addresses of this process.
var addresses atomic.Int64

func newCluster(t *testing.T) *fakeCluster {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	c := &fakeCluster{t: t, client: fake.NewClientset(), key: key, pods: map[types.UID]*fakePod{}}
	var uids atomic.Int64
	c.client.PrependReactor("create", "pods", func(a clienttesting.Action) (bool, runtime.Object, error) {
		// The client is locked: the reactor must not wait for the cluster.
		if pod, ok := a.(clienttesting.CreateAction).GetObject().(*corev1.Pod); ok {
			pod.UID = types.UID(fmt.Sprintf("uid-%d", uids.Add(1)))
		}
		return false, nil, nil
	})
	c.client.PrependReactor("delete", "pods", func(a clienttesting.Action) (bool, runtime.Object, error) {
		deletion, ok := a.(clienttesting.DeleteActionImpl)
		if grace := deletion.DeleteOptions.GracePeriodSeconds; !ok || !c.lost.Load() || grace == nil || *grace == 0 {
			return false, nil, nil
		}
		return true, nil, c.markDeleted(deletion.Name)
	})
	watch, err := c.client.CoreV1().Pods(namespace).Watch(t.Context(), metav1.ListOptions{})
	if err != nil {
		t.Fatal(err)
	}
	done := make(chan struct{})
	go func() {
		defer close(done)
		for event := range watch.ResultChan() {
			pod, ok := event.Object.(*corev1.Pod)
			switch {
			case !ok:
			case event.Type == "ADDED" && !c.noStart.Load() && !c.lost.Load():
				c.start(pod)
			case event.Type == "DELETED":
				c.kill(pod.UID)
			}
		}
	}()
	t.Cleanup(func() {
		watch.Stop()
		<-done
		for uid := range c.pods {
			c.kill(uid)
		}
	})
	return c
}

// start starts the processes of a Pod, and then gives it an address.
func (c *fakeCluster) start(pod *corev1.Pod) {
	dir, err := os.MkdirTemp("/tmp", "jk")
	if err != nil {
		c.t.Error(err)
		return
	}
	for _, name := range []string{"shared", "home", "tmp"} {
		if err := os.Mkdir(filepath.Join(dir, name), 0o755); err != nil {
			c.t.Error(err)
		}
	}
	n := addresses.Add(1)
	ip := fmt.Sprintf("127.%d.%d.%d", 10+os.Getpid()%200, n/250, 1+n%250)
	uid := pod.UID
	if c.wrongToken.Load() {
		uid = "uid-of-another-pod"
	}
	token := filepath.Join(dir, "token")
	if err := os.WriteFile(token, []byte(c.token(pod, uid, kubernetes.Audience, time.Now().Add(time.Hour))), 0o600); err != nil {
		c.t.Error(err)
	}
	p := &fakePod{dir: dir}
	settings, err := json.Marshal(agentSettings{
		Listen: fmt.Sprintf("%s:%d", ip, wire.Port), Dir: filepath.Join(dir, "shared"), Home: filepath.Join(dir, "home"), Token: token,
		NodeKey: argument(pod, "--node-key="), Canary: argument(pod, "--canary="),
	})
	if err != nil {
		c.t.Error(err)
	}
	p.agent = c.command("agent", 0, string(settings))
	launcher := "launcher"
	if c.flood.Load() {
		launcher = "flooder"
	}
	p.launcher = c.command(launcher, syscall.CLONE_NEWPID, filepath.Join(dir, "shared"), filepath.Join(dir, "home"), filepath.Join(dir, "tmp"))
	c.mu.Lock()
	c.pods[pod.UID] = p
	c.mu.Unlock()
	c.run(pod, p, p.agent, "agent")
	c.run(pod, p, p.launcher, "function")
	c.update(pod.Name, func(s *corev1.PodStatus) { s.Phase, s.PodIP = corev1.PodRunning, ip })
}

// markDeleted makes a Pod wait for its kubelet, which removes it.
func (c *fakeCluster) markDeleted(name string) error {
	object, err := c.client.Tracker().Get(corev1.SchemeGroupVersion.WithResource("pods"), namespace, name)
	if err != nil {
		return err
	}
	pod, ok := object.(*corev1.Pod)
	if !ok {
		return fmt.Errorf("%s is no Pod", name)
	}
	pod = pod.DeepCopy()
	pod.DeletionTimestamp = new(metav1.Now())
	return c.client.Tracker().Update(corev1.SchemeGroupVersion.WithResource("pods"), pod, namespace)
}

func argument(pod *corev1.Pod, prefix string) string {
	for _, container := range pod.Spec.Containers {
		for _, a := range container.Args {
			if value, ok := strings.CutPrefix(a, prefix); ok {
				return value
			}
		}
	}
	return ""
}

func (c *fakeCluster) command(role string, flags uintptr, args ...string) *exec.Cmd {
	cmd := exec.Command("/proc/self/exe", args...)
	cmd.Env = []string{roleVariable + "=" + role}
	cmd.Stderr = os.Stderr
	cmd.SysProcAttr = &syscall.SysProcAttr{Cloneflags: flags}
	return cmd
}

// run starts the process of a container, and reports its end.
func (c *fakeCluster) run(pod *corev1.Pod, p *fakePod, cmd *exec.Cmd, container string) {
	if err := cmd.Start(); err != nil {
		c.t.Error(err)
		return
	}
	p.ended.Go(func() {
		if _ = cmd.Wait(); c.lost.Load() {
			return
		}
		c.update(pod.Name, func(s *corev1.PodStatus) {
			s.ContainerStatuses = append(s.ContainerStatuses, corev1.ContainerStatus{Name: container, State: corev1.ContainerState{
				Terminated: &corev1.ContainerStateTerminated{ExitCode: int32(cmd.ProcessState.ExitCode()), Reason: "Error"},
			}})
		})
	})
}

// update changes the status of a Pod, if it exists.
func (c *fakeCluster) update(name string, change func(*corev1.PodStatus)) {
	c.mu.Lock()
	defer c.mu.Unlock()
	pod, err := c.client.CoreV1().Pods(namespace).Get(context.Background(), name, metav1.GetOptions{})
	if err != nil {
		return
	}
	change(&pod.Status)
	_, _ = c.client.CoreV1().Pods(namespace).UpdateStatus(context.Background(), pod, metav1.UpdateOptions{}) // It may be deleted now.
}

// kill ends the processes of a Pod.
func (c *fakeCluster) kill(uid types.UID) {
	c.mu.Lock()
	p := c.pods[uid]
	delete(c.pods, uid)
	c.mu.Unlock()
	if p == nil {
		return
	}
	_ = p.agent.Process.Kill()
	_ = p.launcher.Process.Kill()
	p.ended.Wait()
	_ = os.RemoveAll(p.dir)
}

// token returns a token of a Pod as the API server issues it.
func (c *fakeCluster) token(pod *corev1.Pod, uid types.UID, audience string, expires time.Time) string {
	signer, err := jose.NewSigner(jose.SigningKey{Algorithm: jose.ES256, Key: jose.JSONWebKey{Key: c.key, KeyID: "k1"}}, nil)
	if err != nil {
		c.t.Error(err)
	}
	text, err := jwt.Signed(signer).Claims(jwt.Claims{Audience: jwt.Audience{audience}, Expiry: jwt.NewNumericDate(expires)}).
		Claims(map[string]any{"kubernetes.io": map[string]any{
			"namespace": pod.Namespace, "pod": map[string]string{"name": pod.Name, "uid": string(uid)},
		}}).Serialize()
	if err != nil {
		c.t.Error(err)
	}
	return text
}

func (c *fakeCluster) keys(context.Context) (*jose.JSONWebKeySet, error) {
	return &jose.JSONWebKeySet{Keys: []jose.JSONWebKey{{Key: c.key.Public(), KeyID: "k1"}}}, nil
}

// config returns the configuration of an engine.
func (c *fakeCluster) config() kubernetes.Config {
	return kubernetes.Config{
		Pods: c.client.CoreV1().Pods(namespace), Keys: c.keys, Namespace: namespace, Installation: "test", Node: "n1",
		Image: func(string) string { return "image" }, Language: func(string) (string, bool) { return "Go", true },
		Artifacts: emptyArtifacts{c.t.TempDir()}, Log: slog.New(slog.DiscardHandler), Grace: 300 * time.Millisecond,
	}
}

// emptyArtifacts has an empty folder as every artifact.
type emptyArtifacts struct{ dir string }

func (a emptyArtifacts) Local(context.Context, string, string) (string, func(), error) {
	return a.dir, func() {}, nil
}

func open(t *testing.T, config kubernetes.Config) *kubernetes.Engine {
	t.Helper()
	e, err := kubernetes.New(t.Context(), config)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := e.Close(); err != nil {
			t.Errorf("Close() = %v", err)
		}
	})
	return e
}

// list returns the Pods of the cluster.
func (c *fakeCluster) list() []corev1.Pod {
	c.t.Helper()
	pods, err := c.client.CoreV1().Pods(namespace).List(context.Background(), metav1.ListOptions{})
	if err != nil {
		c.t.Fatal(err)
	}
	return pods.Items
}
