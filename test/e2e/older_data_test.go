package e2e_test

import (
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"testing"

	function "github.com/scaleway/scaleway-sdk-go/api/function/v1beta1"
	"github.com/scaleway/scaleway-sdk-go/scw"

	"github.com/jeton-dev/jeton/test/jetontest"
)

// olderData describes the objects of a data folder that an older version wrote.
type olderData struct {
	NamespaceID    string `json:"namespace_id"`
	PrivateID      string `json:"private_id"`
	PublicID       string `json:"public_id"`
	FunctionToken  string `json:"function_token"`
	NamespaceToken string `json:"namespace_token"`
	RevokedToken   string `json:"revoked_token"`
}

// openOlder starts a server over a copy of the data folder that a version wrote. That
// version was killed with SIGKILL, so the folder holds a write-ahead log.
func openOlder(t *testing.T, version string) (*world, olderData) {
	t.Helper()
	fixture, dir := filepath.Join("testdata", "data-"+version), t.TempDir()
	output, err := exec.CommandContext(t.Context(), "tar", "-xzf", filepath.Join(fixture, "data.tar.gz"), "-C", dir).CombinedOutput()
	if err != nil {
		t.Fatalf("unpack the data folder: %v: %s", err, output)
	}
	content := must[[]byte](t)(os.ReadFile(filepath.Join(fixture, "facts.json")))
	var facts olderData
	if err := json.Unmarshal(content, &facts); err != nil {
		t.Fatal(err)
	}
	data := filepath.Join(dir, "data")
	credentials := must[*scw.Config](t)(scw.LoadConfigFromPath(data + ".credentials.yaml"))
	jeton := jetontest.StartOver(t, data, &credentials.Profile)
	return &world{Jeton: jeton, API: function.NewAPI(jeton.Client()), t: t}, facts
}

// A data folder that version 2912463 wrote opens with all objects, and its functions
// serve and deploy.
func TestOlderData_OpensAndServes(t *testing.T) {
	t.Parallel()
	w, facts := openOlder(t, "2912463")
	private := w.settled(facts.PrivateID)
	public := w.settled(facts.PublicID)
	for _, c := range []struct {
		name   string
		f      *function.Function
		token  string
		status int
		body   string
	}{
		{"private function with its token", private, facts.FunctionToken, 200, "bonjour secret of private"},
		{"private function with a token of the namespace", private, facts.NamespaceToken, 200, "bonjour secret of private"},
		{"private function with a revoked token", private, facts.RevokedToken, 403, ""},
		{"private function without a token", private, "", 403, ""},
		{"public function", public, "", 200, "bonjour secret of public"},
	} {
		status, body := w.call(c.f, "/", c.token)
		wantStatus(t, c.name, status, c.status)
		if c.body != "" && body != c.body {
			t.Errorf("%s: got body %q, want %q", c.name, body, c.body)
		}
	}

	namespace := must[*function.Namespace](t)(w.GetNamespace(&function.GetNamespaceRequest{NamespaceID: facts.NamespaceID}))
	if namespace.Status != function.NamespaceStatusReady || namespace.Description == nil || *namespace.Description != "made by an older version" || len(namespace.SecretEnvironmentVariables) != 1 {
		t.Errorf("got namespace %+v", namespace)
	}
	tokens := must[*function.ListTokensResponse](t)(w.ListTokens(&function.ListTokensRequest{FunctionID: &facts.PrivateID}))
	namespaceTokens := must[*function.ListTokensResponse](t)(w.ListTokens(&function.ListTokensRequest{NamespaceID: &facts.NamespaceID}))
	crons := must[*function.ListCronsResponse](t)(w.ListCrons(&function.ListCronsRequest{FunctionID: facts.PrivateID}))
	domains := must[*function.ListDomainsResponse](t)(w.ListDomains(&function.ListDomainsRequest{FunctionID: facts.PrivateID}))
	triggers := must[*function.ListTriggersResponse](t)(w.ListTriggers(&function.ListTriggersRequest{FunctionID: &facts.PrivateID}))
	if len(tokens.Tokens) != 1 || len(namespaceTokens.Tokens) != 1 || len(crons.Crons) != 1 || len(domains.Domains) != 1 || len(triggers.Triggers) != 1 {
		t.Fatalf("got %d tokens of the function, %d of the namespace, %d crons, %d domains, %d triggers, want one of each",
			len(tokens.Tokens), len(namespaceTokens.Tokens), len(crons.Crons), len(domains.Domains), len(triggers.Triggers))
	}

	must[*function.Token](t)(w.DeleteToken(&function.DeleteTokenRequest{TokenID: tokens.Tokens[0].ID}))
	status, _ := w.call(private, "/", facts.FunctionToken)
	wantStatus(t, "a token that was revoked after the upgrade", status, 403)
	w.deploy(facts.PublicID, zipOf(t, pythonHandler("return 'new code'")))
	if _, body := w.call(public, "/", ""); body != "new code" {
		t.Errorf("after a deployment: got body %q, want %q", body, "new code")
	}
}
