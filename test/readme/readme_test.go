package readme_test

import (
	"bytes"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"github.com/jeton-dev/jeton/test/await"
)

// console returns the commands and the output of the first console block below a
// heading.
func console(t *testing.T, readme, heading string) (commands, output []string) {
	t.Helper()
	_, section, found := strings.Cut(readme, "\n## "+heading+"\n")
	_, block, opened := strings.Cut(section, "```console\n")
	block, _, closed := strings.Cut(block, "```\n")
	if !found || !opened || !closed {
		t.Fatalf("the README has no console block below %q", heading)
	}
	for line := range strings.Lines(block) {
		if command, ok := strings.CutPrefix(line, "$ "); ok {
			commands = append(commands, strings.TrimSpace(command))
		} else {
			output = append(output, strings.TrimSpace(line))
		}
	}
	return commands, output
}

// checkout copies all files that git does not ignore into a new repository, so that the
// test leaves no files in the real one.
func checkout(t *testing.T) string {
	t.Helper()
	root, err := filepath.Abs("../..")
	if err != nil {
		t.Fatal(err)
	}
	listed, err := exec.CommandContext(t.Context(), "git", "-C", root, "ls-files", "-z", "--cached", "--others", "--exclude-standard").Output()
	if err != nil {
		t.Fatal(err)
	}
	var names bytes.Buffer
	for name := range strings.SplitSeq(string(listed), "\x00") {
		// The Stat makes go test run the test again when a file has changed.
		if info, err := os.Stat(filepath.Join(root, name)); name != "" && err == nil && info.Mode().IsRegular() {
			names.WriteString(name + "\x00")
		}
	}
	dir := filepath.Join(t.TempDir(), "jeton")
	script := `set -e -o pipefail
mkdir "$2"
tar -C "$1" --null -T - -cf - | tar -C "$2" -xf -
cd "$2"
git init -q
git add -A
git -c user.name=test -c user.email=test@example.com commit -qm test`
	c := exec.CommandContext(t.Context(), "bash", "-c", script, "checkout", root, dir)
	c.Stdin = &names
	if output, err := c.CombinedOutput(); err != nil {
		t.Fatalf("copy the checkout: %v\n%s", err, output)
	}
	return dir
}

// environment returns the environment of a user with another home folder, with free
// ports.
func environment(home string) []string {
	return append(os.Environ(),
		"HOME="+home, "XDG_DATA_HOME=", "XDG_CONFIG_HOME=", "GIT_CONFIG_GLOBAL=/dev/null",
		"JETON_API_LISTEN=127.0.0.1:0", "JETON_GATEWAY_LISTEN=127.0.0.1:0", "JETON_OPS_LISTEN=",
		"CHECKPOINT_DISABLE=1", "GOWORK=off",
	)
}

// goEnvironment returns the variables of Go's caches, so that another home folder does
// not make Go build everything again.
func goEnvironment(t *testing.T) []string {
	t.Helper()
	var variables []string
	for _, name := range []string{"GOCACHE", "GOMODCACHE", "GOPATH"} {
		value, err := exec.CommandContext(t.Context(), "go", "env", name).Output()
		if err != nil {
			t.Fatal(err)
		}
		variables = append(variables, name+"="+strings.TrimSpace(string(value)))
	}
	return variables
}

// typed runs commands in one shell and returns their output. A nil user is the test's
// own.
func typed(t *testing.T, dir string, variables, commands []string, user *syscall.Credential) string {
	t.Helper()
	script := "set -e -o pipefail\ntrap 'kill $(jobs -p) 2>/dev/null || true' EXIT\n" + strings.Join(commands, "\n") + "\n"
	c := exec.Command("bash", "-c", script)
	c.Dir, c.Env = dir, variables
	c.SysProcAttr = &syscall.SysProcAttr{Setpgid: true, Credential: user}
	var output bytes.Buffer
	c.Stdout, c.Stderr = &output, &output
	if err := c.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = syscall.Kill(-c.Process.Pid, syscall.SIGKILL) })
	ended := make(chan error, 1)
	go func() { ended <- c.Wait() }()
	if err := await.Receive(t, "the commands of the README", ended); err != nil {
		t.Fatalf("%v\n%s", err, &output)
	}
	return output.String()
}

func readme(t *testing.T) string {
	t.Helper()
	content, err := os.ReadFile("../../README.md")
	if err != nil {
		t.Fatal(err)
	}
	return string(content)
}

func wantLines(t *testing.T, printed string, lines []string) {
	t.Helper()
	if len(lines) == 0 {
		t.Error("the README contains no output of the commands")
	}
	for _, line := range lines {
		if !strings.Contains("\n"+printed, "\n"+line+"\n") {
			t.Errorf("the commands do not print the README's line %q:\n%s", line, printed)
		}
	}
}

// The commands of "Use it" work byte for byte.
func TestUseIt_CommandsWork(t *testing.T) {
	t.Parallel()
	commands, lines := console(t, readme(t), "Use it")
	dir := checkout(t)
	wantLines(t, typed(t, dir, append(environment(t.TempDir()), goEnvironment(t)...), commands, nil), lines)
}
