package preflight

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"net"
	"strings"
	"sync"
	"syscall"
	"time"

	core "k8s.io/api/core/v1"
)

// AgentPort is the port at which nodes reach the agent of a Pod.
const AgentPort = "9443"

// The last words of a probe, which its Pod has as its termination message.
const (
	wordReached     = "reached"
	wordUnreachable = "unreachable"
)

// checkNetwork tries the network policies. A Pod without the labels of functions must reach this
// process, to show that the address can be reached at all; one with the labels must not, and this
// process must reach its agent's port.
func (c *Checker) checkNetwork(ctx context.Context) []Result {
	egress := Result{Name: "Egress", Status: OK}
	ingress := Result{Name: "Ingress", Status: OK, Detail: "nodes reach the agents' port of Pods"}
	if c.config.Canary == "" {
		egress.Status, egress.Detail = Skipped, "this process is not in a Pod"
		egress.Change = "run the command in a node of Jeton: kubectl exec deployment/jeton -- jeton doctor --kubernetes"
		return []Result{egress}
	}
	canary, err := new(net.ListenConfig).Listen(ctx, "tcp", c.config.Canary)
	switch {
	case err == nil:
		defer canary.Close()
		go accept(canary)
	case !errors.Is(err, syscall.EADDRINUSE):
		egress.Status, egress.Detail = Failed, fmt.Sprintf("listen at the canary: %v", err)
		egress.Change = "set --kubernetes-canary to an address of this Pod, as the chart does"
		return []Result{egress}
	}

	var group sync.WaitGroup
	var control, labelled string
	var controlErr, labelledErr, ingressErr error
	probe := func(purpose string) *core.Pod {
		return c.pod(purpose, c.anyImage(), []string{"doctor", "--probe=" + c.config.Canary})
	}
	group.Go(func() { control, controlErr = c.probe(ctx, probe("control"), nil) })
	group.Go(func() {
		pod := probe("function")
		maps.Copy(pod.Labels, c.config.Labels)
		labelled, labelledErr = c.probe(ctx, pod, func(address string) { ingressErr = reach(ctx, address) })
	})
	group.Wait()
	switch {
	case controlErr != nil || labelledErr != nil:
		egress.Status, egress.Detail = Failed, fmt.Sprintf("the Pods that try it do not run: %v %v", controlErr, labelledErr)
		egress.Change = "repair the images first"
		return []Result{egress}
	case !strings.HasPrefix(control, wordReached):
		egress.Status, egress.Detail = Failed, fmt.Sprintf("a Pod without the labels of functions does not reach %s either: %s", c.config.Canary, control)
		egress.Change = "allow TCP connections to this address from all Pods: only the policy of functions may forbid them"
	case strings.HasPrefix(labelled, wordReached):
		egress.Status, egress.Detail = Failed, "a Pod with the labels of functions reaches this Pod: no network policy is in force"
		egress.Change = "install a network plugin that enforces NetworkPolicy (Calico, Cilium, kube-router, ...), enable networkPolicy in the chart, " +
			"and list the networks of Pods, Services and nodes in networkPolicy.egress.deny"
	default:
		egress.Detail = "functions do not reach this Pod: " + labelled
	}
	if ingressErr != nil {
		ingress.Status, ingress.Detail = Failed, fmt.Sprintf("this process does not reach a Pod of functions: %v", ingressErr)
		ingress.Change = "allow TCP port " + AgentPort + " from Jeton's nodes to Pods with the labels of functions"
	}
	return []Result{egress, ingress}
}

// probe runs a probe and returns its last words. As soon as its Pod has an address, dial is called.
func (c *Checker) probe(ctx context.Context, pod *core.Pod, dial func(address string)) (string, error) {
	end, err := c.start(ctx, pod)
	if err != nil {
		return "", err
	}
	defer end()
	if dial != nil {
		running, err := c.follow(ctx, pod.Name, func(p *core.Pod) bool { return p.Status.PodIP != "" && p.Status.Phase == core.PodRunning })
		if err != nil {
			return "", err
		}
		dial(net.JoinHostPort(running.Status.PodIP, AgentPort))
	}
	ended, err := c.follow(ctx, pod.Name, succeeded)
	if err != nil {
		return "", err
	}
	for _, s := range ended.Status.ContainerStatuses {
		if s.State.Terminated != nil {
			return strings.TrimSpace(s.State.Terminated.Message), nil
		}
	}
	return "", fmt.Errorf("the Pod %s has no termination message", pod.Name)
}

func accept(l net.Listener) {
	for {
		conn, err := l.Accept()
		if err != nil {
			return
		}
		conn.Close()
	}
}

// reachTimeout is the time that a network plugin has to apply its policies to a new Pod.
const reachTimeout = 15 * time.Second

// dialTimeout is the time of one attempt. A policy that drops packets gives no answer.
const dialTimeout = time.Second

// reach connects to an address, repeatedly until it succeeds or reachTimeout has passed.
func reach(ctx context.Context, address string) error {
	ctx, cancel := context.WithTimeout(ctx, reachTimeout)
	defer cancel()
	tick := time.NewTicker(poll)
	defer tick.Stop()
	for {
		err := dial(ctx, address)
		if err == nil {
			return nil
		}
		select {
		case <-tick.C:
		case <-ctx.Done():
			return err
		}
	}
}

func dial(ctx context.Context, address string) error {
	dialer := net.Dialer{Timeout: dialTimeout}
	conn, err := dialer.DialContext(ctx, "tcp", address)
	if err != nil {
		return err
	}
	return conn.Close()
}
