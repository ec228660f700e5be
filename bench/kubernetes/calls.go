package main

import (
	"context"
	"fmt"
	"net"
	"path/filepath"
	"strconv"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/jeton-dev/jeton/bench/harness"
	"github.com/jeton-dev/jeton/test/await"
)

var (
	callRounds = harness.Sized(9, 1)
	callCount  = harness.Sized(6000, 200)
)

// connections is the number of concurrent calls, and of the Pods that serve them.
const connections = 4

// calls compares an admitted call of a private function in Pods with the same call of bare Pods
// that run the same program: through httputil.ReverseProxy, through the same by mutual TLS to a
// sidecar of each Pod, and straight to the Pod's address.
func calls(ctx context.Context, w *world) ([]harness.Result, error) {
	s, err := harness.Start(ctx, filepath.Join(w.dir, "data"), w.flags("--spare=0", "--spare-most=0", "--instances-memory=8589934592")...)
	if err != nil {
		return nil, err
	}
	defer s.Close()
	private, err := harness.DeployPrivate(ctx, s, connections, callCount)
	if err != nil {
		return nil, err
	}
	if err := w.awaitInstances(ctx); err != nil {
		return nil, err
	}
	b, err := w.bareInstances(ctx)
	if err != nil {
		return nil, err
	}
	var baselines harness.Processes
	defer baselines.Stop()
	loads := []harness.Load{private}
	for _, instances := range [][]string{b.plain, b.encrypted} {
		load := private
		url, pid, err := harness.StartProxy(ctx, &baselines, instances)
		if err != nil {
			return nil, err
		}
		load.URLs, load.PID = []string{url}, pid
		loads = append(loads, load)
	}
	direct := private
	direct.URLs, direct.PID = nil, 0
	for _, address := range b.plain {
		direct.URLs = append(direct.URLs, "http://"+address)
	}
	if err := s.Settle(ctx); err != nil {
		return nil, err
	}
	var sides []func() (harness.Cost, error)
	for _, l := range append(loads, direct) {
		sides = append(sides, func() (harness.Cost, error) { return l.Run(ctx) })
	}
	agents, err := agentProcesses()
	if err != nil {
		return nil, err
	}
	costs, agentCost, err := measureCalls(sides, agents)
	if err != nil {
		return nil, err
	}
	return callResults(costs, agentCost), nil
}

// measureCalls measures the sides in turn, and the CPU time of the agents for those of the first
// side in seconds per round.
func measureCalls(sides []func() (harness.Cost, error), agents []int) (costs [][]harness.Cost, agentCost []float64, err error) {
	ours := sides[0]
	sides[0] = func() (harness.Cost, error) {
		before, err := cpuTime(agents)
		if err != nil {
			return harness.Cost{}, err
		}
		cost, err := ours()
		if err != nil {
			return cost, err
		}
		after, err := cpuTime(agents)
		agentCost = append(agentCost, after-before)
		return cost, err
	}
	costs, err = harness.WarmRounds(callRounds, sides...)
	return costs, agentCost[min(1, len(agentCost)):], err
}

func callResults(costs [][]harness.Cost, agentCost []float64) []harness.Result {
	const ours, proxied, encrypted, direct = 0, 1, 2, 3
	rate := func(side int) []float64 {
		return harness.Column(costs[side], func(c harness.Cost) float64 { return float64(callCount) / c.Elapsed })
	}
	latency := func(side int) []float64 {
		return harness.Column(costs[side], func(c harness.Cost) float64 { return c.Elapsed * 1e3 * connections / float64(callCount) })
	}
	perCall := func(seconds float64) float64 { return seconds * 1e6 / float64(callCount) }
	cpu := func(side int) []float64 {
		return harness.Column(costs[side], func(c harness.Cost) float64 { return perCall(c.CPU) })
	}
	agent := harness.Column(agentCost, perCall)
	return []harness.Result{
		harness.Compare("kubernetes-call", "calls/s", ">= 0.9",
			fmt.Sprintf("an admitted call in Pods, %d connections; the baseline is httputil.ReverseProxy alone in front of bare Pods without an agent", connections), rate(ours), rate(proxied)),
		harness.Compare("kubernetes-call-cpu", "us/call", "<= 1.1", "CPU of the node of Jeton or of the proxy; baseline as above", cpu(ours), cpu(proxied)),
		harness.Compare("kubernetes-call-encrypted", "calls/s", "",
			"the same, compared with the same proxy that reaches the bare Pods by mutual TLS, which a sidecar in each Pod ends", rate(ours), rate(encrypted)),
		harness.Compare("kubernetes-call-encrypted-cpu", "us/call", "", "CPU of the node of Jeton or of that proxy", cpu(ours), cpu(encrypted)),
		harness.Compare("kubernetes-call-direct", "ms", "", "mean time of an admitted call, compared with a call straight to the address of a bare Pod", latency(ours), latency(direct)),
		harness.Compare("kubernetes-call-agent-cpu", "us/call", "", "CPU of the agents in the Pods, compared with that of the node of Jeton", agent, cpu(ours)),
	}
}

