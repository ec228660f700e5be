package e2e_test

import (
	"encoding/json"
	"net/http"
	"strings"
	"testing"
	"time"

	function "github.com/scaleway/scaleway-sdk-go/api/function/v1beta1"

	"github.com/jeton-dev/jeton/internal/token"
)

func TestLegacyEndpoints_Lists(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	n := w.namespace("legacy")
	other := w.namespace("other")
	f := w.function(python(n.ID, "f"), nil)
	w.function(python(other.ID, "g"), nil)
	_, _, want := w.api(http.MethodGet, "/functions?namespace_id="+n.ID, "")
	status, _, got := w.api(http.MethodGet, "/namespaces/"+n.ID+"/functions", "")
	if status != http.StatusOK || got != want || !strings.Contains(got, f.ID) {
		t.Errorf("functions of a namespace: got %d %s, want %s", status, got, want)
	}
	// The namespace of the path overrides that of the query.
	if _, _, got := w.api(http.MethodGet, "/namespaces/"+n.ID+"/functions?namespace_id="+other.ID, ""); got != want {
		t.Errorf("with another namespace in the query: got %s", got)
	}
	if status, _, got := w.api(http.MethodGet, "/functions/"+f.ID+"/logs", ""); status != http.StatusOK || got != `{"logs":[]}` {
		t.Errorf("logs: got %d %s", status, got)
	}
	if status, _, got := w.api(http.MethodGet, "/functions/"+unknownID+"/logs", ""); status != http.StatusNotFound || got != `{"message":"Function was not found"}` {
		t.Errorf("logs of an unknown function: got %d %s", status, got)
	}
}

// A token of issue-jwt is listed, expires and can be revoked like any other token.
func TestLegacyEndpoints_IssueJWT(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	n := w.namespace("legacy")
	f := w.function(python(n.ID, "f"), pythonHandler("return 'in'"))
	must[*function.Function](t)(w.UpdateFunction(&function.UpdateFunctionRequest{FunctionID: f.ID, Privacy: function.FunctionPrivacyPrivate}))
	f = w.settled(f.ID)
	const expiry = "2099-12-31T23:59:59Z"
	for name, query := range map[string]string{
		"of a namespace, as in the plugin": "namespace_id=" + n.ID + "&expiration_date=" + expiry,
		"of a function, as documented":     "function_id=" + f.ID + "&expires_at=" + expiry,
		"with both, the same":              "function_id=" + f.ID + "&expires_at=" + expiry + "&expiration_date=2099-12-31T23:59:59.5Z",
	} {
		status, _, body := w.api(http.MethodGet, "/issue-jwt?"+query, "")
		var issued struct{ Token string }
		if err := json.Unmarshal([]byte(body), &issued); err != nil || status != http.StatusOK || keys(t, body) != "token" {
			t.Fatalf("%s: got %d %s", name, status, body)
		}
		parsed := must[token.Text](t)(token.Parse(issued.Token))
		if !parsed.ExpiresAt.Equal(must[time.Time](t)(time.Parse(time.RFC3339, expiry))) {
			t.Errorf("%s: got expiry %v", name, parsed.ExpiresAt)
		}
		if status, body := w.call(f, "/", issued.Token); status != http.StatusOK || body != "in" {
			t.Errorf("%s: a call: got %d %s", name, status, body)
		}
		must[*function.Token](t)(w.GetToken(&function.GetTokenRequest{TokenID: parsed.ID}))
		must[*function.Token](t)(w.DeleteToken(&function.DeleteTokenRequest{TokenID: parsed.ID}))
		if status, _ := w.call(f, "/", issued.Token); status != http.StatusForbidden {
			t.Errorf("%s: a call with the revoked token: got status %d", name, status)
		}
	}
	for name, query := range map[string]string{
		"without a scope":    "",
		"of both":            "namespace_id=" + n.ID + "&function_id=" + f.ID,
		"two expiries":       "namespace_id=" + n.ID + "&expires_at=" + expiry + "&expiration_date=2098-01-01T00:00:00Z",
		"an expiry in words": "namespace_id=" + n.ID + "&expiration_date=tomorrow",
	} {
		if status, _, body := w.api(http.MethodGet, "/issue-jwt?"+query, ""); status != http.StatusBadRequest {
			t.Errorf("%s: got %d %s, want 400", name, status, body)
		}
	}
}
