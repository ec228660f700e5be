package main

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"

	"k8s.io/client-go/rest"
	"k8s.io/client-go/tools/clientcmd"

	"github.com/jeton-dev/jeton/internal/engine/kubernetes/preflight"
	"github.com/jeton-dev/jeton/internal/runtime"
)

// kubernetesDoctorFlags select the cluster that the doctor examines. They have the names of the
// flags of the server, so that the environment of a node sets both.
type kubernetesDoctorFlags struct {
	Kubernetes               bool     `help:"Report on a Kubernetes cluster instead; creates and deletes Pods."`
	KubernetesNamespace      string   `help:"Namespace of the Pods of functions (default: that of this Pod or context)." placeholder:"NAME"`
	KubernetesImage          string   `help:"Image of a language; {language} stands for its name." placeholder:"IMAGE" default:"ghcr.io/jeton-dev/jeton-runtime-{language}:latest"`
	KubernetesInstallation   string   `help:"Value of the label jeton.dev/installation of Pods." placeholder:"NAME" default:"jeton"`
	KubernetesServiceAccount string   `help:"Service account of the Pods of functions." placeholder:"NAME"`
	KubernetesRuntimeClass   string   `help:"RuntimeClass of the Pods of functions." placeholder:"NAME"`
	KubernetesPullSecrets    []string `help:"Secrets with the credentials of the registry." placeholder:"NAME"`
	KubernetesCanary         string   `help:"Address of this Pod that NetworkPolicies forbid to functions." placeholder:"HOST:PORT"`
	KubernetesLanguages      []string `help:"Languages whose images are checked." default:"node,python,php,go,rust" placeholder:"NAME"`
}

// printKubernetes prints one line per check, and what to change. It returns an error if a check
// has failed.
func (f kubernetesDoctorFlags) printKubernetes(ctx context.Context, out io.Writer) error {
	api, namespace, err := connectKubernetes()
	if err != nil {
		return err
	}
	if f.KubernetesNamespace != "" {
		namespace = f.KubernetesNamespace
	}
	images := map[string]string{}
	for _, language := range f.KubernetesLanguages {
		images[language] = strings.ReplaceAll(f.KubernetesImage, "{language}", language)
	}
	checker, err := preflight.New(preflight.Config{
		API: api, Namespace: namespace, Images: images,
		Labels: map[string]string{
			"app.kubernetes.io/managed-by": "jeton", "app.kubernetes.io/component": "instance",
			"jeton.dev/installation": f.KubernetesInstallation, "jeton.dev/language": strings.ToLower(runtime.Node),
		},
		ServiceAccount: f.KubernetesServiceAccount, RuntimeClass: f.KubernetesRuntimeClass, PullSecrets: f.KubernetesPullSecrets,
		Canary: f.KubernetesCanary, NewID: randomSuffix,
	})
	if err != nil {
		return err
	}
	if _, err := fmt.Fprintf(out, "Kubernetes\n"); err != nil {
		return err
	}
	failed := 0
	for _, r := range checker.Run(ctx) {
		if r.Status == preflight.Failed {
			failed++
		}
		text := fmt.Sprintf("  %-12s %-8s %s\n", r.Name, r.Status, r.Detail)
		if r.Change != "" {
			text += fmt.Sprintf("  %-12s %-8s %s\n", "", "", r.Change)
		}
		if _, err := io.WriteString(out, text); err != nil {
			return err
		}
	}
	if failed > 0 {
		return fmt.Errorf("the cluster is not ready: %d checks failed: change what they name", failed)
	}
	return nil
}

// connectKubernetes returns how to reach the API server, and the namespace: in a Pod with its
// service account, and elsewhere with the configuration that kubectl uses.
func connectKubernetes() (*rest.Config, string, error) {
	api, err := rest.InClusterConfig()
	if err == nil {
		const file = "/var/run/secrets/kubernetes.io/serviceaccount/namespace"
		namespace, err := os.ReadFile(file)
		return api, strings.TrimSpace(string(namespace)), err
	}
	if !errors.Is(err, rest.ErrNotInCluster) {
		return nil, "", fmt.Errorf("read service account: %w", err)
	}
	client := clientcmd.NewNonInteractiveDeferredLoadingClientConfig(clientcmd.NewDefaultClientConfigLoadingRules(), nil)
	if api, err = client.ClientConfig(); err != nil {
		return nil, "", fmt.Errorf("read configuration of kubectl: %w: set KUBECONFIG", err)
	}
	namespace, _, err := client.Namespace()
	return api, namespace, err
}

// randomSuffix returns a suffix for the names of Pods.
func randomSuffix() string {
	var b [4]byte
	_, _ = rand.Read(b[:]) // It never fails: see its documentation.
	return hex.EncodeToString(b[:])
}
