package faults_test

import (
	"errors"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	function "github.com/scaleway/scaleway-sdk-go/api/function/v1beta1"
	"github.com/scaleway/scaleway-sdk-go/scw"

	"github.com/jeton-dev/jeton/internal/admin"
	"github.com/jeton-dev/jeton/internal/iam"
	"github.com/jeton-dev/jeton/internal/server"
	"github.com/jeton-dev/jeton/test/jetontest"
)

// TestServe_KeepsExpiryWhenTheClockIsSetBack sets the clock back by two hours, once while
// the server is running and once while it is stopped. The server runs in this process,
// with an injected clock.
func TestServe_KeepsExpiryWhenTheClockIsSetBack(t *testing.T) {
	t.Parallel()
	var ahead atomic.Int64
	j := jetontest.Start(t, func(c *server.Config) {
		c.Now = func() time.Time { return time.Now().Add(time.Duration(ahead.Load())).UTC() }
	})
	api := function.NewAPI(j.Client())
	p := &program{API: api, t: t}
	n := p.namespace("clock")
	f, err := api.CreateFunction(&function.CreateFunctionRequest{NamespaceID: n.ID, Name: "f", Runtime: "python311", Privacy: function.FunctionPrivacyPrivate})
	if err != nil {
		t.Fatal(err)
	}
	token := func(life time.Duration) *function.Token {
		t.Helper()
		at := time.Now().Add(time.Duration(ahead.Load())).Add(life)
		k, err := api.CreateToken(&function.CreateTokenRequest{FunctionID: &f.ID, ExpiresAt: &at})
		if err != nil {
			t.Fatal(err)
		}
		return k
	}
	short, long, revoked := token(time.Hour), token(24*time.Hour), token(24*time.Hour)
	if _, err := api.DeleteToken(&function.DeleteTokenRequest{TokenID: revoked.ID}); err != nil {
		t.Fatal(err)
	}
	key, err := j.Admin.CreateKey(t.Context(), admin.CreateKey{Permissions: []string{iam.FullAccess}, ExpiresAt: time.Now().Add(time.Hour)})
	if err != nil {
		t.Fatal(err)
	}
	expired := function.NewAPI(j.ClientOf(key))
	if refused(t, j.GatewayURL, f, short.Token) || refused(t, j.GatewayURL, f, long.Token) || !refused(t, j.GatewayURL, f, revoked.Token) {
		t.Fatal("before expiry: want the short and long tokens admitted and the revoked one denied")
	}
	ahead.Store(int64(2 * time.Hour))
	if !refused(t, j.GatewayURL, f, short.Token) {
		t.Error("got an expired token admitted, want it denied")
	}
	late := token(24 * time.Hour)
	ahead.Store(0)
	if !refused(t, j.GatewayURL, f, short.Token) || !refused(t, j.GatewayURL, f, revoked.Token) || refused(t, j.GatewayURL, f, long.Token) {
		t.Error("with the clock set back: want the long token admitted, and the expired and revoked ones denied")
	}
	_, err = expired.ListNamespaces(&function.ListNamespacesRequest{})
	if denied, ok := errors.AsType[*scw.DeniedAuthenticationError](err); !ok || denied.Reason != "expired" {
		t.Errorf("got %v for an expired key with the clock set back, want DeniedAuthenticationError with reason expired", err)
	}
	if got := strings.Count(j.Log.String(), "the clock was set back"); got != 1 {
		t.Errorf("got %d log messages about the clock, want 1", got)
	}
	early := token(24 * time.Hour)
	acknowledged := []string{short.ID, long.ID, late.ID, early.ID}
	p.wantTokens("with the clock set back", acknowledged)

	ahead.Store(int64(-2 * time.Hour))
	j.Restart()
	if !strings.Contains(j.Log.String(), "the clock is behind the last change") {
		t.Error("got no log message about the clock at the start, want one")
	}
	api = function.NewAPI(j.Client())
	p.API = api
	p.wantTokens("after a restart", append(acknowledged, token(time.Hour).ID))
	if !refused(t, j.GatewayURL, f, revoked.Token) || refused(t, j.GatewayURL, f, late.Token) {
		t.Error("after a restart: want the late token admitted and the revoked one denied")
	}
	listed, err := api.ListTokens(&function.ListTokensRequest{FunctionID: &f.ID}, scw.WithAllPages())
	if err != nil || listed.TotalCount != 5 || len(listed.Tokens) != 5 {
		t.Errorf("got %d of %d tokens, %v in the list, want 5 of 5", len(listed.Tokens), listed.TotalCount, err)
	}
}
