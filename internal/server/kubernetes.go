package server

import (
	"cmp"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"net"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/go-jose/go-jose/v4"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/util/validation"
	corev1 "k8s.io/client-go/kubernetes/typed/core/v1"
	"k8s.io/client-go/rest"
	"k8s.io/client-go/tools/clientcmd"
	"k8s.io/klog/v2"

	"github.com/jeton-dev/jeton/internal/engine/kubernetes"
	"github.com/jeton-dev/jeton/internal/engine/printed"
	"github.com/jeton-dev/jeton/internal/runtime"
)

// The engines of a server, as values of Config.Engine.
const (
	ProcessEngine    = "process"
	KubernetesEngine = "kubernetes"
)

// The placeholders in Kubernetes.Image.
const (
	languagePlaceholder = "{language}"
	versionPlaceholder  = "{version}"
)

// Kubernetes configures the engine that runs instances and builds as Pods.
type Kubernetes struct {
	// Kubeconfig is a file with the API server and the credentials; empty for those of the Pod in which
	// this process runs. Namespace is the namespace of all Pods; empty for that of this Pod.
	Kubeconfig, Namespace string
	// Installation is a label of all Pods. Two installations in one namespace have different ones.
	Installation string
	// Pod is the name of the Pod of this process, which owns the others; empty for none.
	Pod string
	// Image is the image of instances and builds: "{language}" stands for the language in lower case,
	// "{version}" for the version of this program.
	Image string
	// ServiceAccount is the service account of instances and builds, RuntimeClass their RuntimeClass, and
	// PullSecrets the Secrets with the credentials of the registry.
	ServiceAccount, RuntimeClass string
	PullSecrets                  []string
	// Canary is an address at which this process listens, and which instances must not reach.
	Canary string
	// Termination is the grace period of Pods: how long calls may take to end when Kubernetes ends the
	// Pod of an instance.
	Termination time.Duration
	// BuildMemory is the memory limit of builds in bytes.
	BuildMemory int64
}

// DefaultKubernetes returns the default configuration.
func DefaultKubernetes() Kubernetes {
	return Kubernetes{
		Installation: "jeton", Image: "ghcr.io/jeton-dev/jeton-runtime-{language}:{version}", BuildMemory: kubernetes.DefaultBuildMemory << 20,
		Termination: kubernetes.DefaultTermination,
	}
}

// validateEngine returns an error for settings that the engine cannot use.
func (c *Config) validateEngine() error {
	if c.Engine != ProcessEngine && c.Engine != KubernetesEngine {
		return fmt.Errorf("engine is %q: use %s or %s", c.Engine, ProcessEngine, KubernetesEngine)
	}
	if c.Engine == ProcessEngine {
		return nil
	}
	k := c.Kubernetes
	if errs := validation.IsValidLabelValue(k.Installation); k.Installation == "" || len(errs) > 0 {
		return fmt.Errorf("kubernetes-installation %q is no value of a label: use letters, digits and hyphens", k.Installation)
	}
	if !strings.Contains(k.Image, languagePlaceholder) {
		return fmt.Errorf("kubernetes-image %q has no %s: each language has an image", k.Image, languagePlaceholder)
	}
	if _, _, err := net.SplitHostPort(k.Canary); k.Canary != "" && err != nil {
		return fmt.Errorf("kubernetes-canary %q is not an address: use host:port", k.Canary)
	}
	if k.Termination < time.Second {
		return fmt.Errorf("kubernetes-termination is %v: it must be at least 1s", k.Termination)
	}
	if k.BuildMemory < 128<<20 {
		return fmt.Errorf("kubernetes-build-memory is %d: it must be at least 128 MiB", k.BuildMemory)
	}
	switch {
	case !c.Egress, len(c.EgressDeny) > 0, len(c.EgressRelays) > 0, c.EgressResolver != "":
		return errors.New("egress, egress-deny, egress-allow and egress-resolver have no effect with --engine=kubernetes: " +
			"restrict the network with NetworkPolicies, and remove these settings")
	case c.Isolation != AutoIsolation:
		return errors.New("isolation has no effect with --engine=kubernetes: Kubernetes isolates Pods; use --kubernetes-runtime-class " +
			"for a stronger sandbox, and remove the setting")
	case c.DiskReserve != 0:
		return errors.New("disk-reserve has no effect with --engine=kubernetes: the kubelets of the nodes keep space free; remove the setting")
	case filepath.IsAbs(c.Crates):
		return errors.New("crates is a directory, which builds in Pods do not have: use the URL of a registry, such as " +
			"sparse+https://crates.example.com/")
	case c.ShareRustBuilds, slices.ContainsFunc(slices.Collect(maps.Values(c.Toolchains)), func(path string) bool { return path != "" }):
		return errors.New("share-rust-builds, go, node, python, php and rust have no effect with --engine=kubernetes: " +
			"builds use what is in the image of their language; put another toolchain there with --kubernetes-image, and " +
			"remove these settings")
	}
	return nil
}

