package preflight

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"sync"
	"time"

	core "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/resource"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// program is the path of Jeton in the images.
const program = "/usr/local/bin/jeton"

// pod returns a Pod with the security of those of functions, and with no labels.
func (c *Checker) pod(purpose, image string, args []string) *core.Pod {
	user := int64(65532)
	limit := resource.MustParse("16Mi")
	pod := &core.Pod{
		ObjectMeta: metav1.ObjectMeta{
			Name:   "jeton-doctor-" + purpose + "-" + c.config.NewID(),
			Labels: map[string]string{"app.kubernetes.io/name": "jeton-doctor"},
		},
		Spec: core.PodSpec{
			RestartPolicy: core.RestartPolicyNever, AutomountServiceAccountToken: new(bool), EnableServiceLinks: new(bool),
			ServiceAccountName: c.config.ServiceAccount, TerminationGracePeriodSeconds: new(int64),
			ActiveDeadlineSeconds: new(int64(podTimeout / time.Second)),
			SecurityContext: &core.PodSecurityContext{
				RunAsNonRoot: new(true), RunAsUser: &user, RunAsGroup: &user, FSGroup: &user,
				SeccompProfile: &core.SeccompProfile{Type: core.SeccompProfileTypeRuntimeDefault},
			},
			Volumes: []core.Volume{{Name: "tmp", VolumeSource: core.VolumeSource{EmptyDir: &core.EmptyDirVolumeSource{SizeLimit: &limit}}}},
			Containers: []core.Container{{
				Name: "doctor", Image: image, Command: append([]string{program}, args...),
				SecurityContext: &core.SecurityContext{
					AllowPrivilegeEscalation: new(bool), ReadOnlyRootFilesystem: new(true), Capabilities: &core.Capabilities{Drop: []core.Capability{"ALL"}},
				},
				Resources: core.ResourceRequirements{
					Requests: core.ResourceList{core.ResourceCPU: resource.MustParse("10m"), core.ResourceMemory: resource.MustParse("64Mi")},
					Limits:   core.ResourceList{core.ResourceMemory: resource.MustParse("128Mi")},
				},
				VolumeMounts: []core.VolumeMount{{Name: "tmp", MountPath: "/tmp"}},
			}},
		},
	}
	if c.config.RuntimeClass != "" {
		pod.Spec.RuntimeClassName = &c.config.RuntimeClass
	}
	for _, name := range c.config.PullSecrets {
		pod.Spec.ImagePullSecrets = append(pod.Spec.ImagePullSecrets, core.LocalObjectReference{Name: name})
	}
	return pod
}

// anyImage returns an image, the same each time.
func (c *Checker) anyImage() string {
	return c.config.Images[slices.Min(slices.Collect(maps.Keys(c.config.Images)))]
}

// start creates a Pod. The caller calls end, which deletes it.
func (c *Checker) start(ctx context.Context, pod *core.Pod) (end func(), err error) {
	created, err := c.pods.Create(ctx, pod, metav1.CreateOptions{})
	if err != nil {
		return nil, fmt.Errorf("create Pod: %w", err)
	}
	return func() {
		// The Pod is deleted also when the caller was interrupted.
		ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), 20*time.Second)
		defer cancel()
		_ = c.pods.Delete(ctx, created.Name, metav1.DeleteOptions{GracePeriodSeconds: new(int64)}) // It also ends at its deadline.
	}, nil
}

// poll is the time between two looks at a Pod.
const poll = 200 * time.Millisecond

// follow looks at a Pod until until returns true, the Pod cannot run, or the time is over.
func (c *Checker) follow(ctx context.Context, name string, until func(*core.Pod) bool) (*core.Pod, error) {
	ctx, cancel := context.WithTimeout(ctx, podTimeout)
	defer cancel()
	tick := time.NewTicker(poll)
	defer tick.Stop()
	reason := "it was not seen"
	for {
		pod, err := c.pods.Get(ctx, name, metav1.GetOptions{})
		if err == nil {
			if until(pod) {
				return pod, nil
			}
			var final bool
			if reason, final = state(pod); final {
				return nil, errors.New(reason)
			}
		}
		select {
		case <-tick.C:
		case <-ctx.Done():
			return nil, fmt.Errorf("%s after %v", reason, podTimeout)
		}
	}
}

// state describes why a Pod does not run, and reports whether it never will.
func state(pod *core.Pod) (reason string, final bool) {
	for _, s := range pod.Status.ContainerStatuses {
		if w := s.State.Waiting; w != nil {
			switch w.Reason {
			case "ErrImagePull", "ImagePullBackOff", "InvalidImageName", "ErrImageNeverPull", "CreateContainerConfigError", "CreateContainerError":
				return fmt.Sprintf("%s: %s", w.Reason, w.Message), true
			}
			return "the container waits: " + w.Reason, false
		}
		if t := s.State.Terminated; t != nil && t.ExitCode != 0 {
			return fmt.Sprintf("the container ended with status %d (%s) %s", t.ExitCode, t.Reason, t.Message), true
		}
	}
	for _, condition := range pod.Status.Conditions {
		if condition.Type == core.PodScheduled && condition.Status == core.ConditionFalse {
			return "the Pod is not scheduled: " + condition.Message, false
		}
	}
	return "the Pod is " + strings.ToLower(string(pod.Status.Phase)), false
}

func succeeded(pod *core.Pod) bool { return pod.Status.Phase == core.PodSucceeded }

// checkImages runs the program of each image once.
func (c *Checker) checkImages(ctx context.Context) []Result {
	languages := slices.Sorted(maps.Keys(c.config.Images))
	results := make([]Result, len(languages))
	var group sync.WaitGroup
	for i, language := range languages {
		group.Go(func() {
			image := c.config.Images[language]
			r := Result{Name: "Image " + language, Status: OK}
			start := time.Now()
			if err := c.runOnce(ctx, c.pod(language, image, []string{"version"})); err != nil {
				r.Status, r.Detail = Failed, fmt.Sprintf("%s does not run: %v", image, err)
				r.Change = "push the image where the nodes of the cluster can pull it, set the pull secrets, or leave the language out"
			} else {
				r.Detail = fmt.Sprintf("%s runs: %v from creation to end", image, time.Since(start).Round(10*time.Millisecond))
			}
			results[i] = r
		})
	}
	group.Wait()
	return results
}

func (c *Checker) runOnce(ctx context.Context, pod *core.Pod) error {
	end, err := c.start(ctx, pod)
	if err != nil {
		return err
	}
	defer end()
	_, err = c.follow(ctx, pod.Name, succeeded)
	return err
}
