package e2e_test

import (
	"errors"
	"net/http"
	"strconv"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	function "github.com/scaleway/scaleway-sdk-go/api/function/v1beta1"
	"github.com/scaleway/scaleway-sdk-go/scw"

	"github.com/jeton-dev/jeton/internal/admin"
	"github.com/jeton-dev/jeton/internal/iam"
	"github.com/jeton-dev/jeton/internal/server"
)

const unknownID = "00000000-0000-4000-8000-000000000000"

// as sends a request to the API with a secret key.
func (w *world) as(secretKey, method, path, body string) (int, string) {
	w.t.Helper()
	status, _, answer := w.send(method, w.APIURL+path, []byte(body), http.Header{"X-Auth-Token": {secretKey}})
	return status, answer
}

// endpoints are the endpoints of the Functions API, by the permission that they
// require.
var endpoints = map[string][]string{
	"read namespace":  {"GET /namespaces/{id}/functions", "GET /namespaces", "GET /namespaces/{id}"},
	"write namespace": {"POST /namespaces", "PATCH /namespaces/{id}", "DELETE /namespaces/{id}"},
	"read function":   {"GET /functions/{id}/logs", "GET /functions", "GET /functions/{id}", "GET /functions/{id}/download-url"},
	"write function":  {"POST /functions", "PATCH /functions/{id}", "DELETE /functions/{id}", "POST /functions/{id}/deploy", "GET /functions/{id}/upload-url"},
	"read token":      {"GET /tokens", "GET /tokens/{id}"},
	"write token":     {"GET /issue-jwt", "POST /tokens", "DELETE /tokens/{id}"},
	"read cron":       {"GET /crons", "GET /crons/{id}"},
	"write cron":      {"POST /crons", "PATCH /crons/{id}", "DELETE /crons/{id}"},
	"read domain":     {"GET /domains", "GET /domains/{id}"},
	"write domain":    {"POST /domains", "DELETE /domains/{id}"},
	"read trigger":    {"GET /triggers", "GET /triggers/{id}"},
	"write trigger":   {"POST /triggers", "PATCH /triggers/{id}", "DELETE /triggers/{id}"},
	"read runtime":    {"GET /runtimes"},
}

func TestPermissions_OfEachEndpoint(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	for set, may := range map[string]map[string]bool{
		iam.FullAccess:    {"read": true, "write": true},
		iam.ReadOnly:      {"read": true},
		iam.PrivateAccess: {},
	} {
		secretKey := w.Key("", set).SecretKey
		for needed, patterns := range endpoints {
			action, noun, _ := strings.Cut(needed, " ")
			for _, pattern := range patterns {
				method, path, _ := strings.Cut(pattern, " ")
				status, body := w.as(secretKey, method, "/functions/v1beta1/regions/fr-par"+strings.ReplaceAll(path, "{id}", unknownID), "{}")
				refusal := `{"details":[{"action":"` + action + `","resource":"functions_` + noun + `"}],"message":"insufficient permissions","type":"permissions_denied"}`
				refused := status == http.StatusForbidden && body == refusal
				if refused == may[action] || !refused && status == http.StatusForbidden {
					t.Errorf("%s, %s: got %d %s", set, pattern, status, body)
				}
			}
		}
	}
}

// A missing permission is reported before an invalid argument.
func TestPermissions_AreCheckedBeforeArguments(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	secretKey := w.Key("", iam.ReadOnly).SecretKey
	status, body := w.as(secretKey, http.MethodPost, "/functions/v1beta1/regions/it-mil/namespaces", "{")
	if status != http.StatusForbidden {
		t.Errorf("got %d %s", status, body)
	}
}

func TestAPIKey_Expires(t *testing.T) {
	t.Parallel()
	var ahead atomic.Int64
	w := newWorld(t, func(c *server.Config) {
		c.Now = func() time.Time { return time.Now().Add(time.Duration(ahead.Load())).UTC() }
	})
	n := w.namespace("expiry")
	f := w.function(python(n.ID, "private"), nil)
	f = must[*function.Function](t)(w.UpdateFunction(&function.UpdateFunctionRequest{FunctionID: f.ID, Privacy: function.FunctionPrivacyPrivate}))
	key := must[admin.APIKey](t)(w.Admin.CreateKey(t.Context(), admin.CreateKey{
		Permissions: []string{iam.FullAccess}, ExpiresAt: time.Now().Add(time.Hour),
	}))
	api := function.NewAPI(w.ClientOf(key))
	must[*function.ListNamespacesResponse](t)(api.ListNamespaces(&function.ListNamespacesRequest{}))
	if status, _ := w.call(f, "/", key.SecretKey); status == http.StatusForbidden {
		t.Error("the gateway refuses a valid key")
	}
	ahead.Store(int64(2 * time.Hour))
	_, err := api.ListNamespaces(&function.ListNamespacesRequest{})
	denied, ok := errors.AsType[*scw.DeniedAuthenticationError](err)
	if !ok || denied.Reason != "expired" || denied.Method != "api_key" {
		t.Errorf("API: got error %v, want a denial because the key has expired", err)
	}
	if status, body := w.call(f, "/", key.SecretKey); status != http.StatusForbidden {
		t.Errorf("gateway: got %d %s, want 403", status, body)
	}
}

