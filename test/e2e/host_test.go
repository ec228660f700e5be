package e2e_test

import (
	"fmt"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	function "github.com/scaleway/scaleway-sdk-go/api/function/v1beta1"

	"github.com/jeton-dev/jeton/internal/egress"
	"github.com/jeton-dev/jeton/internal/server"
	"github.com/jeton-dev/jeton/test/needs"
)

// fetching fetches the URL of its body, with the token in the header Passed-Token.
const fetching = `
import urllib.request, urllib.error
def handle(event, context):
    request = urllib.request.Request(event["body"], headers={"X-Auth-Token": event["headers"].get("Passed-Token", "")})
    try:
        with urllib.request.urlopen(request, timeout=5) as response:
            return "%d %s" % (response.status, response.read().decode())
    except urllib.error.HTTPError as error:
        return "%d" % error.code
    except Exception as error:
        return "failed: %s" % error
`

// Functions call other functions at the gateway, and services of the machine that the operator has
// named. They reach no other port of the machine.
func TestHost_IsReachableAtAllowedPorts(t *testing.T) {
	needs.Root(t, "isolation level full")
	allowed := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { fmt.Fprint(w, "database") }))
	t.Cleanup(allowed.Close)
	other := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { fmt.Fprint(w, "secret") }))
	t.Cleanup(other.Close)
	w := newWorld(t, func(c *server.Config) {
		relay, err := egress.ParseRelay(egress.HostName + ":" + hostPort(t, allowed.URL))
		if err != nil {
			t.Fatal(err)
		}
		c.EgressRelays = []egress.Relay{relay}
	})
	n := w.namespace("calls")
	w.function(python(n.ID, "caller"), map[string]string{"handler.py": fetching})
	create := python(n.ID, "called")
	create.Privacy = function.FunctionPrivacyPrivate
	called := w.function(create, map[string]string{"handler.py": "def handle(event, context):\n    return 'called at ' + event['path']\n"})
	token := must[*function.Token](t)(w.CreateToken(&function.CreateTokenRequest{FunctionID: &called.ID}))
	host := "http://" + egress.HostName + ":"
	gateway := host + hostPort(t, w.GatewayURL)
	for name, test := range map[string]struct{ url, token, want string }{
		"a function with a token":    {gateway + "/functions/calls/called/path", token.Token, "200 called at /path"},
		"a function without a token": {gateway + "/functions/calls/called/path", "", "403"},
		"a service that is allowed":  {host + hostPort(t, allowed.URL), "", "200 database"},
		"another service":            {host + hostPort(t, other.URL), "", "failed: "},
		"the API":                    {host + hostPort(t, w.APIURL), "", "failed: "},
		"the operators' port":        {host + hostPort(t, w.OpsURL), "", "failed: "},
	} {
		status, _, body := w.send(http.MethodPost, w.GatewayURL+"/functions/calls/caller", []byte(test.url), http.Header{"Passed-Token": {test.token}})
		if status != http.StatusOK || !strings.HasPrefix(body, test.want) {
			t.Errorf("%s: got %d %s, want %s", name, status, body, test.want)
		}
	}
}

func hostPort(t *testing.T, url string) string {
	t.Helper()
	_, port, err := net.SplitHostPort(strings.TrimPrefix(url, "http://"))
	if err != nil {
		t.Fatal(err)
	}
	return port
}
