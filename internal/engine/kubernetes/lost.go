package kubernetes

import (
	"context"
	"fmt"
	"time"

	corev1 "k8s.io/api/core/v1"

	"github.com/jeton-dev/jeton/internal/engine"
)

// deleted is the reason of a session whose Pod was deleted by others.
const deleted = "the Pod was deleted: its Kubernetes node is drained or gone, or someone has deleted it"

// statusDelay is how long the engine waits for the status of a container that has ended. Kubelets before
// Kubernetes 1.36 look at containers once a second.
const statusDelay = 5 * time.Second

// lost returns why a session has ended whose launcher did not report that, and whether the kernel has
// ended the container because of its memory limit.
func (e *Engine) lost(s *session) (reason string, memory bool) {
	// The status of the container says more than the connection, but comes later.
	pod, err := e.awaitStatus(s, ended)
	if err != nil {
		pod = e.view.get(e.config.Namespace, s.name, s.uid)
	}
	switch {
	case err == nil && outOfMemory(pod):
		return "", true
	case err == nil && (pod.DeletionTimestamp == nil || pod.Status.Reason != ""):
		return "the Pod has ended: " + endOf(pod), false
	case pod == nil || pod.DeletionTimestamp != nil:
		return deleted + disruption(pod), false
	}
	return fmt.Sprintf("the connection to the Pod %s%s is lost: %v", s.name, machineOf(pod), s.err), false
}

// explain logs why Kubernetes has ended the Pod of an instance whose function has ended by itself
// meanwhile.
func (e *Engine) explain(in *instance, s *session) {
	// The kubelet reports an eviction when it has killed the agent, which waits for this node: a Pod whose
	// containers end by themselves has succeeded.
	pod, err := e.awaitStatus(s, func(pod *corev1.Pod) (bool, error) {
		return pod.DeletionTimestamp != nil || disruption(pod) != "", nil
	})
	if why := disruption(pod); err == nil && why != "" {
		in.Output(engine.System)("the Pod was ended" + why)
	}
}

// awaitStatus returns the Pod of a session as soon as it is as wanted.
func (e *Engine) awaitStatus(s *session, wanted func(*corev1.Pod) (bool, error)) (*corev1.Pod, error) {
	changes, end := e.view.watch(s.name)
	defer end()
	ctx, cancel := context.WithTimeout(e.ctx, statusDelay)
	defer cancel()
	return e.view.await(ctx, e.config.Namespace, s.name, s.uid, changes, wanted)
}