// awaitInstances waits until all instances of the function have been labelled, after they are
// ready.
func (w *world) awaitInstances(ctx context.Context) error {
	return await.Until(ctx, "all instances start", func() bool {
		list, err := w.client.CoreV1().Pods(w.name).List(ctx, metav1.ListOptions{LabelSelector: "jeton.dev/function"})
		return err == nil && len(list.Items) == connections
	})
}

// A bareSet is the addresses of bare Pods: without TLS, and as arguments of harness.RunProxy those
// whose sidecar demands mutual TLS.
type bareSet struct{ plain, encrypted []string }

// bareInstances starts two bare Pods per connection, and waits until all listen.
func (w *world) bareInstances(ctx context.Context) (b bareSet, err error) {
	instance, err := harness.BuildInstance(ctx, w.dir)
	if err != nil {
		return b, err
	}
	sidecar, err := harness.BuildSidecar(ctx, w.dir)
	if err != nil {
		return b, err
	}
	if err := harness.WriteKeyPair(w.dir); err != nil {
		return b, err
	}
	for i := range connections {
		address, err := w.startBare(ctx, w.programPod(fmt.Sprintf("instance-%d", i), instance, "tcp", ":8080"), 8080)
		if err != nil {
			return b, err
		}
		b.plain = append(b.plain, address)
		const socket = "/run/shared/socket"
		pod := w.programPod(fmt.Sprintf("encrypted-%d", i), instance, "unix", socket)
		added := w.programPod("", sidecar, w.dir, ":8443", socket).Spec.Containers[0]
		added.Name = "sidecar"
		pod.Spec.Containers = append(pod.Spec.Containers, added)
		pod.Spec.Volumes = append(pod.Spec.Volumes, corev1.Volume{Name: "shared", VolumeSource: corev1.VolumeSource{EmptyDir: &corev1.EmptyDirVolumeSource{}}})
		for j := range pod.Spec.Containers {
			c := &pod.Spec.Containers[j]
			c.VolumeMounts = append(c.VolumeMounts, corev1.VolumeMount{Name: "shared", MountPath: filepath.Dir(socket)})
		}
		if address, err = w.startBare(ctx, pod, 8443); err != nil {
			return b, err
		}
		b.encrypted = append(b.encrypted, harness.Encrypted(w.dir, address))
	}
	return b, nil
}

// programPod returns a bare Pod that runs a program of w.dir. As for the instances, no limit of the
// CPU is reached.
func (w *world) programPod(name, program string, args ...string) *corev1.Pod {
	pod := barePod(name, "go", append([]string{program}, args...)...)
	delete(pod.Spec.Containers[0].Resources.Limits, corev1.ResourceCPU)
	pod.Spec.Volumes = []corev1.Volume{{Name: "program", VolumeSource: corev1.VolumeSource{HostPath: &corev1.HostPathVolumeSource{Path: w.dir}}}}
	pod.Spec.Containers[0].VolumeMounts = []corev1.VolumeMount{{Name: "program", MountPath: w.dir, ReadOnly: true}}
	return pod
}

// startBare creates a Pod and returns its address, when it listens at a port.
func (w *world) startBare(ctx context.Context, pod *corev1.Pod, port int) (string, error) {
	if err := w.create(ctx, pod); err != nil {
		return "", err
	}
	ip, err := w.addressOf(ctx, pod.Name)
	if err != nil {
		return "", err
	}
	address := net.JoinHostPort(ip, strconv.Itoa(port))
	return address, await.Until(ctx, pod.Name+" listens", func() bool {
		conn, err := new(net.Dialer).DialContext(ctx, "tcp", address)
		if err != nil {
			return false
		}
		return conn.Close() == nil
	})
}
