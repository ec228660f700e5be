package e2e_test

import (
	"net/http"
	"strings"
	"testing"

	"github.com/google/uuid"
	function "github.com/scaleway/scaleway-sdk-go/api/function/v1beta1"
	"github.com/scaleway/scaleway-sdk-go/scw"

	"github.com/jeton-dev/jeton/internal/functions"
	"github.com/jeton-dev/jeton/internal/leave"
	"github.com/jeton-dev/jeton/internal/server"
	"github.com/jeton-dev/jeton/internal/token"
	"github.com/jeton-dev/jeton/test/clustertest"
)

// Imported tokens work on a cluster: any node adopts a token, each admits it afterwards, and
// none does after a revocation, a removal of the key or a refusal at another node.
func TestCluster_AdoptsImportedTokens(t *testing.T) {
	t.Parallel()
	pair := must[token.KeyPair](t)(token.GenerateKeyPair(token.KeyBits))
	source := newWorld(t, func(c *server.Config) {
		c.NewKeyPair = func() (token.KeyPair, error) { return pair, nil }
		c.NewID = uuid.NewString
	})
	n := source.namespace("shop")
	request := python(n.ID, "pay")
	request.Privacy = function.FunctionPrivacyPrivate
	f := source.function(request, pythonHandler("return 'ok'"))
	var tokens []*function.Token
	for range 5 {
		tokens = append(tokens, must[*function.Token](t)(source.CreateToken(&function.CreateTokenRequest{FunctionID: &f.ID})))
	}
	c := clustertest.Start(t, 3)
	account := must[*leave.Source](t)(leave.Open(leave.SourceConfig{Profile: &scw.Profile{
		AccessKey: &source.AccessKey, SecretKey: &source.SecretKey, APIURL: &source.APIURL, DefaultProjectID: &source.ProjectID,
	}}))
	importTo := func(node *clustertest.Node) {
		t.Helper()
		runner := must[*leave.Runner](t)(leave.NewRunner(leave.RunnerConfig{Source: account, Target: node.Admin, Keys: map[string]string{n.ID: *tokens[0].PublicKey}}))
		if report, err := runner.Run(t.Context()); err != nil || report.Failed() > 0 {
			t.Fatalf("import at %s: got %+v, %v", node.Name, report, err)
		}
	}
	importTo(c.Nodes[0])
	key := c.Nodes[0].Key(n.ProjectID, "FunctionsFullAccess")
	apiOf := func(node *clustertest.Node) *function.API { return function.NewAPI(node.ClientOf(key)) }
	w := at(t, c.Nodes[0])
	w.API = apiOf(c.Nodes[0])
	if settled := w.settled(f.ID); settled.Status != function.FunctionStatusReady {
		t.Fatalf("got %+v, want a ready function", settled)
	}
	call := func(what string, node *clustertest.Node, text string, want int) {
		t.Helper()
		if got, body := at(t, node).call(f, "/", text); got != want {
			t.Errorf("%s: %s answers %d %q, want %d", what, node.Name, got, body, want)
		}
	}
	call("no token", c.Nodes[0], "", http.StatusForbidden)
	// The home and the other nodes adopt; the first use is at another node each time.
	for i, issued := range tokens {
		for j := range c.Nodes {
			call("first and further uses", c.Nodes[(i+j)%len(c.Nodes)], issued.Token, http.StatusOK)
		}
	}
	parts := strings.Split(tokens[0].Token, ".")
	forged := parts[0] + "." + parts[1] + "." + strings.Repeat("A", len(parts[2]))
	for i, node := range c.Nodes {
		call("forged", node, forged, http.StatusForbidden)
		revoked := tokens[i]
		must[*function.Token](t)(apiOf(node).DeleteToken(&function.DeleteTokenRequest{TokenID: revoked.ID}))
		for _, other := range c.Nodes {
			call("revoked at "+node.Name, other, revoked.Token, http.StatusForbidden)
		}
	}
	importTo(c.Nodes[1]) // It restores none of them.
	for i, node := range c.Nodes {
		call("revoked and imported again", node, tokens[i].Token, http.StatusForbidden)
		call("not revoked", node, tokens[3].Token, http.StatusOK)
	}
	for _, accepted := range []bool{false, true} {
		if _, err := c.Nodes[2].Admin.AcceptForeign(t.Context(), n.ID, accepted); err != nil {
			t.Fatal(err)
		}
		for _, node := range c.Nodes {
			call("accept or refuse", node, tokens[4].Token, map[bool]int{false: http.StatusForbidden, true: http.StatusOK}[accepted])
		}
	}
	if _, err := c.Nodes[1].Admin.RemoveForeignKey(t.Context(), n.ID, functions.KeyFingerprint(*tokens[0].PublicKey)); err != nil {
		t.Fatal(err)
	}
	for _, node := range c.Nodes {
		call("the key is removed", node, tokens[3].Token, http.StatusForbidden)
	}
	importTo(c.Nodes[2])
	for _, node := range c.Nodes {
		call("the key is imported again", node, tokens[3].Token, http.StatusOK)
	}
	home := c.Home(f.ID)
	home.Stop()
	for _, node := range c.Others(home) {
		call("the home has left", node, tokens[4].Token, http.StatusOK)
		call("revoked, the home has left", node, tokens[0].Token, http.StatusForbidden)
	}
}
