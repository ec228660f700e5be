package main

import (
	"encoding/json"
	"os"
	"strings"
	"testing"
	"time"

	function "github.com/scaleway/scaleway-sdk-go/api/function/v1beta1"
	"github.com/scaleway/scaleway-sdk-go/scw"

	"github.com/jeton-dev/jeton/internal/admin"
	"github.com/jeton-dev/jeton/internal/audit"
	"github.com/jeton-dev/jeton/internal/server"
	"github.com/jeton-dev/jeton/test/jetontest"
)

// commandJSON runs one command line with --json, and returns what it prints.
func commandJSON[T any](t *testing.T, args ...string) T {
	t.Helper()
	var printed T
	status, said := command(t, "", append(args, "--json")...)
	// What is for people follows the object, on the other stream.
	if err := json.NewDecoder(strings.NewReader(said)).Decode(&printed); status != 0 || err != nil {
		t.Fatalf("%v: status %d, %v: %s", args, status, err, said)
	}
	return printed
}

// wanted is what a command line, in words between spaces, must end with and say.
type wanted struct {
	args   string
	status int
	says   string
}

func (want wanted) check(t *testing.T, name string) {
	t.Helper()
	status, says := command(t, "", strings.Fields(want.args)...)
	wantSays(t, name, status, want.status, says, want.says)
}

func TestAccessCommands(t *testing.T) {
	jeton := jetontest.Start(t)
	t.Setenv("JETON_DATA_DIR", jeton.DataDir)

	p := commandJSON[admin.Project](t, "project", "create", "second")
	if p.OrganizationID != jeton.OrganizationID {
		t.Errorf("the project is in the organization %s, want that of the first: %s", p.OrganizationID, jeton.OrganizationID)
	}
	status, said := command(t, "", "project", "list")
	wantSays(t, "project list", status, 0, said, "PROJECT", jeton.ProjectID+"  default", p.ID+"  second")
	status, said = command(t, "", "project", "create", "second")
	wantSays(t, "a second of that name", status, 1, said, "there is a project of that name: "+p.ID)

	key := commandJSON[admin.APIKey](t, "apikey", "create", "--project", "second",
		"--permissions", "FunctionsFullAccess,FunctionsFullAccess", "--description", "for CI", "--expires-in", "1h")
	if key.ProjectID != p.ID || len(key.Permissions) != 1 || key.ExpiresAt == nil || time.Until(*key.ExpiresAt) > time.Hour {
		t.Errorf("the key is %+v", key)
	}
	n, err := function.NewAPI(jeton.ClientOf(key)).CreateNamespace(&function.CreateNamespaceRequest{Name: "mine"})
	if err != nil || n.ProjectID != p.ID {
		t.Errorf("the key makes %+v, %v", n, err)
	}
	status, said = command(t, "", "apikey", "list", "--project", p.ID)
	wantSays(t, "apikey list", status, 0, said, "ACCESS KEY", key.AccessKey, "FunctionsFullAccess", "for CI")
	if strings.Contains(said, jeton.AccessKey) {
		t.Errorf("the list of a project has the key of another: %s", said)
	}
	status, said = command(t, "", "apikey", "list", "--json")
	wantSays(t, "apikey list --json", status, 0, said, key.AccessKey, jeton.AccessKey)
	for _, secret := range []string{key.SecretKey, jeton.SecretKey, "igest", "secret"} {
		if strings.Contains(said, secret) {
			t.Errorf("a list shows %q: %s", secret, said)
		}
	}
	status, said = command(t, "", "apikey", "revoke", key.AccessKey)
	wantSays(t, "apikey revoke", status, 0, said, key.AccessKey+" is revoked")
	if _, err := function.NewAPI(jeton.ClientOf(key)).ListNamespaces(&function.ListNamespacesRequest{}); err == nil {
		t.Error("a revoked key is good")
	}
	if strings.Contains(jeton.Log.String(), key.SecretKey) {
		t.Error("the log has the secret key")
	}
}

// The key of the first start is in the credentials file: when it is rotated,
// clients find the new one there.
func TestRotateCredentials(t *testing.T) {
	jeton := jetontest.Start(t)
	t.Setenv("JETON_DATA_DIR", jeton.DataDir)
	key := commandJSON[admin.APIKey](t, "apikey", "rotate", jeton.AccessKey)
	path := server.CredentialsPath(jeton.DataDir)
	config, err := scw.LoadConfigFromPath(path)
	if err != nil || text(config.SecretKey) != key.SecretKey || text(config.AccessKey) != key.AccessKey {
		t.Errorf("the credentials are not the new key's: %v", err)
	}
	if info, err := os.Stat(path); err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("mode %v, %v, want 0600", info.Mode(), err)
	}
	if _, err := function.NewAPI(jeton.ClientOf(key)).ListNamespaces(&function.ListNamespacesRequest{}); err != nil {
		t.Errorf("the new key: %v", err)
	}
	if _, err := function.NewAPI(jeton.Client()).ListNamespaces(&function.ListNamespacesRequest{}); err == nil {
		t.Error("the old key is good")
	}
}

