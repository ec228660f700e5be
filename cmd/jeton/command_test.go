package main

import (
	"bytes"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/jeton-dev/jeton/internal/runtime"
	"github.com/jeton-dev/jeton/internal/server"
)

// parse returns the server configuration that a command line results in.
func parse(t *testing.T, args ...string) (server.Config, error) {
	t.Helper()
	var line commandLine
	parser, err := newParser(&line, nil)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := parser.Parse(args); err != nil {
		return server.Config{}, err
	}
	return line.Serve.config(line.DataDir), nil
}

// plain removes the functions from a configuration, which cannot be compared.
func plain(c server.Config) server.Config {
	c.Now, c.NewID, c.NewKeyPair = nil, nil, nil
	return c
}

func TestServe_DefaultsAreThoseOfTheServer(t *testing.T) {
	got, err := parse(t, "serve")
	if err != nil {
		t.Fatal(err)
	}
	want := server.DefaultConfig(server.DefaultDataDir())
	want.Toolchains = map[string]string{runtime.Go: "", runtime.Node: "", runtime.Python: "", runtime.PHP: "", runtime.Rust: ""}
	if got, want := plain(got), plain(want); !reflect.DeepEqual(got, want) {
		t.Errorf("got %+v, want %+v", got, want)
	}
}

func TestHelp_NamesDefaultAndVariable(t *testing.T) {
	var out bytes.Buffer
	if status := run([]string{"serve", "--help"}, strings.NewReader(""), &out, &out); status != 0 {
		t.Fatalf("got status %d: %s", status, out.String())
	}
	help := strings.Join(strings.Fields(out.String()), " ")
	for _, want := range []string{
		"--build-cache=BYTES Maximum size of the cache of build results (default 2 GiB, $JETON_BUILD_CACHE).",
		"--idle-to-zero=DURATION How long the last instance of a function may be idle (default 15m, $JETON_IDLE_TO_ZERO).",
		"--rust=FILE Rust compiler for Rust functions (default: rustc in PATH, $JETON_RUST).",
		"--isolation=LEVEL Isolation level: full (requires root), user, restricted, none or auto (default auto, $JETON_ISOLATION).",
		"--ops-pprof Serve profiles at /debug/pprof/ of the operators' port ($JETON_OPS_PPROF).",
	} {
		if !strings.Contains(help, want) {
			t.Errorf("got %s, want %q", help, want)
		}
	}
}

func TestByteSize(t *testing.T) {
	for bytes, want := range map[string]string{
		"0": "0", "1": "1 bytes", "1000": "1000 bytes", "65536": "64 KiB", "6291456": "6 MiB", "2199023255552": "2048 GiB", "many": "many",
	} {
		if got := byteSize(bytes); got != want {
			t.Errorf("byteSize(%q): got %q, want %q", bytes, got, want)
		}
	}
}

