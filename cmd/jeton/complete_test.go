package main

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/jeton-dev/jeton/test/jetontest"
)

func TestComplete_SuggestsCommandsFlagsAndNames(t *testing.T) {
	jeton := jetontest.Start(t)
	t.Setenv("JETON_DATA_DIR", jeton.DataDir)
	inFolder(t, map[string]string{"hello/handler.js": helloJS})
	transcript(t, "deploy hello")
	for line, want := range map[string]string{
		"":                               "serve env login apikey",
		"de":                             "deploy dev",
		"token ":                         "create list revoke",
		"token create --exp":             "--expires-in --expires-at",
		"function list -o ":              "table json",
		"function list --output = ":      "",
		"function list --output = t":     "",
		"invoke ":                        "default/hello",
		"invoke --data-dir x none":       "",
		"function delete default/hello ": "default/hello",
		"invoke default/hello ":          "",
		"completion ":                    "bash zsh fish",
		"deploy --no-s":                  "--no-save",
		"nothing ":                       "",
		"serve --config x --api-l":       "--api-listen",
	} {
		status, output := command(t, "", append([]string{"__complete", "--"}, strings.Split(line, " ")...)...)
		var words []string
		for candidate := range strings.Lines(output) {
			word, _, _ := strings.Cut(candidate, "\t")
			words = append(words, word)
		}
		got := strings.Join(words, " ")
		if status != 0 || want != "" && !strings.HasPrefix(got, want) {
			t.Errorf("%q: got status %d and %q, want %q first", line, status, got, want)
		}
		if want == "" && strings.Contains(got, "hello") {
			t.Errorf("%q: got %q, want no function", line, got)
		}
	}
}

// The scripts work in the shells that are installed. bash always is.
func TestCompletion_WorksInShells(t *testing.T) {
	dir := t.TempDir()
	build := exec.CommandContext(t.Context(), "go", "build", "-o", filepath.Join(dir, "jeton"), ".")
	if output, err := build.CombinedOutput(); err != nil {
		t.Fatalf("build: %v: %s", err, output)
	}
	tests := map[string]string{
		"bash": `source <(jeton completion bash); COMP_WORDS=(jeton token cr); COMP_CWORD=2; _jeton; echo "${COMPREPLY[@]}"`,
		"zsh":  `autoload -U compinit; compinit -u; source <(jeton completion zsh); echo create ${_comps[jeton]}`,
		"fish": `jeton completion fish | source; complete -C "jeton token cr"`,
	}
	for shell, script := range tests {
		program, err := exec.LookPath(shell)
		if err != nil {
			t.Fatal(err)
		}
		file := filepath.Join(dir, "script")
		if err := os.WriteFile(file, []byte(script), 0o600); err != nil {
			t.Fatal(err)
		}
		run := exec.CommandContext(t.Context(), program, file)
		run.Env = append(os.Environ(), "PATH="+dir+":"+os.Getenv("PATH"), "HOME="+dir, "JETON_DATA_DIR="+dir)
		output, err := run.CombinedOutput()
		if err != nil || !strings.HasPrefix(string(output), "create") {
			t.Errorf("%s: got %v and %s, want create", shell, err, output)
		}
	}
}

func TestMan_WritesPages(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "man1")
	status, output := command(t, "", "man", dir)
	wantOutput(t, "man", status, 0, output, "pages to "+dir)
	for page, want := range map[string]string{
		"jeton.1":        ".B deploy\nDeploy the functions of a folder.\n",
		"jeton-deploy.1": ".B jeton deploy\n[<dir>] [flags]\n",
		"jeton-serve.1":  `.B \-\-api\-listen=HOST:PORT`,
		"jeton-logs.1":   `.B \-f, \-\-follow`,
	} {
		content, err := os.ReadFile(filepath.Join(dir, page))
		if err != nil || !strings.Contains(string(content), want) {
			t.Errorf("%s: got %v and %s, want %q", page, err, content, want)
		}
	}
	if _, err := os.Stat(filepath.Join(dir, "jeton-__complete.1")); err == nil {
		t.Error("got a page for a hidden command")
	}
}

func TestVersion_IsAFlagToo(t *testing.T) {
	_, want := command(t, "", "version")
	status, got := command(t, "", "--version")
	if status != 0 || got != want {
		t.Errorf("got status %d and %q, want %q", status, got, want)
	}
}
