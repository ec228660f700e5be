package main

import (
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"
	function "github.com/scaleway/scaleway-sdk-go/api/function/v1beta1"
	"github.com/scaleway/scaleway-sdk-go/scw"

	"github.com/jeton-dev/jeton/internal/admin"
	"github.com/jeton-dev/jeton/internal/server"
	"github.com/jeton-dev/jeton/internal/token"
	"github.com/jeton-dev/jeton/test/await"
	"github.com/jeton-dev/jeton/test/deploy"
	"github.com/jeton-dev/jeton/test/jetontest"
)

// A move is an account on one server, whose keys are unknown to another server.
type move struct {
	t              *testing.T
	source, target *jetontest.Jeton
	api            *function.API // of the source
	namespace      *function.Namespace
	function       *function.Function
	tokens         []*function.Token // of the namespace, of the function
	dir            string
}

const echoSecret = "module.exports.handle = (event) => process.env.SCW_APPLICATION_ID + ' ' + process.env.GREETING + ' ' + process.env.API;\n"

func newMove(t *testing.T) *move {
	t.Helper()
	pair, err := token.GenerateKeyPair(token.KeyBits)
	if err != nil {
		t.Fatal(err)
	}
	m := &move{t: t, dir: t.TempDir()}
	m.source = jetontest.Start(t, func(c *server.Config) {
		c.NewKeyPair = func() (token.KeyPair, error) { return pair, nil }
		c.NewID = uuid.NewString // Another project than that of the target.
		c.Domain = "functions.fnc.{region}.scw.cloud"
	})
	m.target = jetontest.Start(t)
	t.Setenv("JETON_DATA_DIR", m.target.DataDir)
	for name, value := range m.source.Env() {
		t.Setenv(name, value)
	}
	m.api = function.NewAPI(m.source.Client())
	m.namespace, err = m.api.CreateNamespace(&function.CreateNamespaceRequest{Name: "shop", EnvironmentVariables: &map[string]string{"GREETING": "hello"}})
	if err == nil {
		m.namespace, err = m.api.WaitForNamespace(&function.WaitForNamespaceRequest{NamespaceID: m.namespace.ID, RetryInterval: new(20 * time.Millisecond)})
	}
	if err != nil {
		t.Fatal(err)
	}
	m.function = m.newFunction("pay")
	for _, scope := range []*function.CreateTokenRequest{{NamespaceID: &m.namespace.ID}, {FunctionID: &m.function.ID, Description: new("of CI")}} {
		issued, err := m.api.CreateToken(scope)
		if err != nil {
			t.Fatal(err)
		}
		m.tokens = append(m.tokens, issued)
	}
	m.write("key.pem", *m.tokens[0].PublicKey)
	return m
}

func (m *move) newFunction(name string) *function.Function {
	m.t.Helper()
	f, err := deploy.Function(m.t.Context(), m.api, &function.CreateFunctionRequest{
		NamespaceID: m.namespace.ID, Name: name, Runtime: "node22", Privacy: "private", MaxScale: new(uint32(3)),
		SecretEnvironmentVariables: []*function.Secret{{Key: "API", Value: new(jetontest.SecretMark)}},
	}, map[string]string{"handler.js": echoSecret})
	if err != nil {
		m.t.Fatal(err)
	}
	return f
}

func (m *move) write(name, content string) string {
	m.t.Helper()
	path := filepath.Join(m.dir, name)
	if err := os.WriteFile(path, []byte(content), 0o600); err != nil {
		m.t.Fatal(err)
	}
	return path
}

// run runs jeton import scaleway.
func (m *move) run(name string, wantStatus int, args []string, parts ...string) string {
	m.t.Helper()
	status, output := command(m.t, "", append([]string{"import", "scaleway"}, args...)...)
	wantOutput(m.t, name, status, wantStatus, output, parts...)
	return output
}

