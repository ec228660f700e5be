//go:build linux && kubernetes

package enginetest_test

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"os"
	"path/filepath"
	"sync/atomic"
	"testing"
	"time"

	"github.com/go-jose/go-jose/v4"
	core "k8s.io/api/core/v1"
	meta "k8s.io/apimachinery/pkg/apis/meta/v1"
	corev1 "k8s.io/client-go/kubernetes/typed/core/v1"
	"k8s.io/client-go/tools/clientcmd"

	"github.com/jeton-dev/jeton/internal/engine"
	"github.com/jeton-dev/jeton/internal/engine/enginetest"
	"github.com/jeton-dev/jeton/internal/engine/kubernetes"
	"github.com/jeton-dev/jeton/internal/runtime"
	"github.com/jeton-dev/jeton/test/await"
	"github.com/jeton-dev/jeton/test/kubernetes/cluster"
)

const namespace = "enginetest"

// TestSuite runs the suite with new and with warm Pods.
func TestSuite(t *testing.T) {
	client := connect(t)
	code := artifacts(t)
	for name, warm := range map[string]kubernetes.WarmPool{"new Pods": {}, "warm Pods": {Min: 1, Max: 2, Memory: 4 << 30}} {
		t.Run(name, func(t *testing.T) {
			opened := func(t *testing.T, ready time.Duration) launching {
				t.Helper()
				return open(t, client, kubernetes.Config{Artifacts: code, ReadyTimeout: ready, WarmPool: warm})
			}
			enginetest.Run(t, func(t *testing.T, ready time.Duration) engine.Engine { return opened(t, ready) })
			t.Run("reports memory", func(t *testing.T) { enginetest.RunMemory(t, opened(t, await.Patience)) })
		})
	}
}

// connect creates the namespace of the test, and returns a client.
func connect(t *testing.T) *corev1.CoreV1Client {
	t.Helper()
	config, err := clientcmd.BuildConfigFromFlags("", cluster.Inside(t).Kubeconfig())
	if err != nil {
		t.Fatal(err)
	}
	config.QPS, config.Burst = 100, 200
	client, err := corev1.NewForConfig(config)
	if err != nil {
		t.Fatal(err)
	}
	object := &core.Namespace{ObjectMeta: meta.ObjectMeta{
		Name: namespace, Labels: map[string]string{"pod-security.kubernetes.io/enforce": "restricted"},
	}}
	if _, err := client.Namespaces().Create(t.Context(), object, meta.CreateOptions{}); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := client.Namespaces().Delete(context.WithoutCancel(t.Context()), namespace, meta.DeleteOptions{}); err != nil {
			t.Error(err)
		}
	})
	return client
}

// folder is the artifact of all revisions.
type folder string

// Local implements kubernetes.Artifacts.
func (f folder) Local(context.Context, string, string) (string, func(), error) {
	return string(f), func() {}, nil
}

// artifacts returns an artifact with the program of the command instance, which the caller of the
// tests has built.
func artifacts(t *testing.T) folder {
	t.Helper()
	program, err := os.Open(os.Getenv("JETON_TEST_INSTANCE"))
	if err != nil {
		t.Fatalf("open the program of instances: %v: run make test-kubernetes-e2e", err)
	}
	defer program.Close()
	dir := t.TempDir()
	file, err := os.OpenFile(filepath.Join(dir, "program"), os.O_WRONLY|os.O_CREATE, 0o755)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := io.Copy(file, program); err != nil {
		t.Fatal(err)
	}
	if err := file.Close(); err != nil {
		t.Fatal(err)
	}
	return folder(dir)
}

// A launching engine sets how to start the program of an artifact, as builds do.
type launching struct{ *kubernetes.Engine }

// Apply implements engine.Engine.
func (l launching) Apply(ctx context.Context, r engine.Revision) error {
	if r.ID != "" {
		launch, err := json.Marshal(runtime.Launch{Command: []string{runtime.DirPlaceholder + "/program"}})
		if err != nil {
			return err
		}
		r.Launch = launch
	}
	return l.Engine.Apply(ctx, r)
}

// engines counts the engines, each of which is an installation of its own.
var engines atomic.Int64

// open returns an engine in the namespace, and closes it at the end of the test. No Pod is left then.
func open(t *testing.T, client *corev1.CoreV1Client, config kubernetes.Config) launching {
	t.Helper()
	config.Pods, config.Namespace = client.Pods(namespace), namespace
	config.Installation, config.Node = fmt.Sprintf("suite-%d", engines.Add(1)), "n1"
	config.Image = func(string) string { return "ghcr.io/jeton-dev/jeton-runtime-go:dev" }
	config.Language = func(string) (string, bool) { return runtime.Go, true }
	config.Log, config.Grace = slog.New(slog.NewTextHandler(os.Stderr, &slog.HandlerOptions{Level: slog.LevelWarn})), 300*time.Millisecond
	config.Keys = func(ctx context.Context) (*jose.JSONWebKeySet, error) {
		text, err := client.RESTClient().Get().AbsPath("/openid/v1/jwks").DoRaw(ctx)
		if err != nil {
			return nil, err
		}
		keys := new(jose.JSONWebKeySet)
		return keys, json.Unmarshal(text, keys)
	}
	e, err := kubernetes.New(t.Context(), config)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := e.Close(); err != nil {
			t.Errorf("Close() = %v", err)
		}
		ctx := context.WithoutCancel(t.Context())
		await.True(t, "no Pod is left", func() bool {
			pods, err := client.Pods(namespace).List(ctx, meta.ListOptions{LabelSelector: kubernetes.LabelInstallation + "=" + config.Installation})
			return err == nil && len(pods.Items) == 0
		})
	})
	return launching{e}
}
