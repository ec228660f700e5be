package kubernetes

import (
	"context"
	"encoding/json"
	"slices"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
)

// sweepInterval is the interval at which the known Pods are searched for those without an engine. It
// takes no request unless there are any.
const sweepInterval = 15 * time.Second

func (e *Engine) sweepUntil(ctx context.Context) {
	ticker := time.NewTicker(sweepInterval)
	defer ticker.Stop()
	for {
		e.sweep()
		select {
		case <-ticker.C:
		case <-ctx.Done():
			return
		}
	}
}

// sweep deletes the Pods that no engine uses: those of earlier engines of this node, those of nodes
// that have left the cluster, if this node does that work, and Pods of this engine whose creation was
// given up and that the API server has created nevertheless.
func (e *Engine) sweep() {
	members, sweeps := e.config.Members(), e.config.Sweeps()
	for _, pod := range e.view.all() {
		if pod.DeletionTimestamp != nil {
			continue
		}
		node := pod.Labels[LabelNode]
		orphan := sweeps && !slices.Contains(members, node)
		if node == e.config.Node {
			orphan = pod.Labels[LabelEngine] != e.id || !e.expects(pod.Name)
		}
		if orphan {
			e.config.Log.Info("deleting a Pod that no node uses", "pod", pod.Name, "node", node)
			e.dispose(pod.Name, string(pod.UID), 0)
		}
	}
}

// describe adds the labels and annotations with which operators find the Pod of a function. Nothing
// depends on them.
func (e *Engine) describe(in *instance, s *session) {
	patch, err := json.Marshal(map[string]any{"metadata": metav1.ObjectMeta{
		Labels:      map[string]string{LabelFunction: in.revision.FunctionID},
		Annotations: map[string]string{"jeton.dev/revision": in.revision.ID, "jeton.dev/instance": in.ID, "jeton.dev/project": in.revision.ProjectID},
	}})
	if err != nil {
		return
	}
	if _, err := e.config.Pods.Patch(e.ctx, s.name, types.MergePatchType, patch, metav1.PatchOptions{}); err != nil && s.alive() {
		e.config.Log.Warn("label Pod failed", "pod", s.name, "error", err)
	}
}

// isWarm reports whether a Pod waits for a function.
func isWarm(pod *corev1.Pod) bool {
	return pod.Labels[LabelFunction] == "" && pod.Labels[LabelComponent] == ComponentInstance && pod.DeletionTimestamp == nil
}
