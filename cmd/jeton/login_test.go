package main

import (
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/scaleway/scaleway-sdk-go/scw"

	"github.com/jeton-dev/jeton/internal/admin"
	"github.com/jeton-dev/jeton/test/jetontest"
)

func TestLogin_SavesProfile(t *testing.T) {
	jeton := jetontest.Start(t)
	path := filepath.Join(t.TempDir(), "scw", "config.yaml")
	t.Setenv(scw.ScwConfigPathEnv, path)
	// The file has a profile of Scaleway, which stays as it is, and others can read it.
	before := scw.Config{
		Profile:       scw.Profile{AccessKey: new("SCW11111111111111111"), SecretKey: new("11111111-1111-1111-1111-111111111111")},
		ActiveProfile: new("cloud"), Profiles: map[string]*scw.Profile{"cloud": {DefaultZone: new("fr-par-2")}},
	}
	if err := before.SaveTo(path); err != nil {
		t.Fatal(err)
	}
	if err := os.Chmod(path, 0o644); err != nil {
		t.Fatal(err)
	}
	status, output := command(t, jeton.SecretKey+"\n", "login", jeton.APIURL+"/", "--region", "nl-ams")
	wantOutput(t, "login", status, 0, output, jeton.AccessKey, "FunctionsFullAccess", "as profile 127.0.0.1 in "+path, "export JETON_PROFILE='127.0.0.1'")
	if strings.Contains(output, jeton.SecretKey) {
		t.Errorf("the output has the secret key: %s", output)
	}
	after, err := scw.LoadConfigFromPath(path)
	if err != nil {
		t.Fatal(err)
	}
	if text(after.SecretKey) != text(before.SecretKey) || text(after.ActiveProfile) != "cloud" || text(after.Profiles["cloud"].DefaultZone) != "fr-par-2" {
		t.Errorf("got %+v, want the other profiles unchanged", after)
	}
	saved := after.Profiles["127.0.0.1"]
	for name, values := range map[string][2]string{
		"api_url": {text(saved.APIURL), jeton.APIURL}, "access_key": {text(saved.AccessKey), jeton.AccessKey},
		"secret_key": {text(saved.SecretKey), jeton.SecretKey}, "default_project_id": {text(saved.DefaultProjectID), jeton.ProjectID},
		"default_organization_id": {text(saved.DefaultOrganizationID), jeton.OrganizationID}, "default_region": {text(saved.DefaultRegion), "nl-ams"},
	} {
		if values[0] != values[1] {
			t.Errorf("%s: got %q, want %q", name, values[0], values[1])
		}
	}
	if info, err := os.Stat(path); err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("got mode %v, error %v, want 0600", info.Mode(), err)
	}
	status, output = command(t, "", "namespace", "list", "--profile", "127.0.0.1", "-o", "json")
	wantOutput(t, "a command with the profile", status, 0, output, "[]\n")
}

