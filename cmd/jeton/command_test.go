package main

import (
	"bytes"
	"cmp"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"

	"github.com/alecthomas/kong"

	"github.com/jeton-dev/jeton/internal/runtime"
	"github.com/jeton-dev/jeton/internal/server"
)

// parse returns the server's configuration as a command line makes it.
func parse(t *testing.T, args ...string) (server.Config, error) {
	t.Helper()
	var line commandLine
	parser, err := kong.New(&line, kong.DefaultEnvars("JETON"), kong.Configuration(loadYAML), defaults())
	if err != nil {
		t.Fatal(err)
	}
	if _, err := parser.Parse(args); err != nil {
		return server.Config{}, err
	}
	return line.Serve.config(line.DataDir), nil
}

// plain takes the functions out, which cannot be compared.
func plain(c server.Config) server.Config {
	c.Now, c.NewID, c.NewKeyPair = nil, nil, nil
	return c
}

func TestDefaultsAreTheServers(t *testing.T) {
	got, err := parse(t, "serve")
	if err != nil {
		t.Fatal(err)
	}
	want := server.DefaultConfig(server.DefaultDataDir())
	want.Toolchains = map[string]string{runtime.Go: "", runtime.Node: "", runtime.Python: "", runtime.PHP: "", runtime.Rust: ""}
	if got, want := plain(got), plain(want); !reflect.DeepEqual(got, want) {
		t.Errorf("the flags' defaults make\n%+v, want\n%+v", got, want)
	}
}

func TestConfigFileIsTheReference(t *testing.T) {
	path := filepath.Join("..", "..", "docs", "jeton.yaml")
	got, err := parse(t, "serve", "--config", path)
	if err != nil {
		t.Fatalf("the documented configuration is refused: %v", err)
	}
	want, err := parse(t, "serve")
	if err != nil {
		t.Fatal(err)
	}
	if got, want := plain(got), plain(want); !reflect.DeepEqual(got, want) {
		t.Errorf("the documented configuration makes\n%+v, want the defaults\n%+v", got, want)
	}
	content, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	for _, field := range reflect.VisibleFields(reflect.TypeFor[serveCommand]()) {
		if field.Anonymous {
			continue // its own fields follow
		}
		name := cmp.Or(field.Tag.Get("name"), flagName(field.Name))
		if !strings.Contains(string(content), "\n"+name+":") && !strings.Contains(string(content), "\n# "+name+":") {
			t.Errorf("docs/jeton.yaml does not name %s", name)
		}
	}
}

// flagName is the name that kong gives the flag of a field.
func flagName(field string) string {
	var name strings.Builder
	for i, r := range field {
		upper := r >= 'A' && r <= 'Z'
		followed := i+1 < len(field) && field[i+1] >= 'a' && field[i+1] <= 'z'
		preceded := i > 0 && field[i-1] >= 'a' && field[i-1] <= 'z'
		if upper && i > 0 && (followed || preceded) {
			name.WriteByte('-')
		}
		name.WriteRune(r)
	}
	return strings.ToLower(name.String())
}

func TestSettingsAndTheirOrder(t *testing.T) {
	path := filepath.Join(t.TempDir(), "jeton.yaml")
	if err := os.WriteFile(path, []byte("api-listen: 1.1.1.1:1\ngateway-listen: 2.2.2.2:2\nqueue: 7\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	t.Setenv("JETON_GATEWAY_LISTEN", "3.3.3.3:3")
	t.Setenv("JETON_DATA_DIR", "/from/environment")
	t.Setenv("JETON_CONFIG", path)
	got, err := parse(t, "serve", "--queue", "9")
	if err != nil {
		t.Fatal(err)
	}
	if got.APIListen != "1.1.1.1:1" || got.GatewayListen != "3.3.3.3:3" || got.Scale.Queue != 9 || got.DataDir != "/from/environment" {
		t.Errorf("got %+v", got)
	}
}

func TestBadConfigFiles(t *testing.T) {
	dir := t.TempDir()
	for name, content := range map[string]string{
		"unknown setting": "api-lisen: x\n",
		"no YAML":         "a: b: c\n",
		"a list":          "- a\n",
		"wrong type":      "queue: many\n",
		"too large":       "# " + strings.Repeat("x", maxConfig),
	} {
		path := filepath.Join(dir, "jeton.yaml")
		if err := os.WriteFile(path, []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
		if got, err := parse(t, "serve", "--config", path); err == nil {
			t.Errorf("%s: accepted as %+v", name, got)
		}
	}
}

func TestRun(t *testing.T) {
	t.Setenv("JETON_DATA_DIR", filepath.Join(t.TempDir(), "none"))
	for name, test := range map[string]struct {
		args   []string
		status int
		says   string
	}{
		"version":           {[]string{"version"}, 0, "jeton "},
		"help":              {[]string{"--help"}, 0, "Run the server."},
		"help of a command": {[]string{"serve", "--help"}, 0, "--gateway-listen"},
		"no command":        {nil, 2, "expected one of"},
		"unknown flag":      {[]string{"serve", "--nonsense"}, 2, "unknown flag --nonsense"},
		"env before serve":  {[]string{"env"}, 1, "start 'jeton serve' first"},
		"help of tf":        {[]string{"tf", "--help"}, 0, "is passed on"},
		"tf before serve":   {[]string{"tf", "plan"}, 1, "start 'jeton serve' first"},
	} {
		var out bytes.Buffer
		if got := run(test.args, strings.NewReader(""), &out, &out); got != test.status || !strings.Contains(out.String(), test.says) {
			t.Errorf("%s: status %d, want %d: %s", name, got, test.status, out.String())
		}
	}
}

func TestReadReattach(t *testing.T) {
	own := `{"registry.terraform.io/jeton-dev/scaleway":{"Protocol":"grpc","Pid":1}}`
	got, err := readReattach(strings.NewReader("Provider started.\n\n\tTF_REATTACH_PROVIDERS='" + own + "'\n"))
	want := `{"hashicorp/scaleway":{"Protocol":"grpc","Pid":1},"jeton-dev/scaleway":{"Protocol":"grpc","Pid":1},"scaleway/scaleway":{"Protocol":"grpc","Pid":1}}`
	if err != nil || got != want {
		t.Errorf("got %s, %v, want %s", got, err, want)
	}
	for _, text := range []string{"", "TF_REATTACH_PROVIDERS='{", "TF_REATTACH_PROVIDERS='no JSON'"} {
		if got, err := readReattach(strings.NewReader(text)); err == nil {
			t.Errorf("%q is read as %s", text, got)
		}
	}
}

func TestTraceFilter(t *testing.T) {
	var out bytes.Buffer
	filter := withoutTrace(&out)
	for _, part := range []string{`{"@level":"tr`, "ace\"}\npanic: x\n{\"@lev", "el\":1}\nlast\n"} {
		if _, err := filter.Write([]byte(part)); err != nil {
			t.Fatal(err)
		}
	}
	if got := out.String(); got != "panic: x\nlast\n" {
		t.Errorf("passed on %q", got)
	}
}

func TestQuote(t *testing.T) {
	for value, want := range map[string]string{"a b": "'a b'", "it's": `'it'\''s'`, "": "''", "$(rm)": "'$(rm)'"} {
		if got := quote(value); got != want {
			t.Errorf("%q is quoted as %s, want %s", value, got, want)
		}
	}
}
