//go:build linux && kubernetes

package installation_test

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/jeton-dev/jeton/test/kubernetes/cluster"
)

// kubectl runs kubectl with an input and returns its output with its warnings.
func kubectl(t *testing.T, input string, args ...string) string {
	t.Helper()
	command := exec.Command("kubectl", args...)
	command.Stdin = strings.NewReader(input)
	output, err := command.CombinedOutput()
	if err != nil {
		t.Fatalf("kubectl %s: %v\n%s", strings.Join(args, " "), err, output)
	}
	return string(output)
}

// namespace creates a namespace in which the Pod Security Standard restricted is enforced, and
// deletes it after the test.
func namespace(t *testing.T, name string) {
	t.Helper()
	kubectl(t, `apiVersion: v1
kind: Namespace
metadata:
  name: `+name+`
  labels: {pod-security.kubernetes.io/enforce: restricted, pod-security.kubernetes.io/warn: restricted}
`, "apply", "-f", "-")
	t.Cleanup(func() { kubectl(t, "", "delete", "namespace", name, "--wait=false") })
}

// rendered returns the manifests of the chart that the caller of the tests has rendered.
func rendered(t *testing.T) map[string]string {
	t.Helper()
	files, err := filepath.Glob(filepath.Join(os.Getenv("JETON_TEST_CHARTS"), "*.yaml"))
	if err != nil || len(files) < 2 {
		t.Fatalf("got the rendered charts %v, error %v: run make test-kubernetes", files, err)
	}
	charts := map[string]string{}
	for _, file := range files {
		content, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		charts[strings.TrimSuffix(filepath.Base(file), ".yaml")] = string(content)
	}
	return charts
}

func TestChart_IsAcceptedUnderRestrictedPodSecurity(t *testing.T) {
	cluster.Inside(t)
	namespace(t, "jeton-chart")
	for name, manifest := range rendered(t) {
		output := kubectl(t, manifest, "apply", "-n", "jeton-chart", "--dry-run=server", "-f", "-")
		if strings.Contains(output, "Warning") {
			t.Errorf("%s: the API server warns:\n%s", name, output)
		}
		if !strings.Contains(output, "deployment.apps/jeton created") {
			t.Errorf("%s: the API server has not checked the Deployment:\n%s", name, output)
		}
	}
}

// TestChart_ViolationIsReported shows that the API server of the test would warn.
func TestChart_ViolationIsReported(t *testing.T) {
	cluster.Inside(t)
	namespace(t, "jeton-violation")
	for name, manifest := range rendered(t) {
		manifest = strings.ReplaceAll(manifest, "allowPrivilegeEscalation: false", "allowPrivilegeEscalation: true")
		if output := kubectl(t, manifest, "apply", "-n", "jeton-violation", "--dry-run=server", "-f", "-"); !strings.Contains(output, "allowPrivilegeEscalation") {
			t.Errorf("%s: the API server does not warn:\n%s", name, output)
		}
	}
}
