//go:build linux && kubernetes

package installation_test

import (
	"encoding/json"
	"net/http"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	function "github.com/scaleway/scaleway-sdk-go/api/function/v1beta1"
	"github.com/scaleway/scaleway-sdk-go/scw"

	"github.com/jeton-dev/jeton/test/await"
	"github.com/jeton-dev/jeton/test/clustertest"
	"github.com/jeton-dev/jeton/test/kubernetes/cluster"
	"github.com/jeton-dev/jeton/test/kubernetes/kubetest"
	"github.com/jeton-dev/jeton/test/postgres"
	"github.com/jeton-dev/jeton/test/s3server"
)

func TestMain(m *testing.M) { clustertest.Main(m) }

// helm runs the program that has Helm's library.
func helm(t *testing.T, namespace, command string, set ...string) string {
	t.Helper()
	program := os.Getenv("JETON_TEST_HELM")
	if program == "" {
		t.Fatal("JETON_TEST_HELM is not set: run make test-kubernetes")
	}
	args := []string{"-chart", "../../../deploy/helm/jeton", "-namespace", namespace, "-set", strings.Join(set, ","), command}
	output, err := exec.CommandContext(t.Context(), program, args...).CombinedOutput()
	if err != nil {
		t.Fatalf("helm %s: %v\n%s\n%s", command, err, output, kubectl(t, "", "get", "pods", "-n", namespace, "-o", "wide"))
	}
	return string(output)
}

// storage returns the URLs of a database and a bucket that Pods reach.
func storage(t *testing.T) (database, blobs string) {
	t.Helper()
	local, err := url.Parse(postgres.Database(t))
	if err != nil {
		t.Fatal(err)
	}
	socket := filepath.Join(local.Query().Get("host"), ".s.PGSQL.5432")
	s3 := s3server.Shared(t)
	endpoint, err := url.Parse(s3.Endpoint)
	if err != nil {
		t.Fatal(err)
	}
	return "postgres://jeton@" + kubetest.Relay(t, "unix", socket) + local.Path + "?sslmode=disable",
		"s3://" + s3.Bucket(t) + "/jeton?region=us-east-1&endpoint=" + url.QueryEscape("http://"+kubetest.Relay(t, "tcp", endpoint.Host))
}

// An installation is what clients use of an installed chart.
type installation struct {
	api     *function.API
	gateway string
}

// reach returns the clients of the Service of the chart, with an API key.
func reach(t *testing.T, namespace, key string) installation {
	t.Helper()
	ip := serviceIP(t, namespace, "jeton")
	var issued struct {
		Access  string `json:"access_key"`
		Secret  string `json:"secret_key"`
		Project string `json:"project_id"`
	}
	if err := json.Unmarshal([]byte(key), &issued); err != nil {
		t.Fatalf("%v: %s", err, key)
	}
	client, err := scw.NewClient(scw.WithAPIURL("http://"+ip+":8080"), scw.WithAuth(issued.Access, issued.Secret),
		scw.WithDefaultRegion(scw.RegionFrPar), scw.WithDefaultProjectID(issued.Project))
	if err != nil {
		t.Fatal(err)
	}
	return installation{function.NewAPI(client), "http://" + ip}
}

