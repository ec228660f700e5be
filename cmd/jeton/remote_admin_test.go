package main

import (
	"net/http"
	"path/filepath"
	"strings"
	"testing"

	function "github.com/scaleway/scaleway-sdk-go/api/function/v1beta1"

	"github.com/jeton-dev/jeton/internal/admin"
	"github.com/jeton-dev/jeton/internal/audit"
	"github.com/jeton-dev/jeton/test/jetontest"
)

// An administrator on another machine has the URL and an API key, and no data directory.
func TestAdministration_OverTheAPI(t *testing.T) {
	jeton := jetontest.Start(t)
	t.Setenv("JETON_DATA_DIR", filepath.Join(t.TempDir(), "none"))
	as := func(key string, args ...string) []string {
		return append(args, "--api-url", jeton.APIURL, "--api-key", key)
	}
	p := commandJSON[admin.Project](t, as(jeton.SecretKey, "project", "create", "second")...)
	key := commandJSON[admin.APIKey](t, as(jeton.SecretKey, "apikey", "create", "--project", "second", "--permissions", "FunctionsFullAccess")...)
	if _, err := function.NewAPI(jeton.ClientOf(key)).ListNamespaces(&function.ListNamespacesRequest{}); err != nil {
		t.Errorf("request with the new key: %v", err)
	}
	for name, test := range map[string]struct {
		key, args string
		status    int
		want      string
	}{
		"list keys":                     {jeton.SecretKey, "apikey list", 0, key.AccessKey},
		"list projects":                 {jeton.SecretKey, "project list", 0, p.ID + "  second"},
		"keys of a project":             {key.SecretKey, "apikey list", 1, "insufficient permissions"},
		"create a key with a project's": {key.SecretKey, "apikey create --permissions FunctionsFullAccess", 1, "insufficient permissions"},
		"audit with a project's":        {key.SecretKey, "audit", 1, "insufficient permissions"},
		"unknown key":                   {jeton.ProjectID, "apikey list", 1, "authentication is denied"},
		"delete a project's":            {key.SecretKey, "project delete second", 1, "insufficient permissions"},
	} {
		status, output := command(t, "", as(test.key, strings.Fields(test.args)...)...)
		wantOutput(t, name, status, test.status, output, test.want)
	}
	status, output := command(t, "", as(jeton.SecretKey, "apikey", "revoke", key.AccessKey)...)
	wantOutput(t, "revoke", status, 0, output, key.AccessKey+" is revoked")
	if _, err := function.NewAPI(jeton.ClientOf(key)).ListNamespaces(&function.ListNamespacesRequest{}); err == nil {
		t.Error("the revoked key is accepted")
	}
	status, output = command(t, "", as(jeton.SecretKey, "project", "delete", "second")...)
	wantOutput(t, "delete", status, 0, output, "project second is deleted")
	status, output = command(t, "", as(jeton.SecretKey, "audit")...)
	wantOutput(t, "audit", status, 0, output, "POST /api-keys", "403", "DELETE /api-keys/{access_key}  "+key.AccessKey, "DELETE /account/v3/projects/{id}")
	e := commandJSON[audit.Entry](t, as(jeton.SecretKey, "audit", "--since", "1h")...)
	if e.AccessKey != jeton.AccessKey || e.From != "127.0.0.1" || e.Status != http.StatusOK || e.Object != p.ID {
		t.Errorf("first entry: got %+v, want the creation of the project by the key", e)
	}
}

func TestProjectDelete_KeepsProjectsInUse(t *testing.T) {
	jeton := jetontest.Start(t)
	t.Setenv("JETON_DATA_DIR", jeton.DataDir)
	status, output := command(t, "", "namespace", "create", "used")
	wantOutput(t, "namespace", status, 0, output)
	status, output = command(t, "", "project", "delete", "default")
	wantOutput(t, "project in use", status, 1, output, "delete project default: ")
	status, output = command(t, "", "project", "delete", "none")
	wantOutput(t, "unknown project", status, 1, output, `find project "none"`)
}
