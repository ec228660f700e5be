package main

import (
	"bytes"
	"encoding/json"
	"os"
	"os/user"
	"path/filepath"
	"strconv"
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

// commandJSON runs a command line with --json and returns the object that it prints.
func commandJSON[T any](t *testing.T, args ...string) T {
	t.Helper()
	var printed T
	var out, errOut bytes.Buffer
	status := run(append(args, "--json"), strings.NewReader(""), &out, &errOut)
	if err := json.NewDecoder(&out).Decode(&printed); status != 0 || err != nil {
		t.Fatalf("%v: got status %d, %v and %s%s, want JSON", args, status, err, out.String(), errOut.String())
	}
	return printed
}

// A commandCase is a command line, with its expected exit status and output.
type commandCase struct {
	args   string
	status int
	want   string
}

func (c commandCase) check(t *testing.T, name string) {
	t.Helper()
	status, output := command(t, "", strings.Fields(c.args)...)
	wantOutput(t, name, status, c.status, output, c.want)
}

func TestProjectAndKeyCommands(t *testing.T) {
	jeton := jetontest.Start(t)
	t.Setenv("JETON_DATA_DIR", jeton.DataDir)

	p := commandJSON[admin.Project](t, "project", "create", "second")
	if p.OrganizationID != jeton.OrganizationID {
		t.Errorf("project: got organization %s, want %s", p.OrganizationID, jeton.OrganizationID)
	}
	status, output := command(t, "", "project", "list")
	wantOutput(t, "project list", status, 0, output, "PROJECT", jeton.ProjectID+"  default", p.ID+"  second")
	status, output = command(t, "", "project", "create", "second")
	wantOutput(t, "project create with a used name", status, 1, output, p.ID)

	key := commandJSON[admin.APIKey](t, "apikey", "create", "--project", "second",
		"--permissions", "FunctionsFullAccess,FunctionsFullAccess", "--description", "for CI", "--expires-in", "1h")
	if key.ProjectID != p.ID || len(key.Permissions) != 1 || key.ExpiresAt == nil || time.Until(*key.ExpiresAt) > time.Hour {
		t.Errorf("got key %+v, want one permission and an expiry within an hour", key)
	}
	n, err := function.NewAPI(jeton.ClientOf(key)).CreateNamespace(&function.CreateNamespaceRequest{Name: "mine"})
	if err != nil || n.ProjectID != p.ID {
		t.Errorf("create a namespace with the key: got %+v, %v, want project %s", n, err, p.ID)
	}
	status, output = command(t, "", "apikey", "list", "--project", p.ID)
	wantOutput(t, "apikey list", status, 0, output, "ACCESS KEY", key.AccessKey, "FunctionsFullAccess", "for CI")
	if strings.Contains(output, jeton.AccessKey) {
		t.Errorf("list of a project: got a key of another project: %s", output)
	}
	status, output = command(t, "", "apikey", "list", "--json")
	wantOutput(t, "apikey list --json", status, 0, output, key.AccessKey, jeton.AccessKey)
	for _, secret := range []string{key.SecretKey, jeton.SecretKey, "igest", "secret"} {
		if strings.Contains(output, secret) {
			t.Errorf("list contains %q: %s", secret, output)
		}
	}
	status, output = command(t, "", "apikey", "revoke", key.AccessKey)
	wantOutput(t, "apikey revoke", status, 0, output, key.AccessKey+" is revoked")
	if _, err := function.NewAPI(jeton.ClientOf(key)).ListNamespaces(&function.ListNamespacesRequest{}); err == nil {
		t.Error("a revoked key is accepted")
	}
	if strings.Contains(jeton.Log.String(), key.SecretKey) {
		t.Error("the log contains the secret key")
	}
}

func TestRotate_UpdatesCredentialsFile(t *testing.T) {
	jeton := jetontest.Start(t)
	t.Setenv("JETON_DATA_DIR", jeton.DataDir)
	key := commandJSON[admin.APIKey](t, "apikey", "rotate", jeton.AccessKey)
	path := server.CredentialsPath(jeton.DataDir)
	config, err := scw.LoadConfigFromPath(path)
	if err != nil || text(config.SecretKey) != key.SecretKey || text(config.AccessKey) != key.AccessKey {
		t.Errorf("credentials: got %v, want the new key", err)
	}
	if info, err := os.Stat(path); err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("credentials: got mode %v, %v, want 0600", info.Mode(), err)
	}
	if _, err := function.NewAPI(jeton.ClientOf(key)).ListNamespaces(&function.ListNamespacesRequest{}); err != nil {
		t.Errorf("request with the new key: %v", err)
	}
	if _, err := function.NewAPI(jeton.Client()).ListNamespaces(&function.ListNamespacesRequest{}); err == nil {
		t.Error("the old key is accepted")
	}
}