func TestConfigFile_EnvironmentAndFlagsTakePrecedence(t *testing.T) {
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

func TestConfigFile_ReplacesTheDefaultFile(t *testing.T) {
	home := t.TempDir()
	t.Setenv("XDG_CONFIG_HOME", home)
	write := func(path, content string) {
		t.Helper()
		if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	write(filepath.Join(home, "jeton", "jeton.yaml"), "queue: 7\n")
	other := filepath.Join(home, "other.yaml")
	write(other, "api-listen: 1.1.1.1:1\n")
	for name, test := range map[string]struct {
		args        []string
		environment string
		fromDefault bool
	}{
		"default file": {[]string{"serve"}, "", true},
		"flag":         {[]string{"serve", "--config", other}, "", false},
		"flag with =":  {[]string{"serve", "--config=" + other}, "", false},
		"environment":  {[]string{"serve"}, other, false},
	} {
		t.Setenv("JETON_CONFIG", test.environment)
		if test.environment == "" {
			if err := os.Unsetenv("JETON_CONFIG"); err != nil {
				t.Fatal(err)
			}
		}
		var line commandLine
		parser, err := newParser(&line, configFiles(test.args))
		if err != nil {
			t.Fatal(err)
		}
		if _, err := parser.Parse(test.args); err != nil {
			t.Fatal(err)
		}
		if got := line.Serve.config(line.DataDir).Scale.Queue; (got == 7) != test.fromDefault {
			t.Errorf("%s: got queue %d, want it from the default file: %v", name, got, test.fromDefault)
		}
	}
}

func TestConfigFile_AcceptsLists(t *testing.T) {
	path := filepath.Join(t.TempDir(), "jeton.yaml")
	if err := os.WriteFile(path, []byte("egress-deny: [198.51.100.0/24, 2001:db8::/32]\nlocal-domains:\n- a.example\n- b.example\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	got, err := parse(t, "serve", "--config", path)
	if err != nil {
		t.Fatal(err)
	}
	if len(got.EgressDeny) != 2 || !slices.Equal(got.LocalDomains, []string{"a.example", "b.example"}) {
		t.Errorf("got networks %v and domains %v, want two of each", got.EgressDeny, got.LocalDomains)
	}
}

func TestConfigFile_RefusesInvalidFiles(t *testing.T) {
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
			t.Errorf("%s: got %+v, want an error", name, got)
		}
	}
}

func TestRun_ExitStatus(t *testing.T) {
	t.Setenv("JETON_DATA_DIR", filepath.Join(t.TempDir(), "none"))
	for name, test := range map[string]struct {
		args   []string
		status int
		want   string
	}{
		"version":           {[]string{"version"}, 0, "jeton "},
		"help":              {[]string{"--help"}, 0, "Run the server."},
		"help of a command": {[]string{"serve", "--help"}, 0, "--gateway-listen"},
		"no command":        {nil, 2, "expected one of"},
		"unknown flag":      {[]string{"serve", "--nonsense"}, 2, "unknown flag --nonsense"},
		"env before serve":  {[]string{"env"}, 1, "start 'jeton serve' first"},
		"help of tf":        {[]string{"tf", "--help"}, 0, "JETON_TERRAFORM"},
		"tf before serve":   {[]string{"tf", "plan"}, 1, "start 'jeton serve' first"},
	} {
		var out bytes.Buffer
		if got := run(test.args, strings.NewReader(""), &out, &out); got != test.status || !strings.Contains(out.String(), test.want) {
			t.Errorf("%s: got status %d and %s, want status %d and %q", name, got, out.String(), test.status, test.want)
		}
	}
}

func TestReadReattach_ReturnsTheVariable(t *testing.T) {
	const want = `{"registry.terraform.io/jeton-dev/scaleway":{"Protocol":"grpc","Pid":1}}`
	got, err := readReattach(strings.NewReader("Provider started.\n\n\tTF_REATTACH_PROVIDERS='" + want + "'\n"))
	if err != nil || got != want {
		t.Errorf("got %s, %v, want %s", got, err, want)
	}
	for _, text := range []string{"", "TF_REATTACH_PROVIDERS='{", "TF_REATTACH_PROVIDERS='no JSON'"} {
		if got, err := readReattach(strings.NewReader(text)); err == nil {
			t.Errorf("%q: got %s, want an error", text, got)
		}
	}
}

func TestTraceFilter_DropsTraceLines(t *testing.T) {
	var out bytes.Buffer
	filter := withoutTrace(&out)
	for _, part := range []string{`{"@level":"tr`, "ace\"}\npanic: x\n{\"@lev", "el\":1}\nlast\n"} {
		if _, err := filter.Write([]byte(part)); err != nil {
			t.Fatal(err)
		}
	}
	if got := out.String(); got != "panic: x\nlast\n" {
		t.Errorf("got %q, want the lines without trace", got)
	}
}

func TestQuote_EscapesForShells(t *testing.T) {
	for value, want := range map[string]string{"a b": "'a b'", "it's": `'it'\''s'`, "": "''", "$(rm)": "'$(rm)'"} {
		if got := quote(value); got != want {
			t.Errorf("quote(%q): got %s, want %s", value, got, want)
		}
	}
}
