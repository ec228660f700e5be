package e2e_test

import (
	"net/http"
	"sync/atomic"
	"testing"
	"time"

	function "github.com/scaleway/scaleway-sdk-go/api/function/v1beta1"

	"github.com/jeton-dev/jeton/internal/admin"
	"github.com/jeton-dev/jeton/internal/iam"
	"github.com/jeton-dev/jeton/internal/server"
)

// The last use of keys and tokens has a resolution of one minute, and survives a
// restart.
func TestLastUse_OfKeysAndTokens(t *testing.T) {
	t.Parallel()
	var now atomic.Int64
	began := time.Date(2026, 7, 3, 13, 5, 30, 0, time.UTC)
	now.Store(began.UnixNano())
	w := newWorld(t, func(c *server.Config) { c.Now = func() time.Time { return time.Unix(0, now.Load()).UTC() } })
	n := w.namespace("uses")
	f := w.function(python(n.ID, "f"), pythonHandler("return 'in'"))
	must[*function.Function](t)(w.UpdateFunction(&function.UpdateFunctionRequest{FunctionID: f.ID, Privacy: function.FunctionPrivacyPrivate}))
	f = w.settled(f.ID)
	used := must[*function.Token](t)(w.CreateToken(&function.CreateTokenRequest{FunctionID: &f.ID, Description: new("used")}))
	now.Add(1) // lists are in the order of creation
	unused := must[*function.Token](t)(w.CreateToken(&function.CreateTokenRequest{FunctionID: &f.ID}))
	key := w.Key("", iam.PrivateAccess)
	idle := w.Key("", iam.PrivateAccess)

	want := func(what string, tokenUsed, keyUsed time.Time) {
		t.Helper()
		tokens := must[[]admin.Token](t)(w.Admin.Tokens(t.Context(), "", f.ID))
		if len(tokens) != 2 || tokens[0].ID != used.ID || tokens[0].Description != "used" || tokens[1].ID != unused.ID || tokens[1].LastUsedAt != nil {
			t.Fatalf("%s: got tokens %+v", what, tokens)
		}
		wantInstant(t, what+", the token", tokens[0].LastUsedAt, tokenUsed)
		for _, k := range must[[]admin.APIKey](t)(w.Admin.Keys(t.Context(), "")) {
			switch k.AccessKey {
			case key.AccessKey:
				wantInstant(t, what+", the key", k.LastUsedAt, keyUsed)
			case idle.AccessKey:
				wantInstant(t, what+", an idle key", k.LastUsedAt, time.Time{})
			}
		}
	}
	want("before", time.Time{}, time.Time{})
	minute := began.Truncate(time.Minute)
	if status, body := w.call(f, "/", used.Token); status != http.StatusOK {
		t.Fatalf("call: got %d %s", status, body)
	}
	want("a call with the token", minute, time.Time{})
	now.Store(began.Add(time.Hour).UnixNano())
	w.call(f, "/", key.SecretKey)
	want("a call with the key", minute, minute.Add(time.Hour))
	// The stop of the server writes the last uses to the disk.
	now.Store(began.Add(2 * time.Hour).UnixNano())
	w.call(f, "/", used.Token)
	w.as(key.SecretKey, http.MethodGet, "/functions/v1beta1/regions/fr-par/runtimes", "")
	w.restart()
	want("after a restart", minute.Add(2*time.Hour), minute.Add(2*time.Hour))
}

func wantInstant(t *testing.T, what string, got *time.Time, want time.Time) {
	t.Helper()
	if got == nil && want.IsZero() {
		return
	}
	if got == nil || !got.Equal(want) {
		t.Errorf("%s: got last use %v, want %v", what, got, want)
	}
}