// call calls a function of the target by a hostname and returns the status and the body.
func (m *move) call(host, token string) (int, string) {
	m.t.Helper()
	request, err := http.NewRequestWithContext(m.t.Context(), http.MethodGet, m.target.GatewayURL, nil)
	if err != nil {
		m.t.Fatal(err)
	}
	request.Host = host
	request.Header.Set("X-Auth-Token", token)
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		m.t.Fatal(err)
	}
	defer response.Body.Close()
	body, err := io.ReadAll(response.Body)
	if err != nil {
		m.t.Fatal(err)
	}
	return response.StatusCode, string(body)
}

// imported returns a client of the target with a key for the imported project.
func (m *move) imported() *function.API {
	m.t.Helper()
	return function.NewAPI(m.target.ClientOf(m.target.Key(m.namespace.ProjectID, "FunctionsFullAccess")))
}

// ready waits until the function is deployed at the target.
func (m *move) ready(api *function.API, id string) *function.Function {
	m.t.Helper()
	f, err := api.WaitForFunction(&function.WaitForFunctionRequest{FunctionID: id, RetryInterval: new(20 * time.Millisecond), Timeout: new(await.Patience)})
	if err != nil || f.Status != function.FunctionStatusReady {
		m.t.Fatalf("got %+v, %v, want a ready function", f, err)
	}
	return f
}

func TestImport_TokensOfTheSourceGoOnWorking(t *testing.T) {
	m := newMove(t)
	if _, err := m.api.CreateCron(&function.CreateCronRequest{FunctionID: m.function.ID, Schedule: "0 3 * * *", Args: &scw.JSONObject{"a": 1.0}, Name: new("nightly")}); err != nil {
		t.Fatal(err)
	}
	domain, err := m.api.CreateDomain(&function.CreateDomainRequest{FunctionID: m.function.ID, Hostname: "pay.example.com"})
	if err == nil {
		domain, err = m.api.WaitForDomain(&function.WaitForDomainRequest{DomainID: domain.ID, RetryInterval: new(20 * time.Millisecond)})
	}
	if err != nil {
		t.Fatal(err)
	}
	args := []string{"--public-key", "shop=" + filepath.Join(m.dir, "key.pem"), "--secrets", m.write("secrets.yaml", "shop/pay:\n  API: "+jetontest.SecretMark+"\n")}

	m.run("dry run", 0, append(args, "--dry-run"), "NAMESPACE", "shop", "1 +1", "2 +2")
	if _, err := m.target.Admin.Tokens(t.Context(), m.namespace.ID, ""); err == nil {
		t.Error("the dry run has imported the namespace")
	}
	m.run("import", 0, args, "shop", "2 +2", "import code: 1 of 1")
	api := m.imported()
	f := m.ready(api, m.function.ID)
	if f.NamespaceID != m.namespace.ID || f.MaxScale != 3 || f.Privacy != "private" {
		t.Errorf("got %+v, want the settings of the source", f)
	}
	want := m.function.ID + " hello " + jetontest.SecretMark
	for _, host := range []string{f.DomainName, m.function.DomainName, domain.Hostname} {
		for _, issued := range m.tokens {
			if status, body := m.call(host, issued.Token); status != http.StatusOK || body != want {
				t.Errorf("host %s: got %d %q, want 200 and %q", host, status, body, want)
			}
		}
	}
	crons, err := api.ListCrons(&function.ListCronsRequest{FunctionID: f.ID})
	if err != nil || len(crons.Crons) != 1 || crons.Crons[0].Name != "nightly" {
		t.Errorf("got crons %+v, %v", crons, err)
	}
	status, output := command(t, "", "token", "list", "--namespace", m.namespace.ID)
	wantOutput(t, "token list", status, 0, output, "ISSUER", "ADOPTED", m.tokens[0].ID, strings.TrimPrefix(m.source.APIURL, "http://"))
	listed := commandJSON[[]admin.Token](t, "token", "list", "--function", m.function.ID)
	if len(listed) != 1 || listed[0].AdoptedAt == nil || listed[0].LastUsedAt == nil || listed[0].Description != "of CI" {
		t.Errorf("got %+v, want one token that was adopted and used", listed)
	}

	output = m.run("second run", 0, args, "shop")
	if strings.Contains(output, "+1") || strings.Contains(output, "~") && strings.Contains(output, "1 ~") || strings.Contains(output, "import code: 1") {
		t.Errorf("second run: got %s, want no changes", output)
	}
	m.revoke(api)
}

