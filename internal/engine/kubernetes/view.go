package kubernetes

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/watch"
	"k8s.io/client-go/tools/cache"
)

// errDeleted means that Kubernetes has deleted a Pod, and errSilent that the machine of a new Pod does not
// react. Another Pod may start elsewhere.
var (
	errDeleted = errors.New("the Pod was deleted")
	errSilent  = errors.New("its machine does not react")
	// errRejected means that the kubelet has refused or evicted a new Pod: its machine lacks memory, CPU or
	// disk, or shuts down.
	errRejected = errors.New("its machine has refused it")
)

// A view has the Pods of the installation as an informer knows them. It is safe for concurrent use.
type view struct {
	informer cache.SharedIndexInformer
	stop     context.CancelFunc
	done     chan struct{}

	mu sync.Mutex
	// watchers receive a value after a change of the Pod with a name.
	watchers map[string]map[chan struct{}]struct{}
	// deleted are the names of watched Pods that Kubernetes has deleted.
	deleted map[string]struct{}
}

// plainList makes an informer list objects by a request of its own, instead of as the start of a watch: not
// every API server supports that, and there are few Pods.
type plainList struct{ *cache.ListWatch }

// IsWatchListSemanticsUnSupported implements the interface that client-go looks for.
func (plainList) IsWatchListSemanticsUnSupported() bool { return true }

// openView starts the informer, and returns when it has all Pods.
func (e *Engine) openView(ctx context.Context) (*view, error) {
	selector := LabelInstallation + "=" + e.config.Installation
	source := &cache.ListWatch{
		ListWithContextFunc: func(ctx context.Context, o metav1.ListOptions) (runtime.Object, error) {
			o.LabelSelector = selector
			return e.config.Pods.List(ctx, o)
		},
		WatchFuncWithContext: func(ctx context.Context, o metav1.ListOptions) (watch.Interface, error) {
			o.LabelSelector = selector
			return e.config.Pods.Watch(ctx, o)
		},
	}
	v := &view{
		informer: cache.NewSharedIndexInformer(plainList{source}, &corev1.Pod{}, 0, cache.Indexers{}), done: make(chan struct{}),
		watchers: map[string]map[chan struct{}]struct{}{}, deleted: map[string]struct{}{},
	}
	// The engine reads labels, owners, machines, addresses and states only.
	err := v.informer.SetTransform(func(object any) (any, error) {
		if pod, ok := object.(*corev1.Pod); ok {
			pod.ManagedFields, pod.Spec = nil, corev1.PodSpec{NodeName: pod.Spec.NodeName}
		}
		return object, nil
	})
	if err != nil {
		return nil, err
	}
	_ = v.informer.SetWatchErrorHandlerWithContext(func(_ context.Context, _ *cache.Reflector, err error) {
		e.config.Log.Warn("watch of Pods failed and will be resumed", "error", err)
	})
	if _, err := v.informer.AddEventHandler(cache.ResourceEventHandlerFuncs{
		AddFunc: v.changed, UpdateFunc: func(_, pod any) { v.changed(pod) }, DeleteFunc: v.removed,
	}); err != nil {
		return nil, err
	}
	running, stop := context.WithCancel(context.WithoutCancel(ctx))
	v.stop = stop
	go func() {
		defer close(v.done)
		v.informer.RunWithContext(running)
	}()
	if !cache.WaitForCacheSync(ctx.Done(), v.informer.HasSynced) {
		v.close()
		return nil, fmt.Errorf("list Pods of namespace %s: %w (check the API server and the Role of this node)", e.config.Namespace, ctx.Err())
	}
	return v, nil
}

func (v *view) close() {
	v.stop()
	<-v.done
}

// all returns the Pods of the installation.
func (v *view) all() []*corev1.Pod {
	var pods []*corev1.Pod
	for _, object := range v.informer.GetStore().List() {
		if pod, ok := object.(*corev1.Pod); ok {
			pods = append(pods, pod)
		}
	}
	return pods
}

// get returns the Pod with a name and UID, or nil.
func (v *view) get(namespace, name, uid string) *corev1.Pod {
	object, ok, err := v.informer.GetStore().GetByKey(namespace + "/" + name)
	if err != nil || !ok {
		return nil
	}
	pod, ok := object.(*corev1.Pod)
	if !ok || string(pod.UID) != uid {
		return nil
	}
	return pod
}

func (v *view) changed(object any) {
	if pod, ok := object.(*corev1.Pod); ok {
		v.notify(pod.Name, false)
	}
}

func (v *view) removed(object any) {
	if stale, ok := object.(cache.DeletedFinalStateUnknown); ok {
		object = stale.Obj
	}
	if pod, ok := object.(*corev1.Pod); ok {
		v.notify(pod.Name, true)
	}
}

func (v *view) notify(name string, deleted bool) {
	v.mu.Lock()
	defer v.mu.Unlock()
	if deleted && len(v.watchers[name]) > 0 {
		v.deleted[name] = struct{}{}
	}
	for w := range v.watchers[name] {
		select {
		case w <- struct{}{}:
		default:
		}
	}
}

// watch returns a channel that receives a value after changes of the Pod with a name, until end is
// called. It must be called before the Pod is created.
func (v *view) watch(name string) (changes <-chan struct{}, end func()) {
	w := make(chan struct{}, 1)
	v.mu.Lock()
	defer v.mu.Unlock()
	if v.watchers[name] == nil {
		v.watchers[name] = map[chan struct{}]struct{}{}
	}
	v.watchers[name][w] = struct{}{}
	return w, func() {
		v.mu.Lock()
		defer v.mu.Unlock()
		if delete(v.watchers[name], w); len(v.watchers[name]) == 0 {
			delete(v.watchers, name)
			delete(v.deleted, name)
		}
	}
}

