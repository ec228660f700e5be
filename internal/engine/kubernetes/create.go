package kubernetes

import (
	"context"
	"errors"
	"fmt"
	"net"
	"strings"
	"time"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
)

// The pause before a request to the API server is repeated doubles from shortestRetry up to
// longestRetry.
const (
	shortestRetry = 100 * time.Millisecond
	longestRetry  = 5 * time.Second
)

// create creates a Pod. It repeats the request while the API server does not answer, or asks for it.
func (e *Engine) create(ctx context.Context, pod *corev1.Pod) (*corev1.Pod, error) {
	for pause := shortestRetry; ; pause = min(2*pause, longestRetry) {
		created, err := e.requestOnce(ctx, pod)
		switch {
		case err == nil:
			return created, nil
		case ctx.Err() != nil:
			return nil, fmt.Errorf("create the Pod: %w", errors.Join(ctx.Err(), err))
		case apierrors.IsForbidden(err) && strings.Contains(err.Error(), "exceeded quota"):
			return nil, fmt.Errorf("create the Pod: the quota of namespace %s is used up: %w", e.config.Namespace, err)
		case !temporary(err):
			return nil, fmt.Errorf("create the Pod: %w", err)
		}
		e.config.Log.Warn("create Pod failed: trying again", "pod", pod.Name, "after", pause, "error", err)
		if err := wait(ctx, max(pause, suggested(err))); err != nil {
			return nil, fmt.Errorf("create the Pod: %w", err)
		}
	}
}

// requestOnce requests a Pod once. A request may create a Pod after ctx has ended: it is not canceled, and
// its Pod is deleted then.
func (e *Engine) requestOnce(ctx context.Context, pod *corev1.Pod) (*corev1.Pod, error) {
	type answer struct {
		pod *corev1.Pod
		err error
	}
	answers := make(chan answer)
	e.disposing.Go(func() {
		created, err := e.config.Pods.Create(e.ctx, pod, metav1.CreateOptions{})
		if apierrors.IsAlreadyExists(err) {
			// An earlier request, whose answer was lost, has created it.
			created, err = e.config.Pods.Get(e.ctx, pod.Name, metav1.GetOptions{})
		}
		select {
		case answers <- answer{created, err}:
		case <-ctx.Done():
			if err == nil {
				e.dispose(created.Name, string(created.UID), 0)
			}
		}
	})
	select {
	case a := <-answers:
		return a.pod, a.err
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}

// temporary reports whether a request may succeed later without a change.
func temporary(err error) bool {
	var network net.Error
	return apierrors.IsTooManyRequests(err) || apierrors.IsServerTimeout(err) || apierrors.IsTimeout(err) ||
		apierrors.IsServiceUnavailable(err) || apierrors.IsInternalError(err) || errors.As(err, &network) || !isStatus(err)
}

// isStatus reports whether an error is an answer of the API server.
func isStatus(err error) bool {
	var status apierrors.APIStatus
	return errors.As(err, &status)
}

// suggested returns the pause that the API server asks for; 0 for none.
func suggested(err error) time.Duration {
	if seconds, ok := apierrors.SuggestsClientDelay(err); ok {
		return time.Duration(seconds) * time.Second
	}
	return 0
}

func wait(ctx context.Context, d time.Duration) error {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// dispose deletes a Pod in the background, until the API server has accepted it.
func (e *Engine) dispose(name, uid string, graceSeconds int64) {
	e.disposing.Go(func() {
		defer e.forget(name)
		for pause := shortestRetry; ; pause = min(2*pause, longestRetry) {
			err := e.config.Pods.Delete(e.ctx, name, metav1.DeleteOptions{
				GracePeriodSeconds: &graceSeconds, Preconditions: &metav1.Preconditions{UID: new(types.UID(uid))},
			})
			if err == nil || apierrors.IsNotFound(err) || apierrors.IsConflict(err) || e.ctx.Err() != nil {
				return
			}
			e.config.Log.Warn("delete Pod failed: trying again", "pod", name, "after", pause, "error", err)
			_ = wait(e.ctx, pause)
		}
	})
}
