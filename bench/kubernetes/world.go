package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"time"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/tools/clientcmd"

	"github.com/jeton-dev/jeton/bench/cold"
	"github.com/jeton-dev/jeton/bench/harness"
)

// spare is the number of warm Pods of a measured function: one for the call, and one so that
// the pool is refilled as in use.
const spare = 2

// image is the name of the images that run.sh imports.
const image = "ghcr.io/jeton-dev/jeton-runtime-{language}:dev"

// A world is a namespace of the test cluster.
type world struct {
	client *kubernetes.Clientset
	name   string
	// dir is an empty folder.
	dir string
}

// inNamespace passes a namespace to a measurement, and deletes it afterwards.
func inNamespace(measure func(context.Context, *world) ([]harness.Result, error)) func(context.Context, string) ([]harness.Result, error) {
	return func(ctx context.Context, dir string) (results []harness.Result, err error) {
		kubeconfig := os.Getenv(clientcmd.RecommendedConfigPathEnvVar)
		if os.Getenv("JETON_TEST_CLUSTER") == "" || kubeconfig == "" {
			return nil, errors.New("this program runs in the test cluster only: run make bench-kubernetes")
		}
		config, err := clientcmd.BuildConfigFromFlags("", kubeconfig)
		if err != nil {
			return nil, err
		}
		client, err := kubernetes.NewForConfig(config)
		if err != nil {
			return nil, err
		}
		w := &world{client: client, name: filepath.Base(dir), dir: dir}
		namespace := &corev1.Namespace{ObjectMeta: metav1.ObjectMeta{Name: w.name}}
		if _, err := client.CoreV1().Namespaces().Create(ctx, namespace, metav1.CreateOptions{}); err != nil {
			return nil, err
		}
		defer func() {
			err = errors.Join(err, client.CoreV1().Namespaces().Delete(context.WithoutCancel(ctx), w.name, metav1.DeleteOptions{}))
		}()
		return measure(ctx, w)
	}
}

// flags are the flags of a server whose functions are Pods of the namespace.
func (w *world) flags(more ...string) []string {
	return append([]string{
		"--engine=kubernetes", "--kubernetes-kubeconfig=" + os.Getenv(clientcmd.RecommendedConfigPathEnvVar),
		"--kubernetes-namespace=" + w.name, "--kubernetes-image=" + image, "--spare-memory=17179869184",
	}, more...)
}

// warmFlags are flags with a number of warm Pods.
func (w *world) warmFlags(warm int) []string {
	return w.flags(fmt.Sprintf("--spare=%d", warm), fmt.Sprintf("--spare-most=%d", warm), "--max-functions=2000")
}

// data is the data folder of the server of startPods.
func (w *world) data() string { return filepath.Join(w.dir, "pods") }

// startPods starts a server whose functions are Pods, with a number of warm ones.
func (w *world) startPods(ctx context.Context, warm int) (*cold.Server, error) {
	s, err := cold.Start(ctx, w.data(), w.warmFlags(warm)...)
	if err != nil {
		return nil, err
	}
	s.Spare = warm
	return s, nil
}

// startProcesses starts a server whose functions are processes of this machine.
func (w *world) startProcesses(ctx context.Context) (*cold.Server, error) {
	return cold.Start(ctx, filepath.Join(w.dir, "processes"), "--cache-dir=.cache")
}

var errPods = errors.New("the number of Pods still differs after three minutes: is the machine busy?")

// settle waits until the namespace has a number of Pods, also counting those that end. Pods that
// start or end take CPU time that is not that of a measured call.
func (w *world) settle(ctx context.Context, pods int) error {
	ctx, cancel := context.WithTimeoutCause(ctx, 3*time.Minute, errPods)
	defer cancel()
	tick := time.NewTicker(100 * time.Millisecond)
	defer tick.Stop()
	for steady := 0; steady < 5; {
		list, err := w.client.CoreV1().Pods(w.name).List(ctx, metav1.ListOptions{})
		if err != nil {
			return errors.Join(context.Cause(ctx), err)
		}
		if steady++; len(list.Items) != pods {
			steady = 0
		}
		select {
		case <-tick.C:
		case <-ctx.Done():
			return context.Cause(ctx)
		}
	}
	return nil
}

// deletePod deletes a Pod at once.
func (w *world) deletePod(ctx context.Context, name string) error {
	err := w.client.CoreV1().Pods(w.name).Delete(context.WithoutCancel(ctx), name, metav1.DeleteOptions{GracePeriodSeconds: new(int64(0))})
	if apierrors.IsNotFound(err) {
		return nil
	}
	return err
}