func TestProjectAndKeyCommands_RefuseInvalidArguments(t *testing.T) {
	jeton := jetontest.Start(t)
	t.Setenv("JETON_DATA_DIR", jeton.DataDir)
	for name, test := range map[string]commandCase{
		"no permissions":      {"apikey create", 2, "missing flags: --permissions"},
		"unknown permissions": {"apikey create --permissions AllProductsFullAccess", 1, "must be among FunctionsFullAccess, FunctionsReadOnly, FunctionsPrivateAccess"},
		"no such project":     {"apikey create --project x --permissions FunctionsReadOnly", 1, "Project was not found"},
		"expiry in the past":  {"apikey create --permissions FunctionsReadOnly --expires-at 2020-01-01T00:00:00Z", 1, "expires_at: is in the past"},
		"negative lifetime":   {"apikey create --permissions FunctionsReadOnly --expires-in=-1h", 1, "expires_at: is in the past"},
		"two expiries":        {"apikey create --permissions FunctionsReadOnly --expires-in 1h --expires-at 2050-01-01T00:00:00Z", 2, "can't be used together"},
		"no such key":         {"apikey revoke SCWX", 1, "API key was not found"},
		"path as a key":       {"apikey revoke ../projects", 1, "API key was not found"},
		"rotate unknown key":  {"apikey rotate SCWX", 1, "API key was not found"},
		"negative overlap":    {"apikey rotate --overlap=-1h " + jeton.AccessKey, 1, "must not be negative"},
		"unknown project":     {"apikey list --project x", 1, "Project was not found"},
		"name like an ID":     {"project create " + jeton.ProjectID, 1, "must not look like the ID"},
		"name with a bell":    {"project create a\ab", 1, "without control characters"},
		"long name":           {"project create " + strings.Repeat("x", 201), 1, "at most 200 bytes"},
		"no server":           {"apikey list --data-dir /nonexistent", 1, "start 'jeton serve' first"},
		"project, no server":  {"project list --data-dir /nonexistent", 1, "start 'jeton serve' first"},
	} {
		test.check(t, name)
	}
}

func TestTokenList_ShowsTokensOfNamespace(t *testing.T) {
	jeton := jetontest.Start(t)
	t.Setenv("JETON_DATA_DIR", jeton.DataDir)
	issued := issue(t, function.NewAPI(jeton.Client()))
	status, output := command(t, "", "token", "list", "--namespace", *issued.NamespaceID)
	wantOutput(t, "token list", status, 0, output, "TOKEN", "LAST USED", issued.ID, "never")
	tokens := commandJSON[[]admin.Token](t, "token", "list", "--namespace", *issued.NamespaceID)
	if len(tokens) != 1 || tokens[0].ID != issued.ID || tokens[0].NamespaceID != *issued.NamespaceID || tokens[0].ExpiresAt == nil {
		t.Errorf("got tokens %+v, want %s", tokens, issued.ID)
	}
	for name, test := range map[string]commandCase{
		"no scope":          {"token list", 1, "name either a function or a --namespace"},
		"two scopes":        {"token list --namespace x y", 1, "name either a function or a --namespace"},
		"unknown namespace": {"token list --namespace x", 1, `find namespace "x": not found`},
		"unknown function":  {"token list --function x", 1, `find function "x": not found`},
	} {
		test.check(t, name)
	}
}

func TestAudit_PrintsEntries(t *testing.T) {
	jeton := jetontest.Start(t)
	t.Setenv("JETON_DATA_DIR", jeton.DataDir)
	status, output := command(t, "", "project", "create", "audited")
	wantOutput(t, "project create", status, 0, output)
	if _, err := function.NewAPI(jeton.Client()).CreateNamespace(&function.CreateNamespaceRequest{Name: "audited"}); err != nil {
		t.Fatal(err)
	}
	jeton.Stop()
	status, output = command(t, "", "audit")
	wantOutput(t, "audit", status, 0, output, "owner", "POST /projects", jeton.AccessKey, "127.0.0.1", "200  POST /functions/v1beta1/regions/{region}/namespaces")
	e := commandJSON[audit.Entry](t, "audit", "--since", "1h")
	if e.Endpoint != "POST /projects" || e.From != audit.Owner || e.Status != 200 {
		t.Errorf("first entry: got %+v, want POST /projects by the owner", e)
	}
	if status, printed := command(t, "", "audit", "--since", "0s"); status != 0 || printed != "" {
		t.Errorf("audit --since 0s: got status %d and %q, want no entries", status, printed)
	}
	for name, test := range map[string]commandCase{
		"since a time":    {"audit --since 2026-01-01T00:00:00Z", 0, "POST /projects"},
		"since yesterday": {"audit --since yesterday", 2, "neither a time such as"},
		"no log":          {"audit --data-dir /nonexistent", 1, "no audit log in /nonexistent"},
	} {
		test.check(t, name)
	}
}

// After a restore the machine has no credentials; other users of the machine read a shared file.
func TestApikeyCreate_SavesCredentials(t *testing.T) {
	jeton := jetontest.Start(t)
	t.Setenv("JETON_DATA_DIR", jeton.DataDir)
	path := filepath.Join(t.TempDir(), "credentials.yaml")
	group, err := user.LookupGroupId(strconv.Itoa(os.Getegid()))
	if err != nil {
		t.Fatal(err)
	}
	create := []string{"apikey", "create", "--organization", "--permissions", "FunctionsFullAccess", "--save", path, "--group", group.Name}
	status, output := command(t, "", create...)
	wantOutput(t, "apikey create", status, 0, output, "saved the key to "+path)
	info, err := os.Stat(path)
	if err != nil || info.Mode().Perm() != 0o640 {
		t.Errorf("got %v, %v, want a file that the group may read", info, err)
	}
	status, output = command(t, "", "namespace", "list", "--credentials", path)
	wantOutput(t, "a command with the file", status, 0, output)
	status, output = command(t, "", create...)
	wantOutput(t, "apikey create again", status, 2, output, "exists: name another file")
	status, output = command(t, "", "apikey", "create", "--permissions", "FunctionsFullAccess", "--group", group.Name)
	wantOutput(t, "apikey create without a file", status, 2, output, "add --save")
}