func TestAPIKey_RotationKeepsPermissionsAndLifetime(t *testing.T) {
	t.Parallel()
	var ahead atomic.Int64
	w := newWorld(t, func(c *server.Config) {
		c.Now = func() time.Time { return time.Now().Add(time.Duration(ahead.Load())).UTC() }
	})
	status := func(secretKey string) int {
		status, _ := w.as(secretKey, http.MethodGet, "/functions/v1beta1/regions/fr-par/runtimes", "")
		return status
	}
	first := must[admin.APIKey](t)(w.Admin.CreateKey(t.Context(), admin.CreateKey{
		Permissions: []string{iam.ReadOnly}, Description: "ci", ExpiresAt: time.Now().Add(24 * time.Hour),
	}))
	ahead.Store(int64(12 * time.Hour))
	second := must[admin.APIKey](t)(w.Admin.RotateKey(t.Context(), first.AccessKey, time.Hour))
	wantStatus(t, "the old key, during the overlap", status(first.SecretKey), 200)
	wantStatus(t, "the new key", status(second.SecretKey), 200)
	if second.Description != "ci" || len(second.Permissions) != 1 || second.Permissions[0] != iam.ReadOnly {
		t.Errorf("the new key has other permissions: %+v", second)
	}
	if life := second.ExpiresAt.Sub(second.CreatedAt).Round(time.Minute); life != 24*time.Hour {
		t.Errorf("got a lifetime of %v, want that of the old key", life)
	}
	w.restart()
	ahead.Store(int64(14 * time.Hour))
	wantStatus(t, "the old key, after the overlap", status(first.SecretKey), 401)
	third := must[admin.APIKey](t)(w.Admin.RotateKey(t.Context(), second.AccessKey, 0))
	wantStatus(t, "a key that was rotated at once", status(second.SecretKey), 401)
	wantStatus(t, "its successor", status(third.SecretKey), 200)
	must[admin.APIKey](t)(w.Admin.RevokeKey(t.Context(), third.AccessKey))
	wantStatus(t, "a revoked key", status(third.SecretKey), 401)
}

func TestWrongKeys_AreRateLimited(t *testing.T) {
	t.Parallel()
	var ahead atomic.Int64
	w := newWorld(t, func(c *server.Config) {
		c.WrongKeys = 3
		c.Now = func() time.Time { return time.Date(2026, 7, 3, 13, 0, 0, 0, time.UTC).Add(time.Duration(ahead.Load())) }
	})
	expired := must[admin.APIKey](t)(w.Admin.CreateKey(t.Context(), admin.CreateKey{
		Permissions: []string{iam.FullAccess}, ExpiresAt: time.Date(2026, 7, 3, 13, 0, 0, 1, time.UTC),
	}))
	ahead.Store(1)
	show := func(secretKey string) (int, http.Header, string) {
		t.Helper()
		return w.send(http.MethodGet, w.APIURL+"/functions/v1beta1/regions/fr-par/namespaces", nil, http.Header{"X-Auth-Token": {secretKey}})
	}
	for i, step := range []struct {
		key    string
		status int
	}{
		{w.SecretKey, 200},
		{unknownID, 401},
		{"no UUID", 401},
		{expired.SecretKey, 401},
		{unknownID, 429},
		{"no UUID", 429},
		{w.SecretKey, 200},
		{"", 429},
		{expired.SecretKey, 429},
		{w.SecretKey, 200},
	} {
		status, _, _ := show(step.key)
		wantStatus(t, "step "+strconv.Itoa(i), status, step.status)
	}
	_, header, body := show(unknownID)
	if body != "" || header.Get("X-Envoy-Ratelimited") != "true" || header["Content-Type"] != nil || header.Get("Content-Security-Policy") != "" {
		t.Errorf("429: got headers %v, body %q, want only X-Envoy-Ratelimited and no body", header, body)
	}
	// The limit applies to all endpoints.
	status, _, _ := w.send(http.MethodGet, w.APIURL+"/nowhere", nil, http.Header{"X-Auth-Token": {unknownID}})
	wantStatus(t, "an unknown path", status, 429)
	ahead.Store(int64(21 * time.Second))
	status, _, _ = show(unknownID)
	wantStatus(t, "after a third of a minute", status, 401)
	status, _, _ = show(unknownID)
	wantStatus(t, "and again", status, 429)
}
