//go:build linux

package kubetest

import (
	"encoding/json"
	"fmt"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"testing"

	function "github.com/scaleway/scaleway-sdk-go/api/function/v1beta1"
)

// nodeImage is the image with Node.js.
var nodeImage = strings.ReplaceAll(Image, "{language}", "node")

// reach is a function of JavaScript that returns those addresses to which it can connect.
const reach = `const net = require('net');
const connect = (address) => new Promise((done) => {
  const [host, port] = address.split(':');
  const socket = net.connect({ host, port: Number(port), timeout: 2000 });
  const end = (reached) => { socket.destroy(); done(reached); };
  socket.on('connect', () => end(true)).on('error', () => end(false)).on('timeout', () => end(false));
});
const reach = async (addresses) => {
  const reached = await Promise.all(addresses.map(connect));
  return JSON.stringify(addresses.filter((_, i) => reached[i]));
};
`

// ReachCode is the code of a handler that connects to the addresses in its query. ReachedBy calls it.
const ReachCode = reach + "exports.handle = async (event) => ({ body: await reach(event.queryStringParameters.to.split(',')) });\n"

// ReachedBy returns which addresses a function with ReachCode can connect to, sorted.
func ReachedBy(t testing.TB, gateway string, f *function.Function, addresses ...string) []string {
	t.Helper()
	status, body, err := Call(t.Context(), gateway, f, "/?to="+strings.Join(addresses, ","), "")
	if err != nil || status != http.StatusOK {
		t.Fatalf("call %s: got %d %q, %v", f.Name, status, body, err)
	}
	return sortedAddresses(t, body)
}

// ReachedByPod returns which addresses a Pod of a namespace can connect to, sorted. The Pod has the labels of no
// network policy of the chart.
func ReachedByPod(t testing.TB, namespace string, addresses ...string) []string {
	t.Helper()
	list, err := json.Marshal(addresses)
	if err != nil {
		t.Fatal(err)
	}
	RunNode(t, namespace, "reach", fmt.Sprintf("%sreach(%s).then(console.log);\n", reach, list))
	Kubectl(t, "-n", namespace, "wait", "pod/reach", "--for=jsonpath={.status.phase}=Succeeded", "--timeout=180s")
	defer Kubectl(t, "-n", namespace, "delete", "pod", "reach", "--now")
	return sortedAddresses(t, Kubectl(t, "-n", namespace, "logs", "reach"))
}

func sortedAddresses(t testing.TB, text string) []string {
	t.Helper()
	var reached []string
	if err := json.Unmarshal([]byte(text), &reached); err != nil {
		t.Fatalf("read the addresses %q: %v", text, err)
	}
	slices.Sort(reached)
	return reached
}

// RunNode creates a Pod that runs a program of Node.js and has its name as the label app.
func RunNode(t testing.TB, namespace, name, code string) {
	t.Helper()
	Apply(t, strings.NewReplacer("$NAME", name, "$IMAGE", nodeImage, "$CODE", strconv.Quote(code)).Replace(`apiVersion: v1
kind: Pod
metadata: {name: $NAME, labels: {app: $NAME}}
spec:
  restartPolicy: Never
  automountServiceAccountToken: false
  terminationGracePeriodSeconds: 1
  securityContext: {runAsNonRoot: true, runAsUser: 65532, seccompProfile: {type: RuntimeDefault}}
  containers:
  - name: node
    image: $IMAGE
    imagePullPolicy: Never
    command: [node, -e, $CODE]
    securityContext: {allowPrivilegeEscalation: false, readOnlyRootFilesystem: true, capabilities: {drop: [ALL]}}
`), "-n", namespace)
}