// revoke checks the ways to revoke the tokens. A later import does not restore them.
func (m *move) revoke(api *function.API) {
	m.t.Helper()
	host := m.function.DomainName
	for _, step := range []struct {
		flag   string
		status int
	}{{"--refuse", http.StatusForbidden}, {"--accept", http.StatusOK}} {
		status, output := command(m.t, "", "token", "foreign", "--namespace", m.namespace.ID, step.flag)
		wantOutput(m.t, step.flag, status, 0, output, m.namespace.ID)
		if got, _ := m.call(host, m.tokens[0].Token); got != step.status {
			m.t.Errorf("%s: got status %d, want %d", step.flag, got, step.status)
		}
	}
	if _, err := api.DeleteToken(&function.DeleteTokenRequest{TokenID: m.tokens[0].ID}); err != nil {
		m.t.Fatal(err)
	}
	refused := func(what string, issued *function.Token) {
		m.t.Helper()
		if got, _ := m.call(host, issued.Token); got != http.StatusForbidden {
			m.t.Errorf("%s: got status %d, want 403", what, got)
		}
	}
	refused("revoked here", m.tokens[0])
	m.run("after the revocation", 0, nil, "it was revoked here")
	refused("revoked here, imported again", m.tokens[0])
	if _, err := m.api.DeleteToken(&function.DeleteTokenRequest{TokenID: m.tokens[1].ID}); err != nil {
		m.t.Fatal(err)
	}
	m.run("after the revocation at the source", 0, nil, "the source has deleted it")
	refused("revoked at the source", m.tokens[1])
}

func TestImport_SecretsAreCheckedAndMayFollow(t *testing.T) {
	m := newMove(t)
	wrong := m.write("wrong.yaml", "shop/pay: {API: wrong-value}\nshop: {NONE: x}\n")
	output := m.run("wrong value", 1, []string{"--secrets", wrong}, "does not fit the hash of the source", "a value is given for NONE", "values of secret environment variables are missing: API",
		"the namespace has no public key", "2 objects were not imported")
	if strings.Contains(output, "wrong-value") {
		t.Errorf("the output contains the value: %s", output)
	}
	api := m.imported()
	f, err := api.GetFunction(&function.GetFunctionRequest{FunctionID: m.function.ID})
	if err != nil || f.Status != function.FunctionStatusError || !strings.Contains(text(f.ErrorMessage), "missing: API") {
		t.Errorf("got %+v, %v, want the status error that names the variable", f, err)
	}
	if f.SecretEnvironmentVariables[0].HashedValue != m.function.SecretEnvironmentVariables[0].HashedValue {
		t.Error("the hash of the secret is not that of the source")
	}
	if status, _ := m.call(m.function.DomainName, m.tokens[0].Token); status != http.StatusForbidden {
		t.Errorf("call without an imported key: got status %d, want 403", status)
	}
	// The author can also set the value at the target.
	if _, err := api.UpdateFunction(&function.UpdateFunctionRequest{
		FunctionID: f.ID, SecretEnvironmentVariables: []*function.Secret{{Key: "API", Value: new(jetontest.SecretMark)}},
	}); err != nil {
		t.Fatal(err)
	}
	m.ready(api, f.ID)
	// The later import has the key.
	m.run("requested key", 0, []string{"--request-keys", "--secrets", m.write("right.yaml", "shop/pay: {API: "+jetontest.SecretMark+"}\n")}, "yes")
	m.ready(api, f.ID)
	if status, body := m.call(m.function.DomainName, m.tokens[0].Token); status != http.StatusOK || !strings.HasSuffix(body, jetontest.SecretMark) {
		t.Errorf("call with the requested key: got status %d %q, want 200", status, body)
	}
	tokens, err := m.api.ListTokens(&function.ListTokensRequest{NamespaceID: &m.namespace.ID})
	if err != nil || len(tokens.Tokens) != 1 {
		t.Errorf("got %+v, %v at the source, want the requested token to be deleted", tokens, err)
	}
}

