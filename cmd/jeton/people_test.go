package main

import (
	"bytes"
	"encoding/json"
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/scaleway/scaleway-sdk-go/scw"

	"github.com/jeton-dev/jeton/internal/admin"
	"github.com/jeton-dev/jeton/test/jetontest"
)

// varying are the parts of an output that differ between runs.
var varying = []struct {
	pattern *regexp.Regexp
	name    string
}{
	{regexp.MustCompile(`eyJ[\w-]+\.[\w-]+\.[\w-]+`), "TOKEN"},
	{regexp.MustCompile(`[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}`), "UUID"},
	{regexp.MustCompile(`\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?(Z|[+-]\d\d:\d\d)`), "TIME"},
	{regexp.MustCompile(`\b\d\d:\d\d:\d\d\.\d{3}\b`), "TIME"},
	{regexp.MustCompile(`127\.0\.0\.1:\d+`), "ADDRESS"},
	{regexp.MustCompile(`\b[0-9.]+(ms|µs|s)\b`), "DURATION"},
	{regexp.MustCompile(`\b[0-9a-f]{64}\b`), "DIGEST"},
	{regexp.MustCompile(`\bi[0-9a-f]{12}\b`), "INSTANCE"},
	{regexp.MustCompile(`default[a-z0-9]{8}-`), "default-SUFFIX-"},
	{regexp.MustCompile(`\d+ bytes`), "N bytes"},
	{regexp.MustCompile(` +\n`), "\n"},
	{regexp.MustCompile(`  +`), "  "},
	// The frames of the interpreter depend on its version.
	{regexp.MustCompile(`(?m)^TIME stderr  at (.*(bootstrap|node:internal|<anonymous>).*)\n`), ""},
	// How many steps of a short build are seen differs.
	{regexp.MustCompile(`(?m)^step \d of 3: .*\n`), ""},
}

// testdata is absolute: tests change their directory.
var testdata = func() string {
	dir, err := filepath.Abs("testdata")
	if err != nil {
		panic(err)
	}
	return dir
}()