// TestHelm_InstallsUpgradesAndUninstalls runs the commands of docs/kubernetes.md with Helm's library. Two
// nodes use a database and a bucket outside of the cluster.
func TestHelm_InstallsUpgradesAndUninstalls(t *testing.T) {
	cluster.Inside(t)
	const ns = "jeton-helm"
	database, blobs := storage(t)
	kubectl(t, "", "create", "namespace", ns)
	t.Cleanup(func() { kubectl(t, "", "delete", "namespace", ns, "--wait=false", "--ignore-not-found") })
	kubectl(t, "", "label", "namespace", ns, "pod-security.kubernetes.io/enforce=restricted")
	kubectl(t, "", "-n", ns, "create", "secret", "generic", "storage", "--from-literal", "JETON_DATABASE="+database, "--from-literal", "JETON_BLOBS="+blobs,
		"--from-literal", "AWS_ACCESS_KEY_ID="+s3server.AccessKey, "--from-literal", "AWS_SECRET_ACCESS_KEY="+s3server.SecretKey)
	if output := helm(t, ns, "install", "storageSecret=storage", "replicas=2", "networkPolicy.egress.deny={10.0.0.0/8,"+cluster.NodeIP+"/32}"); !strings.Contains(output, "REVISION: 1") {
		t.Errorf("helm install prints:\n%s", output)
	}
	key := kubectl(t, "", "-n", ns, "exec", "deployment/jeton", "--", "jeton", "apikey", "create", "--permissions=FunctionsFullAccess", "-o", "json")
	i := reach(t, ns, key)
	functions := kubetest.CreateNamespace(t, i.api)
	f := kubetest.Deploy(t, i.api, kubetest.Node(functions, "f", function.FunctionPrivacyPrivate), "exports.handle = () => ({ body: 'called' });\n")
	token, err := i.api.CreateToken(&function.CreateTokenRequest{FunctionID: &f.ID})
	if err != nil {
		t.Fatal(err)
	}
	kubetest.Want(t, i.gateway, f, "/", token.Token, http.StatusOK, "called")
	wantNoneReached(t, ns, i, functions)
	nodes, sealingKey := nodesOf(t, ns), sealingKeyOf(t, ns)

	if output := helm(t, ns, "upgrade", "settings.max-scale=10"); !strings.Contains(output, "REVISION: 2") {
		t.Errorf("helm upgrade prints:\n%s", output)
	}
	for _, before := range strings.Fields(nodes) {
		await.True(t, "the node "+before+" has ended", func() bool { return !strings.Contains(nodesOf(t, ns), before) })
	}
	if sealingKeyOf(t, ns) != sealingKey {
		t.Error("the upgrade has replaced the sealing key")
	}
	i = reach(t, ns, key)
	kubetest.Want(t, i.gateway, f, "/", token.Token, http.StatusOK, "called")
	if _, err := i.api.DeleteToken(&function.DeleteTokenRequest{TokenID: token.ID}); err != nil {
		t.Fatal(err)
	}
	status, body, err := kubetest.Call(t.Context(), i.gateway, f, "/", token.Token)
	if err != nil || status != http.StatusForbidden {
		t.Errorf("a call with the revoked token: got %d %q, %v", status, body, err)
	}

	helm(t, ns, "uninstall")
	// The Pods of functions end with the nodes, which own them.
	await.True(t, "nothing is left after the uninstallation", func() bool {
		return kubectl(t, "", "-n", ns, "get", "all,networkpolicies,roles,rolebindings,poddisruptionbudgets", "-o", "name", "--ignore-not-found") == ""
	})
	if sealingKeyOf(t, ns) != sealingKey {
		t.Error("the uninstallation has removed the sealing key")
	}
}

// wantNoneReached connects to nodes and to the API server through Services, from a function and from a Pod that
// no policy selects.
func wantNoneReached(t *testing.T, namespace string, i installation, functions string) {
	t.Helper()
	nodes := serviceIP(t, namespace, "jeton")
	services := []string{nodes + ":80", nodes + ":8080", serviceIP(t, "default", "kubernetes") + ":443"}
	slices.Sort(services)
	f := kubetest.Deploy(t, i.api, kubetest.Node(functions, "reach", function.FunctionPrivacyPublic), kubetest.ReachCode)
	if reached := kubetest.ReachedBy(t, i.gateway, f, services...); len(reached) > 0 {
		t.Errorf("a function reaches %v", reached)
	}
	if reached := kubetest.ReachedByPod(t, namespace, services...); !slices.Equal(reached, services) {
		t.Errorf("a Pod that no policy selects reaches %v, want %v", reached, services)
	}
}

func serviceIP(t *testing.T, namespace, name string) string {
	t.Helper()
	return kubectl(t, "", "-n", namespace, "get", "service", name, "-o", "jsonpath={.spec.clusterIP}")
}

func nodesOf(t *testing.T, namespace string) string {
	t.Helper()
	return kubectl(t, "", "-n", namespace, "get", "pods", "-l", "app.kubernetes.io/component=node", "-o", "jsonpath={.items[*].metadata.name}")
}

func sealingKeyOf(t *testing.T, namespace string) string {
	t.Helper()
	return kubectl(t, "", "-n", namespace, "get", "secret", "jeton-sealing-key", "-o", "jsonpath={.data.sealing-key}")
}