func TestAccessCommandsRefuse(t *testing.T) {
	jeton := jetontest.Start(t)
	t.Setenv("JETON_DATA_DIR", jeton.DataDir)
	for name, test := range map[string]wanted{
		"no permissions":       {"apikey create", 2, "missing flags: --permissions"},
		"unknown permissions":  {"apikey create --permissions AllProductsFullAccess", 1, "must be of FunctionsFullAccess, FunctionsReadOnly, FunctionsPrivateAccess"},
		"no such project":      {"apikey create --project x --permissions FunctionsReadOnly", 1, "Project was not found"},
		"an expiry that was":   {"apikey create --permissions FunctionsReadOnly --expires-at 2020-01-01T00:00:00Z", 1, "expires_at: has passed"},
		"a negative time":      {"apikey create --permissions FunctionsReadOnly --expires-in=-1h", 1, "expires_at: has passed"},
		"two expiries":         {"apikey create --permissions FunctionsReadOnly --expires-in 1h --expires-at 2050-01-01T00:00:00Z", 2, "can't be used together"},
		"no such key":          {"apikey revoke SCWX", 1, "API key was not found"},
		"path as a key":        {"apikey revoke ../projects", 1, "API key was not found"},
		"rotate what is not":   {"apikey rotate SCWX", 1, "API key was not found"},
		"a negative overlap":   {"apikey rotate --overlap=-1h " + jeton.AccessKey, 1, "must not be negative"},
		"keys of no project":   {"apikey list --project x", 1, "Project was not found"},
		"a name like an ID":    {"project create " + jeton.ProjectID, 1, "must not look like the ID"},
		"a name with a bell":   {"project create a\ab", 1, "without control characters"},
		"a name without end":   {"project create " + strings.Repeat("x", 201), 1, "at most 200 bytes"},
		"no server":            {"apikey list --data-dir /nonexistent", 1, "start 'jeton serve' first"},
		"no server, a project": {"project list --data-dir /nonexistent", 1, "start 'jeton serve' first"},
	} {
		test.check(t, name)
	}
}

func TestTokenList(t *testing.T) {
	jeton := jetontest.Start(t)
	t.Setenv("JETON_DATA_DIR", jeton.DataDir)
	issued := issue(t, function.NewAPI(jeton.Client()))
	status, said := command(t, "", "token", "list", "--namespace", *issued.NamespaceID)
	wantSays(t, "token list", status, 0, said, "TOKEN", "LAST USED", issued.ID, "never")
	tokens := commandJSON[[]admin.Token](t, "token", "list", "--namespace", *issued.NamespaceID)
	if len(tokens) != 1 || tokens[0].ID != issued.ID || tokens[0].NamespaceID != *issued.NamespaceID || tokens[0].ExpiresAt == nil {
		t.Errorf("the tokens are %+v", tokens)
	}
	for name, test := range map[string]wanted{
		"of nothing":      {"token list", 2, "missing flags"},
		"of both":         {"token list --namespace x --function y", 2, "can't be used together"},
		"of no namespace": {"token list --namespace x", 1, "Namespace was not found"},
		"of no function":  {"token list --function x", 1, "Function was not found"},
	} {
		test.check(t, name)
	}
}

func TestAuditCommand(t *testing.T) {
	jeton := jetontest.Start(t)
	t.Setenv("JETON_DATA_DIR", jeton.DataDir)
	status, said := command(t, "", "project", "create", "audited")
	wantSays(t, "project create", status, 0, said)
	if _, err := function.NewAPI(jeton.Client()).CreateNamespace(&function.CreateNamespaceRequest{Name: "audited"}); err != nil {
		t.Fatal(err)
	}
	jeton.Stop()
	status, said = command(t, "", "audit")
	wantSays(t, "audit", status, 0, said, "owner", "POST /projects", jeton.AccessKey, "127.0.0.1", "200  POST /functions/v1beta1/regions/{region}/namespaces")
	e := commandJSON[audit.Entry](t, "audit", "--since", "1h")
	if e.Endpoint != "POST /projects" || e.From != audit.Owner || e.Status != 200 {
		t.Errorf("the first entry is %+v", e)
	}
	if status, printed := command(t, "", "audit", "--since", "0s"); status != 0 || printed != "" {
		t.Errorf("since now: %d %s", status, printed)
	}
	for name, test := range map[string]wanted{
		"since a time":  {"audit --since 2026-01-01T00:00:00Z", 0, "POST /projects"},
		"since nothing": {"audit --since yesterday", 2, "neither a time such as"},
		"no log":        {"audit --data-dir /nonexistent", 1, "no audit log in /nonexistent"},
	} {
		test.check(t, name)
	}
}
