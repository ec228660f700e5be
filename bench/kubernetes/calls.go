package main

import (
	"context"
	"fmt"
	"path/filepath"

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
// that run the same program: through httputil.ReverseProxy, and straight to the Pod's address.
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
	addresses, err := w.bareInstances(ctx)
	if err != nil {
		return nil, err
	}
	var baselines harness.Processes
	defer baselines.Stop()
	proxied, direct := private, private
	url, pid, err := harness.StartProxy(ctx, &baselines, w.dir, addresses)
	if err != nil {
		return nil, err
	}
	proxied.URLs, proxied.PID = []string{url}, pid
	direct.URLs, direct.PID = nil, 0
	for _, address := range addresses {
		direct.URLs = append(direct.URLs, "http://"+address)
	}
	if err := s.Settle(ctx); err != nil {
		return nil, err
	}
	var sides []func() (harness.Cost, error)
	for _, l := range []harness.Load{private, proxied, direct} {
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
	const ours, proxied, direct = 0, 1, 2
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

// bareInstances starts one bare Pod per connection, and returns their addresses when they answer.
func (w *world) bareInstances(ctx context.Context) (addresses []string, err error) {
	program, err := harness.BuildInstance(ctx, w.dir)
	if err != nil {
		return nil, err
	}
	for i := range connections {
		pod := barePod(fmt.Sprintf("instance-%d", i), "go", program, "tcp", ":8080")
		// As for the instances, no limit of the CPU is reached.
		delete(pod.Spec.Containers[0].Resources.Limits, corev1.ResourceCPU)
		pod.Spec.Volumes = []corev1.Volume{{Name: "program", VolumeSource: corev1.VolumeSource{HostPath: &corev1.HostPathVolumeSource{Path: w.dir}}}}
		pod.Spec.Containers[0].VolumeMounts = []corev1.VolumeMount{{Name: "program", MountPath: w.dir, ReadOnly: true}}
		if err := w.create(ctx, pod); err != nil {
			return nil, err
		}
		address, err := w.addressOf(ctx, pod.Name)
		if err != nil {
			return nil, err
		}
		if err := awaitHello(ctx, "http://"+address+":8080"); err != nil {
			return nil, err
		}
		addresses = append(addresses, address+":8080")
	}
	return addresses, nil
}