// golden compares an output with testdata/NAME.txt, without the parts that vary.
func golden(t *testing.T, name, output string) {
	t.Helper()
	for _, v := range varying {
		output = v.pattern.ReplaceAllString(output, v.name)
	}
	path := filepath.Join(testdata, name+".txt")
	if *update {
		if err := os.MkdirAll(testdata, 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(output), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if output != string(want) {
		t.Errorf("%s: got\n%s\nwant\n%s", name, output, want)
	}
}

// transcript runs command lines and returns them with what they print, as in a terminal.
func transcript(t *testing.T, lines ...string) string {
	t.Helper()
	var all strings.Builder
	for _, line := range lines {
		var out, errOut bytes.Buffer
		status := run(strings.Fields(line), strings.NewReader(""), &out, &errOut)
		all.WriteString("$ jeton " + line + "\n" + errOut.String() + out.String())
		if !strings.HasSuffix(all.String(), "\n") {
			all.WriteString("\n")
		}
		if status != 0 {
			all.WriteString("[exit status " + string(rune('0'+status)) + "]\n")
		}
	}
	return all.String()
}

// inFolder changes to a new folder with files, given as path and content.
func inFolder(t *testing.T, files map[string]string) {
	t.Helper()
	dir := t.TempDir()
	t.Chdir(dir)
	for name, content := range files {
		if err := os.MkdirAll(filepath.Dir(name), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(name, []byte(content), 0o644); err != nil {
			t.Fatal(err)
		}
	}
}

const helloJS = `exports.handle = (event) => {
  if (event.path === '/fail') throw new Error('asked to fail');
  console.log('path ' + event.path);
  return 'Hello from ' + event.path;
};
`

func TestDay_OfADeveloper(t *testing.T) {
	jeton := jetontest.Start(t)
	t.Setenv("JETON_DATA_DIR", jeton.DataDir)
	inFolder(t, map[string]string{"hello/handler.js": helloJS})
	golden(t, "deploy", transcript(t, "deploy hello", "deploy hello --token", "deploy nothing"))
	golden(t, "invoke", transcript(t, "invoke hello /a?b=c", "invoke hello /fail -f", "invoke default/hello -d x -X PUT", "invoke none"))
	golden(t, "objects", transcript(t, "function list", "function get default/hello", "namespace list", "namespace get default",
		"namespace create other", "namespace create other", "cron list", "trigger list hello", "domain list", "logs hello --tail 1", "logs --build hello"))
	golden(t, "delete", transcript(t, "function delete default/hello", "function get hello", "namespace delete default other", "namespace list"))
}

func TestInvoke_RevokesItsToken(t *testing.T) {
	jeton := jetontest.Start(t)
	t.Setenv("JETON_DATA_DIR", jeton.DataDir)
	inFolder(t, map[string]string{"hello/handler.js": helloJS})
	transcript(t, "deploy hello")
	result := commandJSON[invocation](t, "invoke", "hello")
	if result.Status != http.StatusOK || result.Body != "Hello from /" || result.Instance != "warm" || len(result.Logs) != 1 || result.Logs[0].Message != "path /" {
		t.Errorf("got %+v, want 200 from a warm instance with one log line", result)
	}
	if tokens := commandJSON[[]admin.Token](t, "token", "list", "hello"); len(tokens) != 0 {
		t.Errorf("after the call: got tokens %v, want none", tokens)
	}
}

func TestToken_CreatedAndRevoked(t *testing.T) {
	jeton := jetontest.Start(t)
	t.Setenv("JETON_DATA_DIR", jeton.DataDir)
	inFolder(t, map[string]string{"hello/handler.js": helloJS})
	transcript(t, "deploy hello")
	call := func(token string) int {
		t.Helper()
		request, err := http.NewRequestWithContext(t.Context(), http.MethodGet, jeton.GatewayURL+"/functions/default/hello", http.NoBody)
		if err != nil {
			t.Fatal(err)
		}
		request.Header.Set("X-Auth-Token", token)
		response, err := http.DefaultClient.Do(request)
		if err != nil {
			t.Fatal(err)
		}
		defer response.Body.Close()
		return response.StatusCode
	}
	for _, scope := range [][]string{{"hello"}, {"--namespace", "default"}} {
		status, token := command(t, "", append([]string{"token", "create", "--expires-in", "1h"}, scope...)...)
		if token = strings.TrimSpace(token); status != 0 || call(token) != http.StatusOK {
			t.Fatalf("%v: got status %d and token %q, want a token that is admitted", scope, status, token)
		}
		tokens := commandJSON[[]admin.Token](t, append([]string{"token", "list"}, scope...)...)
		if len(tokens) != 1 || tokens[0].CreatedAt.IsZero() {
			t.Fatalf("%v: got tokens %v, want one", scope, tokens)
		}
		status, output := command(t, "", "token", "revoke", "fr-par/"+tokens[0].ID)
		wantOutput(t, "revoke", status, 0, output, "is revoked")
		if got := call(token); got != http.StatusForbidden {
			t.Errorf("%v: after the revocation: got %d, want 403", scope, got)
		}
	}
	for name, test := range map[string]commandCase{
		"no scope":       {"token create", 1, "name either a function or a --namespace"},
		"no such token":  {"token revoke " + jeton.ProjectID, 1, "find token"},
		"not a token ID": {"token revoke x", 1, `find token "x"`},
		"past expiry":    {"token create hello --expires-in=-1h", 1, "must be positive"},
	} {
		test.check(t, name)
	}
}

func TestConnect_SelectsServer(t *testing.T) {
	one, two := jetontest.Start(t), jetontest.Start(t)
	home := t.TempDir()
	t.Setenv("HOME", home)
	t.Setenv("XDG_CONFIG_HOME", filepath.Join(home, ".config"))
	t.Setenv("XDG_DATA_HOME", home)
	for _, jeton := range []*jetontest.Jeton{one, two} {
		t.Setenv("JETON_DATA_DIR", jeton.DataDir)
		status, output := command(t, "", "namespace", "create", map[*jetontest.Jeton]string{one: "one", two: "two"}[jeton])
		wantOutput(t, "namespace create", status, 0, output)
	}
	if err := os.Unsetenv("JETON_DATA_DIR"); err != nil {
		t.Fatal(err)
	}
	writeProfiles(t, home, two)
	for name, test := range map[string]struct {
		environment map[string]string
		args        string
		status      int
		want        string
	}{
		"nothing":                {nil, "", 1, "no credentials at " + home},
		"data directory":         {nil, "--data-dir " + one.DataDir, 0, "one"},
		"credentials file":       {nil, "--credentials " + one.DataDir + ".credentials.yaml", 0, "one"},
		"profile":                {nil, "--profile two", 0, "two"},
		"profile of Scaleway":    {nil, "--profile official", 1, "has no api_url"},
		"unknown profile":        {nil, "--profile none", 1, "read profile none"},
		"flags":                  {nil, "--api-url " + two.APIURL + " --api-key " + two.SecretKey, 0, "two"},
		"address without a key":  {nil, "--data-dir " + one.DataDir + " --api-url " + two.APIURL, 1, "no API key for " + two.APIURL},
		"environment":            {one.Env(), "", 0, "one"},
		"environment of another": {one.Env(), "--data-dir " + two.DataDir, 0, "two"},
		"environment, no key":    {map[string]string{scw.ScwAPIURLEnv: one.APIURL}, "", 1, "no API key for"},
		"wrong key":              {nil, "--api-url " + one.APIURL + " --api-key " + two.ProjectID, 1, "denied authentication"},
		"no server":              {nil, "--api-url http://127.0.0.1:1 --api-key " + two.SecretKey, 1, "no server answers at http://127.0.0.1:1"},
	} {
		for key, value := range test.environment {
			t.Setenv(key, value)
		}
		status, output := command(t, "", strings.Fields("namespace list "+test.args)...)
		wantOutput(t, name, status, test.status, output, test.want)
		for key := range test.environment {
			if err := os.Unsetenv(key); err != nil {
				t.Fatal(err)
			}
		}
	}
}

// writeProfiles writes Scaleway's configuration file with a profile for a server and one for
// Scaleway.
func writeProfiles(t *testing.T, home string, jeton *jetontest.Jeton) {
	t.Helper()
	config := scw.Config{Profiles: map[string]*scw.Profile{
		"two":      {APIURL: &jeton.APIURL, AccessKey: &jeton.AccessKey, SecretKey: &jeton.SecretKey, DefaultProjectID: &jeton.ProjectID},
		"official": {AccessKey: &jeton.AccessKey, SecretKey: &jeton.SecretKey},
	}}
	if err := config.SaveTo(filepath.Join(home, ".config", "scw", "config.yaml")); err != nil {
		t.Fatal(err)
	}
}

func TestDeploy_OfAProject(t *testing.T) {
	jeton := jetontest.Start(t)
	t.Setenv("JETON_DATA_DIR", jeton.DataDir)
	t.Setenv("MY_SECRET", "not to be shown")
	inFolder(t, map[string]string{
		"a/handler.js": "exports.handle = () => process.env.GREETING + ' ' + process.env.MY_SECRET.length\n",
		"b/main.py":    "def handle(event, context):\n    return 'from b'\n",
		"functions.yaml": `namespace: shop
functions:
  first: {dir: a, runtime: node22, handler: handler.handle, privacy: public, memory: 128, timeout: 10s, env: {GREETING: hi}, secrets: [MY_SECRET]}
  second: {dir: b, runtime: python312, handler: main.handle}
`,
	})
	all := commandJSON[[]deployed](t, "deploy")
	if len(all) != 2 || all[0].Private || !all[1].Private || all[0].URL != jeton.GatewayURL+"/functions/shop/first" {
		t.Fatalf("got %+v, want first and second", all)
	}
	var f struct {
		Memory  int    `json:"memory_limit"`
		Timeout string `json:"timeout"`
	}
	_, output := command(t, "", "function", "get", "shop/first", "-o", "json")
	if err := json.Unmarshal([]byte(output), &f); err != nil || f.Memory != 128 || f.Timeout != "10.000000000s" {
		t.Errorf("got %+v, %v from %s, want 128 MB and 10 s", f, err, output)
	}
	for name, want := range map[string]string{"first": "hi 15", "second": "from b"} {
		if got := commandJSON[invocation](t, "invoke", "shop/"+name); got.Body != want {
			t.Errorf("%s: got %q, want %q", name, got.Body, want)
		}
	}
	for name, test := range map[string]commandCase{
		"unknown function": {"deploy --only third", 1, `has no function "third"`},
		"runtime":          {"deploy --runtime node22", 1, "do not apply to a folder with a functions.yaml"},
	} {
		test.check(t, name)
	}
}

func TestDeploy_ExplainsFailures(t *testing.T) {
	jeton := jetontest.Start(t)
	t.Setenv("JETON_DATA_DIR", jeton.DataDir)
	inFolder(t, map[string]string{
		"broken/handler.js": "exports.handle = (\n",
		"two/one.js":        "exports.handle = 1\n",
		"two/two.js":        "exports.handle = 1\n",
		"none/README.md":    "nothing\n",
		"empty/.gitkeep":    "",
		"works/handler.js":  "exports.handle = () => 1\n",
	})
	for name, test := range map[string]commandCase{
		"syntax error":      {"deploy broken", 1, "deploy function broken: an error occurred during function source code build step"},
		"ambiguous handler": {"deploy two", 1, "the handler is ambiguous (one.handle, two.handle): set --handler"},
		"no code":           {"deploy none", 1, "found no language: set --runtime"},
		"unknown runtime":   {"deploy works --runtime node99", 1, `has no runtime "node99"`},
		"missing folder":    {"deploy /nonexistent", 1, "not a folder"},
	} {
		test.check(t, name)
	}
	transcript(t, "deploy works")
	if err := os.WriteFile("works/handler.js", []byte("exports.handle = (\n"), 0o644); err != nil {
		t.Fatal(err)
	}
	commandCase{"deploy works", 1, "the previous deployment continues to serve"}.check(t, "a later failure")
}
