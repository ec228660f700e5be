//go:build linux

package kubetest_test

import (
	"context"
	"errors"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/client-go/kubernetes/fake"
	clienttesting "k8s.io/client-go/testing"

	engine "github.com/jeton-dev/jeton/internal/engine/kubernetes"
	"github.com/jeton-dev/jeton/test/kubernetes/kubetest"
)

// TestNoPods_FindsEveryPodThatIsLeft shows that the check at the end of the tests of faults can fail.
func TestNoPods_FindsEveryPodThatIsLeft(t *testing.T) {
	t.Parallel()
	pod := func(change func(*corev1.Pod)) []runtime.Object {
		p := &corev1.Pod{ObjectMeta: metav1.ObjectMeta{Name: "left-over", Namespace: "test", Labels: map[string]string{engine.LabelManagedBy: "jeton"}}}
		change(p)
		return []runtime.Object{p}
	}
	for name, test := range map[string]struct {
		pods  []runtime.Object
		fails bool
	}{
		"no Pod":                   {nil, false},
		"a Pod of another program": {pod(func(p *corev1.Pod) { p.Labels = nil }), false},
		"a Pod of another test":    {pod(func(p *corev1.Pod) { p.Namespace = "other" }), false},
		"a Pod that runs":          {pod(func(p *corev1.Pod) { p.Status.Phase = corev1.PodRunning }), true},
		"a Pod that has ended":     {pod(func(p *corev1.Pod) { p.Status.Phase = corev1.PodFailed }), true},
		"a Pod of a lost machine":  {pod(func(p *corev1.Pod) { p.DeletionTimestamp = new(metav1.Now()) }), true},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				n := &kubetest.Namespace{Name: "test", Client: fake.NewClientset(test.pods...)}
				ctx, cancel := context.WithTimeout(t.Context(), time.Second)
				defer cancel()
				err := n.NoPods(ctx, engine.LabelManagedBy, "jeton")
				if (err != nil) != test.fails || err != nil && !strings.Contains(err.Error(), "left-over") {
					t.Errorf("got %v, want an error that names the Pod: %v", err, test.fails)
				}
			})
		})
	}
}

// TestNoPods_FailsWithoutAnAnswer shows that an API server that does not answer is not taken for an empty list.
func TestNoPods_FailsWithoutAnAnswer(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		client := fake.NewClientset()
		client.PrependReactor("list", "pods", func(clienttesting.Action) (bool, runtime.Object, error) {
			return true, nil, errors.New("connection refused")
		})
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		if err := (&kubetest.Namespace{Name: "test", Client: client}).NoPods(ctx, engine.LabelManagedBy, "jeton"); err == nil {
			t.Error("got no error")
		}
	})
}