// openKubernetes connects to the API server and returns the engine.
func openKubernetes(ctx context.Context, b *base, opened *closers) (*kubernetes.Engine, error) {
	c := b.config.Kubernetes
	klog.SetSlogLogger(b.log)
	client, namespace, err := kubernetesClient(c)
	if err != nil {
		return nil, fmt.Errorf("kubernetes: %w", err)
	}
	if c.Canary != "" {
		if err := listenCanary(ctx, c.Canary, opened); err != nil {
			return nil, fmt.Errorf("kubernetes-canary: %w", err)
		}
	}
	config := kubernetes.Config{
		Pods: client.Pods(namespace), Namespace: namespace, Keys: keysOf(client.RESTClient()),
		Installation: c.Installation, Node: labelOf(b.config.Node), Image: imageOf(c, b.config.Version), Language: languageOf,
		ServiceAccount: c.ServiceAccount, RuntimeClass: c.RuntimeClass, PullSecrets: c.PullSecrets, Canary: c.Canary,
		Disk: b.config.InstanceDisk, BuildDisk: buildDisk(b.config), BuildMemory: int(c.BuildMemory >> 20),
		Artifacts: localArtifacts{b.artifacts}, ReadyTimeout: b.config.StartTimeout,
		Termination: c.Termination,
		Cause:       func(language string) printed.Cause { return runtime.NewCause(language) },
		Log:         b.log,
		WarmPool: kubernetes.WarmPool{
			Min: b.config.WarmPool.Min, Max: b.config.WarmPool.Max, Memory: b.config.WarmPool.Memory,
		},
	}
	if b.peers != nil {
		config.Members = func() []string {
			members, _ := b.node.Members()
			names := []string{labelOf(b.config.Node)}
			for _, m := range members {
				names = append(names, labelOf(m.Node))
			}
			return names
		}
		config.Sweeps = func() bool { return b.node.Owns("cluster") }
	}
	if config.Owner, err = ownerOf(ctx, client.Pods(namespace), c.Pod); err != nil {
		return nil, fmt.Errorf("kubernetes: %w", err)
	}
	engine, err := kubernetes.New(ctx, config)
	if err != nil {
		return nil, err
	}
	b.log.InfoContext(ctx, "instances are Pods", "namespace", namespace, "installation", c.Installation, "image", config.Image(languagePlaceholder))
	return engine, nil
}

// kubernetesClient returns a client of the API server, and the namespace of Pods.
func kubernetesClient(c Kubernetes) (*corev1.CoreV1Client, string, error) {
	var config *rest.Config
	var err error
	namespace := c.Namespace
	if c.Kubeconfig != "" {
		config, err = clientcmd.BuildConfigFromFlags("", c.Kubeconfig)
		namespace = cmp.Or(namespace, "default")
	} else if config, err = rest.InClusterConfig(); errors.Is(err, rest.ErrNotInCluster) {
		err = errors.New("this process does not run in a Pod: name the API server with --kubernetes-kubeconfig=FILE")
	}
	if err != nil {
		return nil, "", err
	}
	if namespace == "" {
		text, err := os.ReadFile("/var/run/secrets/kubernetes.io/serviceaccount/namespace")
		if err != nil {
			return nil, "", fmt.Errorf("find the namespace: %w: set --kubernetes-namespace", err)
		}
		namespace = strings.TrimSpace(string(text))
	}
	// The engine sends one request for each Pod that it creates, labels or deletes.
	config.QPS, config.Burst = 100, 200
	client, err := corev1.NewForConfig(config)
	return client, namespace, err
}

// keysOf returns a function that fetches the keys of the API server.
func keysOf(client rest.Interface) func(context.Context) (*jose.JSONWebKeySet, error) {
	return func(ctx context.Context) (*jose.JSONWebKeySet, error) {
		text, err := client.Get().AbsPath("/openid/v1/jwks").DoRaw(ctx)
		if err != nil {
			return nil, err
		}
		keys := new(jose.JSONWebKeySet)
		return keys, json.Unmarshal(text, keys)
	}
}

// ownerOf returns the reference to the Pod of this process; nil for an empty name.
func ownerOf(ctx context.Context, pods corev1.PodInterface, name string) (*metav1.OwnerReference, error) {
	if name == "" {
		return nil, nil
	}
	pod, err := pods.Get(ctx, name, metav1.GetOptions{})
	if err != nil {
		return nil, fmt.Errorf("find the Pod of this process: %w", err)
	}
	return &metav1.OwnerReference{APIVersion: "v1", Kind: "Pod", Name: pod.Name, UID: pod.UID}, nil
}

// imageOf returns the function from a language to its image.
func imageOf(c Kubernetes, version string) func(language string) string {
	return func(language string) string {
		return strings.NewReplacer(languagePlaceholder, strings.ToLower(language), versionPlaceholder, version).Replace(c.Image)
	}
}

func languageOf(name string) (string, bool) {
	r, ok := runtime.Lookup(name)
	return r.Language, ok
}

// labelOf returns a name as the value of a label.
func labelOf(name string) string {
	if len(validation.IsValidLabelValue(name)) == 0 {
		return name
	}
	sum := sha256.Sum256([]byte(name))
	return hex.EncodeToString(sum[:16])
}

// buildDisk returns the size of the folder of a build, which also has the cache of the project; 0 for no
// limit.
func buildDisk(c Config) int64 {
	if c.BuildDisk == 0 {
		return 0
	}
	return c.BuildDisk + c.ProjectCacheSize
}

// listenCanary accepts connections at an address and closes them.
func listenCanary(ctx context.Context, address string, opened *closers) error {
	listener, err := new(net.ListenConfig).Listen(ctx, "tcp", address)
	if err != nil {
		return err
	}
	opened.add(listener)
	go func() {
		for {
			conn, err := listener.Accept()
			if errors.Is(err, net.ErrClosed) {
				return
			}
			if err == nil {
				_ = conn.Close()
			}
		}
	}()
	return nil
}