func TestImport_BringsWhatHasChanged(t *testing.T) {
	m := newMove(t)
	secrets := m.write("secrets.yaml", "shop/pay: {API: "+jetontest.SecretMark+"}\nshop/later: {API: "+jetontest.SecretMark+"}\n")
	args := []string{"--request-keys", "--secrets", secrets}
	m.run("a secret of no function", 1, args, `secrets of "shop/later": the source has no such namespace or function`)
	m.newFunction("later")
	m.run("first", 0, args, "2 +2")
	api := m.imported()
	m.ready(api, m.function.ID)
	archive, err := deploy.Archive(map[string]string{"handler.js": "module.exports.handle = () => 'second';\n"})
	if err != nil {
		t.Fatal(err)
	}
	if err := deploy.Upload(t.Context(), m.api, m.function.ID, archive); err != nil {
		t.Fatal(err)
	}
	if _, err := m.api.UpdateFunction(&function.UpdateFunctionRequest{FunctionID: m.function.ID, MemoryLimit: new(uint32(512)), Redeploy: new(true)}); err != nil {
		t.Fatal(err)
	}
	if _, err := m.api.WaitForFunction(&function.WaitForFunctionRequest{FunctionID: m.function.ID, RetryInterval: new(20 * time.Millisecond)}); err != nil {
		t.Fatal(err)
	}
	m.run("second", 0, args, "2 ~1")
	f := m.ready(api, m.function.ID)
	if f.MemoryLimit != 512 {
		t.Errorf("got %+v, want the memory of the source", f)
	}
	if status, body := m.call(f.DomainName, m.tokens[0].Token); status != http.StatusOK || body != "second" {
		t.Errorf("got %d %q, want the changed code", status, body)
	}
}

func TestImport_RefusesInvalidArguments(t *testing.T) {
	m := newMove(t)
	bad := m.write("bad", "x")
	redirect := httptest.NewServer(http.RedirectHandler("http://192.0.2.1/key", http.StatusFound))
	defer redirect.Close()
	loopback := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { fmt.Fprint(w, "x") }))
	defer loopback.Close()
	for name, test := range map[string]struct {
		args   []string
		status int
		want   string
	}{
		"not a key":          {[]string{"--public-key", "shop=" + bad}, 1, "public key of namespace shop: parse public key: not PEM"},
		"key without TLS":    {[]string{"--public-key", "shop=http://192.0.2.1/key"}, 1, "the key could be replaced on the network"},
		"redirect to HTTP":   {[]string{"--public-key", "shop=" + redirect.URL}, 1, "the key could be replaced on the network"},
		"key of loopback":    {[]string{"--public-key", "shop=" + loopback.URL}, 1, "public key of namespace shop: parse public key: not PEM"},
		"no key file":        {[]string{"--public-key", "shop=/none"}, 1, "public key of namespace shop: open /none"},
		"unknown namespace":  {[]string{"--public-key", "none=" + filepath.Join(m.dir, "key.pem")}, 1, `public key of namespace "none": the source has no such namespace`},
		"selected namespace": {[]string{"--namespace", "none"}, 1, `find namespace "none"`},
		"no secrets file":    {[]string{"--secrets", "/none"}, 1, "read the secrets: open /none"},
		"invalid secrets":    {[]string{"--secrets", bad}, 1, "parse the secrets"},
		"unknown kind":       {[]string{"--skip", "functions"}, 2, "must be one of"},
		"the server itself":  {[]string{"--source-url", m.target.APIURL}, 1, "the source is the server itself"},
		"no such profile":    {[]string{"--scw-config", m.write("scw.yaml", "{}"), "--profile", "none"}, 1, "profile none of "},
		"no key":             {[]string{"--scw-config", m.write("empty.yaml", "{}")}, 1, "open the source"},
		"no server":          {[]string{"--data-dir", "/nonexistent"}, 1, "start 'jeton serve' first"},
		"unreachable":        {[]string{"--source-url", "ftp://x"}, 1, ""},
		"no parallelism":     {[]string{"--parallel", "0"}, 1, "parallel is 0"},
	} {
		m.run(name, test.status, test.args, test.want)
	}
}

