package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"time"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/resource"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/fields"

	"github.com/jeton-dev/jeton/bench/cold"
	"github.com/jeton-dev/jeton/bench/harness"
)

var newPodRounds = harness.Sized(7, 1)

// The limits of a function of 256 MB, which a bare Pod has too.
const (
	tierMemory = 256 << 20
	tierCPU    = 140
)

// serveHello is a server in Node that answers harness.Hello.
const serveHello = "require('http').createServer((q, r) => r.end('" + harness.Hello + "')).listen(8080)"

// newPods measures the first call of a function without a warm Pod, and compares it with a bare
// Pod of the same image and limits, from its creation to its first answer. Like every Pod that does
// not refuse it, the bare one has a volume with the token of its service account. The kubelet looks
// for mounted volumes every 300 ms (podAttachAndMountRetryInterval).
func newPods(ctx context.Context, w *world) ([]harness.Result, error) {
	s, err := w.startPods(ctx, 0)
	if err != nil {
		return nil, err
	}
	defer s.Close()
	l := cold.Languages[0]
	f, err := s.DeployHello(ctx, l, "new-pod")
	if err != nil {
		return nil, err
	}
	round := 0
	bare := func(change func(*corev1.PodSpec)) func() (float64, error) {
		return func() (float64, error) {
			if err := errors.Join(s.WaitWarm(ctx), w.settle(ctx, 0)); err != nil {
				return 0, err
			}
			round++
			pod := barePod(fmt.Sprintf("bare-%d", round), l.Name, "node", "-e", serveHello)
			change(&pod.Spec)
			took, err := w.firstAnswer(ctx, pod)
			return took, errors.Join(err, w.deletePod(ctx, pod.Name))
		}
	}
	took, err := harness.Rounds(newPodRounds,
		func() (float64, error) {
			if err := w.settle(ctx, 0); err != nil {
				return 0, err
			}
			return s.FirstCall(ctx, f.DomainName)
		},
		bare(func(p *corev1.PodSpec) { p.AutomountServiceAccountToken = nil }), bare(func(*corev1.PodSpec) {}))
	if err != nil {
		return nil, err
	}
	return []harness.Result{
		harness.Compare("kubernetes-cold-new-pod", "ms", "<= 1.2",
			"first call of a node function without a warm Pod, compared with a bare Pod of the same image and limits, from creation to the first answer", took[0], took[1]),
		harness.Compare("kubernetes-cold-new-pod-no-volume", "ms", "",
			"the same, compared with a bare Pod without any volume, not even the token of its service account: the kubelet then skips a wait of 300 ms", took[0], took[2]),
	}, nil
}

// barePod returns a Pod that runs a command in the image of a language, with the limits of a
// function and without volumes.
func barePod(name, language string, command ...string) *corev1.Pod {
	memory, cpu := *resource.NewQuantity(tierMemory, resource.BinarySI), *resource.NewMilliQuantity(tierCPU, resource.DecimalSI)
	return &corev1.Pod{
		ObjectMeta: metav1.ObjectMeta{Name: name},
		Spec: corev1.PodSpec{
			AutomountServiceAccountToken: new(bool), EnableServiceLinks: new(bool), RestartPolicy: corev1.RestartPolicyNever,
			TerminationGracePeriodSeconds: new(int64(1)),
			Containers: []corev1.Container{{
				Name: "bare", Image: strings.ReplaceAll(image, "{language}", language), Command: command,
				Resources: corev1.ResourceRequirements{
					Requests: corev1.ResourceList{corev1.ResourceMemory: memory, corev1.ResourceCPU: *resource.NewMilliQuantity(10, resource.DecimalSI)},
					Limits:   corev1.ResourceList{corev1.ResourceMemory: memory, corev1.ResourceCPU: cpu},
				},
			}},
		},
	}
}

// firstAnswer returns the milliseconds from the creation of a Pod to its first answer.
func (w *world) firstAnswer(ctx context.Context, pod *corev1.Pod) (float64, error) {
	began := time.Now()
	if err := w.create(ctx, pod); err != nil {
		return 0, err
	}
	address, err := w.addressOf(ctx, pod.Name)
	if err != nil {
		return 0, err
	}
	if err := awaitHello(ctx, "http://"+address+":8080"); err != nil {
		return 0, err
	}
	return harness.Milliseconds(time.Since(began)), nil
}

func (w *world) create(ctx context.Context, pod *corev1.Pod) error {
	_, err := w.client.CoreV1().Pods(w.name).Create(ctx, pod, metav1.CreateOptions{})
	return err
}

// addressOf waits until a Pod has an address.
func (w *world) addressOf(ctx context.Context, name string) (string, error) {
	ctx, cancel := context.WithTimeout(ctx, time.Minute)
	defer cancel()
	changes, err := w.client.CoreV1().Pods(w.name).Watch(ctx, metav1.ListOptions{
		FieldSelector: fields.OneTermEqualSelector("metadata.name", name).String(),
	})
	if err != nil {
		return "", err
	}
	defer changes.Stop()
	for change := range changes.ResultChan() {
		if pod, ok := change.Object.(*corev1.Pod); ok && pod.Status.PodIP != "" {
			return pod.Status.PodIP, nil
		}
	}
	return "", fmt.Errorf("the Pod %s got no address: %w", name, context.Cause(ctx))
}

// awaitHello calls a URL until it answers harness.Hello.
func awaitHello(ctx context.Context, url string) error {
	ctx, cancel := context.WithTimeout(ctx, time.Minute)
	defer cancel()
	client := &http.Client{Transport: &http.Transport{DisableKeepAlives: true}}
	for {
		request, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
		if err != nil {
			return err
		}
		if response, err := client.Do(request); err == nil {
			body, err := io.ReadAll(response.Body)
			_ = response.Body.Close()
			if err != nil || string(body) != harness.Hello {
				return fmt.Errorf("call %s: got %q, error %w", url, body, err)
			}
			return nil
		}
		select {
		case <-time.After(2 * time.Millisecond):
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}
