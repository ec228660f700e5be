//go:build linux && kubernetes

package cluster_test

import (
	"os"
	"os/exec"
	"strings"
	"syscall"
	"testing"

	"github.com/jeton-dev/jeton/test/await"
	"github.com/jeton-dev/jeton/test/kubernetes/cluster"
)

// kubectl runs kubectl and returns its output.
func kubectl(t *testing.T, args ...string) string {
	t.Helper()
	output, err := exec.Command("kubectl", args...).CombinedOutput()
	if err != nil {
		t.Fatalf("kubectl %s: %v\n%s", strings.Join(args, " "), err, output)
	}
	return string(output)
}

const pod = `apiVersion: v1
kind: Pod
metadata: {name: $NAME}
spec:
  restartPolicy: Never
  automountServiceAccountToken: false
  securityContext: {runAsNonRoot: true, seccompProfile: {type: RuntimeDefault}}
  containers:
  - name: jeton
    image: $IMAGE
    imagePullPolicy: Never
    args: [$ARGS]
    securityContext: {allowPrivilegeEscalation: false, readOnlyRootFilesystem: true, capabilities: {drop: [ALL]}}
`

// run runs a program to its end in a Pod of its own and returns the output.
func run(t *testing.T, name, image string, args ...string) string {
	t.Helper()
	manifest := strings.NewReplacer("$NAME", name, "$IMAGE", image, "$ARGS", strings.Join(args, ", ")).Replace(pod)
	apply := exec.Command("kubectl", "apply", "-f", "-")
	apply.Stdin = strings.NewReader(manifest)
	if output, err := apply.CombinedOutput(); err != nil {
		t.Fatalf("kubectl apply: %v\n%s", err, output)
	}
	t.Cleanup(func() { kubectl(t, "delete", "pod", name, "--now") })
	kubectl(t, "wait", "pod/"+name, "--for=jsonpath={.status.phase}=Succeeded", "--timeout=120s")
	return kubectl(t, "logs", name)
}

func TestCluster_RunsPod(t *testing.T) {
	cluster.Inside(t)
	if output := run(t, "version", "ghcr.io/jeton-dev/jeton:dev", "version"); !strings.Contains(output, "dev") {
		t.Errorf("got %q, want the version of the image's program", output)
	}
}

// TestImage_HasToolchainOfItsLanguage runs jeton doctor as an unprivileged user with a
// read-only root folder, as functions run.
func TestImage_HasToolchainOfItsLanguage(t *testing.T) {
	cluster.Inside(t)
	for _, language := range []string{"Node", "Python", "PHP", "Go", "Rust"} {
		t.Run(language, func(t *testing.T) {
			t.Parallel()
			name := strings.ToLower(language)
			output := run(t, "doctor-"+name, "ghcr.io/jeton-dev/jeton-runtime-"+name+":dev", "doctor")
			found := false
			for line := range strings.Lines(output) {
				fields := strings.Fields(line)
				if len(fields) > 2 && fields[0] == language {
					found = true
					if fields[1] == "missing" {
						t.Error(line)
					} else {
						t.Log(strings.Join(fields, " "))
					}
				}
			}
			if !found {
				t.Errorf("jeton doctor does not list %s:\n%s", language, output)
			}
		})
	}
}

func TestCluster_RestartsPart(t *testing.T) {
	c := cluster.Inside(t)
	ready := func() bool {
		output, err := exec.Command("kubectl", "get", "--raw", "/readyz").Output()
		return err == nil && string(output) == "ok"
	}
	await.True(t, "the API server is ready", ready)
	c.Hold(t, "kube-apiserver")
	if ready() {
		t.Error("the API server answers while it is held")
	}
	c.Release(t, "kube-apiserver")
	await.True(t, "the API server is ready", ready)
	if err := c.Signal("etcd", syscall.SIGKILL); err != nil {
		t.Fatal(err)
	}
	await.True(t, "the API server is ready after a restart of etcd", ready)
}

func TestCluster_IsIsolated(t *testing.T) {
	cluster.Inside(t)
	// Process 1 is the cluster's own, and the addresses of the machine do not exist.
	if line, err := os.ReadFile("/proc/1/cmdline"); err != nil || !strings.Contains(string(line), "cluster-init") {
		t.Errorf("process 1 is %q, error %v", line, err)
	}
	output, err := exec.Command("ip", "-brief", "-4", "address").Output()
	if err != nil {
		t.Fatal(err)
	}
	for line := range strings.Lines(string(output)) {
		fields := strings.Fields(line)
		if fields[0] != "lo" && fields[0] != "node0" && !strings.HasPrefix(fields[0], "veth") {
			t.Errorf("the cluster has the interface %s", line)
		}
	}
}