func TestLogin_RefusesWhatItCannotVerify(t *testing.T) {
	jeton := jetontest.Start(t)
	path := filepath.Join(t.TempDir(), "config.yaml")
	t.Setenv(scw.ScwConfigPathEnv, path)
	website := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write([]byte("<html>")) }))
	t.Cleanup(website.Close)
	secure := httptest.NewTLSServer(http.NotFoundHandler())
	t.Cleanup(secure.Close)
	for name, test := range map[string]struct {
		input, args string
		status      int
		want        string
	}{
		"no URL":                {"", "login", 2, "<url>"},
		"no scheme":             {"", "login functions.example.com", 1, "is not the URL of an API"},
		"another scheme":        {"", "login ftp://functions.example.com", 1, "is not the URL of an API"},
		"URL with a password":   {"", "login https://a:b@functions.example.com", 1, "is not the URL of an API"},
		"unknown region":        {"", "login " + jeton.APIURL + " --region mars", 2, "fr-par"},
		"no key":                {"\n", "login " + jeton.APIURL, 1, "no secret key"},
		"access key":            {jeton.AccessKey, "login " + jeton.APIURL, 1, "it is a UUID"},
		"wrong key":             {jeton.ProjectID, "login " + jeton.APIURL, 1, "refuses the secret key"},
		"gateway":               {jeton.SecretKey, "login " + jeton.GatewayURL, 1, "is not the API of a Jeton server"},
		"website":               {jeton.SecretKey, "login " + website.URL, 1, "is not the API of a Jeton server"},
		"no server":             {jeton.SecretKey, "login http://127.0.0.1:1", 1, "no server answers at http://127.0.0.1:1"},
		"untrusted certificate": {jeton.SecretKey, "login " + secure.URL, 1, "SSL_CERT_FILE"},
	} {
		status, output := command(t, test.input, strings.Fields(test.args)...)
		wantOutput(t, name, status, test.status, output, test.want)
		if strings.Contains(output, jeton.SecretKey) {
			t.Errorf("%s: the output has the secret key", name)
		}
	}
	if _, err := os.Stat(path); err == nil {
		t.Error("a refused login has written a file")
	}
	// A profile of another server is kept.
	other := scw.Config{Profiles: map[string]*scw.Profile{"team": {APIURL: new("https://other.example.com")}}}
	if err := other.SaveTo(path); err != nil {
		t.Fatal(err)
	}
	login := []string{"login", jeton.APIURL, "--profile", "team"}
	status, output := command(t, jeton.SecretKey, login...)
	wantOutput(t, "profile of another server", status, 1, output, "belongs to another server, https://other.example.com")
	status, output = command(t, jeton.SecretKey, append(login, "--replace")...)
	wantOutput(t, "replace", status, 0, output, "as profile team")
}

func TestApikeyUpdate_ChangesKey(t *testing.T) {
	jeton := jetontest.Start(t)
	t.Setenv("JETON_DATA_DIR", jeton.DataDir)
	key := commandJSON[admin.APIKey](t, "apikey", "create", "--permissions", "FunctionsReadOnly", "--description", "before", "--expires-in", "1h")
	changed := commandJSON[admin.APIKey](t, "apikey", "update", key.AccessKey, "--description", "after", "--permissions", "FunctionsFullAccess")
	if changed.Description != "after" || len(changed.Permissions) != 1 || changed.Permissions[0] != "FunctionsFullAccess" || !changed.ExpiresAt.Equal(*key.ExpiresAt) {
		t.Errorf("got %+v, want another description, other permissions and the same expiry", changed)
	}
	if changed.SecretKey != "" {
		t.Error("the output has a secret key")
	}
	// The secret key works with the new permissions, also from another machine.
	t.Setenv("JETON_DATA_DIR", filepath.Join(t.TempDir(), "none"))
	status, output := command(t, "", "namespace", "create", "mine", "--api-url", jeton.APIURL, "--api-key", key.SecretKey)
	wantOutput(t, "a change with the new permissions", status, 0, output)
	status, output = command(t, "", "apikey", "update", key.AccessKey, "--never-expires", "--api-url", jeton.APIURL, "--api-key", jeton.SecretKey)
	wantOutput(t, "over the API", status, 0, output, "after", "expires       never")
	for name, test := range map[string]commandCase{
		"nothing":            {"apikey update " + key.AccessKey, 2, "nothing to change"},
		"two expiries":       {"apikey update x --never-expires --expires-in 1h", 2, "can't be used together"},
		"unknown key":        {"apikey update SCWX --never-expires --data-dir " + jeton.DataDir, 1, "API key was not found"},
		"unknown permission": {"apikey update " + key.AccessKey + " --permissions X --data-dir " + jeton.DataDir, 1, "must be among FunctionsFullAccess"},
		"expiry in the past": {"apikey update " + key.AccessKey + " --expires-in=-1h --data-dir " + jeton.DataDir, 1, "is in the past"},
	} {
		test.check(t, name)
	}
}