func (v *view) wasDeleted(name string) bool {
	v.mu.Lock()
	defer v.mu.Unlock()
	_, ok := v.deleted[name]
	return ok
}

// await returns the Pod as soon as it is as wanted. The condition returns an error if it never will
// be. Returns errDeleted for a Pod that was deleted, and the error of ctx.
func (v *view) await(ctx context.Context, namespace, name, uid string, changes <-chan struct{}, wanted func(*corev1.Pod) (bool, error)) (*corev1.Pod, error) {
	for {
		if pod := v.get(namespace, name, uid); pod != nil {
			if ok, err := wanted(pod); ok || err != nil {
				return pod, err
			}
		} else if v.wasDeleted(name) {
			return nil, errDeleted
		}
		select {
		case <-changes:
		case <-ctx.Done():
			return nil, ctx.Err()
		}
	}
}

// hasAddress reports whether a Pod has an IP address. Returns an error for a Pod that cannot get one.
func hasAddress(pod *corev1.Pod) (bool, error) {
	if err := failureOf(pod); err != nil {
		return false, err
	}
	return pod.Status.PodIP != "" && pod.DeletionTimestamp == nil, nil
}

// hopeless are the reasons of a waiting container that do not pass without a change by the operator.
var hopeless = map[string]bool{
	"ImagePullBackOff": true, "InvalidImageName": true, "ErrImageNeverPull": true, "CreateContainerConfigError": true,
	"CreateContainerError": true, "RunContainerError": true, "CrashLoopBackOff": true,
}

// failureOf returns why a Pod will never serve, or nil.
func failureOf(pod *corev1.Pod) error {
	if pod.DeletionTimestamp != nil {
		return fmt.Errorf("%w before it was ready%s", errDeleted, disruption(pod))
	}
	for _, c := range pod.Status.ContainerStatuses {
		if w := c.State.Waiting; w != nil && hopeless[w.Reason] {
			return fmt.Errorf("the container %s does not start: %s: %s", c.Name, w.Reason, w.Message)
		}
	}
	// Only the kubelet gives a reason for a whole Pod.
	if pod.Status.Phase == corev1.PodFailed && pod.Status.Reason != "" {
		return fmt.Errorf("the Pod %s%s does not start: %w: %s", pod.Name, machineOf(pod), errRejected, reasonOf(pod))
	}
	if pod.Status.Phase == corev1.PodFailed || pod.Status.Phase == corev1.PodSucceeded {
		return fmt.Errorf("the Pod has ended: %s", endOf(pod))
	}
	return nil
}

// waitsFor returns why a Pod is not ready yet; empty if that is not known.
func waitsFor(pod *corev1.Pod) string {
	for _, c := range pod.Status.Conditions {
		if c.Type == corev1.PodScheduled && c.Status == corev1.ConditionFalse {
			return "it is not scheduled: " + c.Message
		}
	}
	for _, c := range pod.Status.ContainerStatuses {
		if w := c.State.Waiting; w != nil && w.Reason != "" && w.Reason != "ContainerCreating" && w.Reason != "PodInitializing" {
			return strings.TrimSuffix(fmt.Sprintf("the container %s waits: %s: %s", c.Name, w.Reason, w.Message), ": ")
		}
	}
	return ""
}

// machineOf returns the Kubernetes node of a Pod in words, with a space before it; empty if it has none.
func machineOf(pod *corev1.Pod) string {
	if pod == nil || pod.Spec.NodeName == "" {
		return ""
	}
	return " on machine " + pod.Spec.NodeName
}

// endOf returns why a Pod has ended, in words.
func endOf(pod *corev1.Pod) string {
	var parts []string
	if pod.Status.Reason != "" {
		parts = append(parts, reasonOf(pod))
	}
	for _, c := range pod.Status.ContainerStatuses {
		if t := c.State.Terminated; t != nil && (t.ExitCode != 0 || t.Reason == "OOMKilled") {
			parts = append(parts, fmt.Sprintf("container %s: %s, exit status %d", c.Name, t.Reason, t.ExitCode))
		}
	}
	if len(parts) == 0 {
		return "phase " + string(pod.Status.Phase)
	}
	return strings.Join(parts, "; ")
}

// reasonOf returns why the kubelet has ended a Pod, such as "Evicted: ...".
func reasonOf(pod *corev1.Pod) string {
	return strings.TrimSuffix(pod.Status.Reason+": "+strings.TrimSpace(pod.Status.Message), ": ")
}

// disruption returns why Kubernetes ends a Pod, with a colon before it; empty if that is not known.
func disruption(pod *corev1.Pod) string {
	if pod == nil {
		return ""
	}
	if pod.Status.Reason != "" {
		return ": " + reasonOf(pod)
	}
	for _, c := range pod.Status.Conditions {
		if c.Type == corev1.DisruptionTarget && c.Status == corev1.ConditionTrue {
			return ": " + c.Message
		}
	}
	return ""
}

// outOfMemory reports whether the kernel has ended the function's container because of its limit.
func outOfMemory(pod *corev1.Pod) bool {
	for _, c := range pod.Status.ContainerStatuses {
		if t := c.State.Terminated; c.Name == functionContainer && t != nil && t.Reason == "OOMKilled" {
			return true
		}
	}
	return false
}

// ended reports whether the container of the function has ended.
func ended(pod *corev1.Pod) (bool, error) {
	for _, c := range pod.Status.ContainerStatuses {
		if c.Name == functionContainer && c.State.Terminated != nil {
			return true, nil
		}
	}
	return pod.Status.Phase == corev1.PodFailed || pod.Status.Phase == corev1.PodSucceeded, nil
}