// What was deleted here is skipped, and not an error: imports go on until the move.
func TestImport_SucceedsAfterDeletionsHere(t *testing.T) {
	m := newMove(t)
	if _, err := m.api.CreateCron(&function.CreateCronRequest{FunctionID: m.function.ID, Schedule: "0 3 * * *", Name: new("nightly")}); err != nil {
		t.Fatal(err)
	}
	args := []string{"--public-key", m.namespace.ID + "=" + filepath.Join(m.dir, "key.pem"), "--secrets", m.write("secrets.yaml", "shop/pay: {API: "+jetontest.SecretMark+"}\n")}
	m.run("first", 0, args, "2 +2")
	api := m.imported()
	m.ready(api, m.function.ID)
	if _, err := api.DeleteFunction(&function.DeleteFunctionRequest{FunctionID: m.function.ID}); err != nil {
		t.Fatal(err)
	}
	m.run("after the deletion", 0, args, "it was deleted here after an earlier import", "its function was deleted here after an earlier import")
	await.True(t, "the function is gone", func() bool {
		_, err := api.GetFunction(&function.GetFunctionRequest{FunctionID: m.function.ID})
		return err != nil
	})
	m.run("after it is gone", 0, args, "its function was deleted here after an earlier import")
	if status, _ := m.call(m.function.DomainName, m.tokens[1].Token); status == http.StatusOK {
		t.Error("the function that was deleted here is called")
	}
}

func TestTokenForeign_RemovesKeys(t *testing.T) {
	m := newMove(t)
	args := []string{"--public-key", "shop=" + filepath.Join(m.dir, "key.pem"), "--secrets", m.write("secrets.yaml", "shop/pay: {API: "+jetontest.SecretMark+"}\n")}
	m.run("import", 0, args, "yes")
	m.ready(m.imported(), m.function.ID)
	call := func(what string, want int) {
		t.Helper()
		for _, issued := range m.tokens {
			if got, _ := m.call(m.function.DomainName, issued.Token); got != want {
				t.Errorf("%s: got status %d, want %d", what, got, want)
			}
		}
	}
	call("with the key", http.StatusOK)
	status, output := command(t, "", "token", "foreign", "--namespace", m.namespace.ID)
	wantOutput(t, "state", status, 0, output, "accepts tokens of", "(1 keys)", "\nkey ")
	_, fingerprint, _ := strings.Cut(strings.TrimSpace(output), "\nkey ")
	status, output = command(t, "", "token", "foreign", "--namespace", m.namespace.ID, "--remove-key", "00000000")
	wantOutput(t, "another key", status, 1, output, "no public key with this fingerprint")
	status, output = command(t, "", "token", "foreign", "--namespace", m.namespace.ID, "--remove-key", fingerprint[:16])
	wantOutput(t, "remove", status, 0, output, "(0 keys)")
	call("without the key", http.StatusForbidden)
	m.run("import again", 0, args, "yes")
	call("with the key again", http.StatusOK)
	status, output = command(t, "", "token", "foreign", "--namespace", m.namespace.ID, "--accept", "--remove-key", fingerprint)
	wantOutput(t, "two changes", status, 2, output, "can't be used together")
}
