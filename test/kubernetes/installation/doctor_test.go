//go:build linux && kubernetes

package installation_test

import (
	"encoding/json"
	"strconv"
	"strings"
	"testing"

	"github.com/jeton-dev/jeton/test/await"
	"github.com/jeton-dev/jeton/test/kubernetes/cluster"
)

// objects returns the manifests of some kinds among the documents of a chart.
func objects(t *testing.T, chart string, kinds ...string) string {
	t.Helper()
	var chosen []string
	for document := range strings.SplitSeq(rendered(t)[chart], "\n---\n") {
		for _, kind := range kinds {
			if strings.Contains(document, "\nkind: "+kind+"\n") {
				chosen = append(chosen, document)
			}
		}
	}
	if len(chosen) == 0 {
		t.Fatalf("the chart has no %v", kinds)
	}
	return strings.Join(chosen, "\n---\n") + "\n"
}

// doctor runs the doctor in a Pod like a node's, and returns its output and whether it found no
// failure.
func doctor(t *testing.T, namespace string) (output string, healthy bool) {
	t.Helper()
	kubectl(t, `apiVersion: v1
kind: Pod
metadata:
  name: doctor
  labels: {app.kubernetes.io/name: jeton, app.kubernetes.io/instance: jeton, app.kubernetes.io/component: node}
spec:
  restartPolicy: Never
  serviceAccountName: jeton
  automountServiceAccountToken: true
  securityContext: {runAsNonRoot: true, runAsUser: 65532, seccompProfile: {type: RuntimeDefault}}
  containers:
  - name: jeton
    image: ghcr.io/jeton-dev/jeton:dev
    args: [doctor, --kubernetes]
    env:
    - {name: POD_IP, valueFrom: {fieldRef: {fieldPath: status.podIP}}}
    - {name: JETON_KUBERNETES_CANARY, value: "$(POD_IP):8084"}
    - {name: JETON_KUBERNETES_IMAGE, value: "ghcr.io/jeton-dev/jeton-runtime-{language}:dev"}
    - {name: JETON_KUBERNETES_SERVICE_ACCOUNT, value: jeton-function}
    securityContext: {allowPrivilegeEscalation: false, readOnlyRootFilesystem: true, capabilities: {drop: [ALL]}}
`, "apply", "-n", namespace, "-f", "-")
	phase := func() string {
		return kubectl(t, "", "get", "pod", "doctor", "-n", namespace, "-o", "jsonpath={.status.phase}")
	}
	await.True(t, "the doctor has ended", func() bool { p := phase(); return p == "Succeeded" || p == "Failed" })
	output = kubectl(t, "", "logs", "doctor", "-n", namespace)
	healthy = phase() == "Succeeded"
	if pods := kubectl(t, "", "get", "pods", "-n", namespace, "-l", "app.kubernetes.io/name=jeton-doctor", "-o", "name", "--ignore-not-found"); healthy {
		await.True(t, "the doctor's Pods are gone: "+pods, func() bool {
			return kubectl(t, "", "get", "pods", "-n", namespace, "-l", "app.kubernetes.io/name=jeton-doctor", "-o", "name") == ""
		})
	}
	return output, healthy
}

// reportsLate reports whether the kubelet of the cluster reports new Pods late, as before Kubernetes 1.36.
func reportsLate(t *testing.T) bool {
	t.Helper()
	var version struct{ Minor string }
	if err := json.Unmarshal([]byte(kubectl(t, "", "get", "--raw", "/version")), &version); err != nil {
		t.Fatal(err)
	}
	minor, err := strconv.Atoi(version.Minor)
	if err != nil {
		t.Fatal(err)
	}
	return minor < 36
}

func TestDoctor_AcceptsInstallation(t *testing.T) {
	cluster.Inside(t)
	namespace(t, "jeton-healthy")
	kubectl(t, strings.ReplaceAll(objects(t, "storage", "ServiceAccount", "Role", "RoleBinding", "NetworkPolicy"), "namespace: jeton\n", "namespace: jeton-healthy\n"),
		"apply", "-n", "jeton-healthy", "-f", "-")
	output, healthy := doctor(t, "jeton-healthy")
	t.Log(output)
	api, warnings := "API          ok", 0
	if reportsLate(t) {
		api, warnings = "API          warning", 1
	}
	if !healthy || strings.Count(output, "warning") != warnings {
		t.Errorf("the doctor finds faults:\n%s", output)
	}
	for _, want := range []string{
		api, " at https://10.96.0.1:443 ", "Clock        ok", "Permissions  ok", "Excess       ok", "Pod Security ok",
		"Image node   ok", "Image python ok", "Image php    ok", "Image go     ok", "Image rust   ok",
		"Egress       ok       functions do not reach this Pod: unreachable", "Ingress      ok",
	} {
		if !strings.Contains(output, want) {
			t.Errorf("the doctor does not report %q", want)
		}
	}
}

func TestDoctor_ReportsMissingPolicies(t *testing.T) {
	cluster.Inside(t)
	namespace(t, "jeton-open")
	kubectl(t, strings.ReplaceAll(objects(t, "storage", "ServiceAccount", "Role", "RoleBinding"), "namespace: jeton\n", "namespace: jeton-open\n"),
		"apply", "-n", "jeton-open", "-f", "-")
	output, healthy := doctor(t, "jeton-open")
	if healthy || !strings.Contains(output, "Egress       FAILED   a Pod with the labels of functions reaches this Pod: no network policy is in force") {
		t.Errorf("got:\n%s", output)
	}
}

func TestDoctor_ReportsMissingPermissions(t *testing.T) {
	cluster.Inside(t)
	namespace(t, "jeton-denied")
	kubectl(t, objects(t, "storage", "ServiceAccount"), "apply", "-n", "jeton-denied", "-f", "-")
	output, healthy := doctor(t, "jeton-denied")
	if healthy || !strings.Contains(output, "Permissions  FAILED   not allowed for Pods of namespace jeton-denied: create, get, list, watch, patch, delete") {
		t.Errorf("got:\n%s", output)
	}
}
