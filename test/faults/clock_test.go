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

// TestClockSetBack sets the clock back by two hours, once while the server runs and
// once while it does not. It is a server of this process: the clock of the machine
// is everybody's.
func TestClockSetBack(t *testing.T) {
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
		t.Fatal("the tokens do not open what they should")
	}
	ahead.Store(int64(2 * time.Hour))
	if !refused(t, j.GatewayURL, f, short.Token) {
		t.Error("a token that has expired opens")
	}
	late := token(24 * time.Hour)
	ahead.Store(0)
	if !refused(t, j.GatewayURL, f, short.Token) || !refused(t, j.GatewayURL, f, revoked.Token) || refused(t, j.GatewayURL, f, long.Token) {
		t.Error("with the clock set back, tokens are not what they were")
	}
	_, err = expired.ListNamespaces(&function.ListNamespacesRequest{})
	if denied, ok := errors.AsType[*scw.DeniedAuthenticationError](err); !ok || denied.Reason != "expired" {
		t.Errorf("with the clock set back, a key that has expired: %v", err)
	}
	if got := strings.Count(j.Log.String(), "the clock was set back"); got != 1 {
		t.Errorf("the log says %d times that the clock was set back, want once", got)
	}
	early := token(24 * time.Hour)
	acknowledged := []string{short.ID, long.ID, late.ID, early.ID}
	p.wantTokens("with the clock set back", acknowledged)

	ahead.Store(int64(-2 * time.Hour))
	j.Restart()
	if !strings.Contains(j.Log.String(), "the clock is behind the last change") {
		t.Error("a start does not say that the clock is behind")
	}
	api = function.NewAPI(j.Client())
	p.API = api
	p.wantTokens("after a restart", append(acknowledged, token(time.Hour).ID))
	if !refused(t, j.GatewayURL, f, revoked.Token) || refused(t, j.GatewayURL, f, late.Token) {
		t.Error("after a restart, tokens are not what they were")
	}
	listed, err := api.ListTokens(&function.ListTokensRequest{FunctionID: &f.ID}, scw.WithAllPages())
	if err != nil || listed.TotalCount != 5 || len(listed.Tokens) != 5 {
		t.Errorf("the list has %d of %d, %v", len(listed.Tokens), listed.TotalCount, err)
	}
}
