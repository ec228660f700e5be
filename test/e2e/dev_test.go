package e2e_test

import (
	"bufio"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/jeton-dev/jeton/internal/server"
	"github.com/jeton-dev/jeton/test/await"
	"github.com/jeton-dev/jeton/test/jetontest"
)

// editToLive is the maximum time from writing a file to the first response of its new code. It is
// compared with the fastest of several edits. On an idle machine an edit takes a fraction of a
// second; the tests share theirs with each other, and with the race detector. Pods start later.
func editToLive() time.Duration {
	if jetontest.InPods() {
		return time.Minute
	}
	return 5 * time.Second
}

// buildJeton returns the path of the program.
func buildJeton(t *testing.T) string {
	t.Helper()
	program := filepath.Join(t.TempDir(), "jeton")
	build := exec.CommandContext(t.Context(), "go", "build", "-o", program, "./cmd/jeton")
	build.Env, build.Dir = append(os.Environ(), "GOWORK=off"), "../.." // The module of the program.
	if output, err := build.CombinedOutput(); err != nil {
		t.Fatalf("build jeton: %v: %s", err, output)
	}
	return program
}

// A development is a running 'jeton dev'.
type development struct {
	t *testing.T
	// file is the source file, with VERSION in place of the response.
	file, source string
	url, token   string
	messages     chan string
	process      *exec.Cmd
}

var printedCurl = regexp.MustCompile(`^curl (\S+) -H 'X-Auth-Token: (\S+)'$`)

// maxMessages is more than the command prints in a test. It prints each call, and a busy machine
// needs many until an edit is live. The command waits while its messages are not read.
const maxMessages = 1 << 18

// develop starts 'jeton dev' in a new folder with one file.
func develop(t *testing.T, program string, jeton *jetontest.Jeton, name, source string) *development {
	t.Helper()
	d := &development{t: t, file: filepath.Join(t.TempDir(), name), source: source, messages: make(chan string, maxMessages)}
	d.write("first")
	d.process = exec.CommandContext(t.Context(), program, "dev", filepath.Dir(d.file), "--data-dir", jeton.DataDir, "--name", strings.ReplaceAll(name, ".", "-"))
	out, err := d.process.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	messages, err := d.process.StderrPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := d.process.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = d.process.Process.Kill(); _ = d.process.Wait() })
	go func() {
		for lines := bufio.NewScanner(messages); lines.Scan(); {
			d.messages <- lines.Text()
		}
		close(d.messages)
	}()
	curl := make(chan []string, 1)
	go func() {
		for lines := bufio.NewScanner(out); lines.Scan(); {
			curl <- printedCurl.FindStringSubmatch(lines.Text())
		}
	}()
	match := await.Receive(t, "the curl command", curl)
	if match == nil {
		t.Fatal("got no curl command with a token")
	}
	d.url, d.token = match[1], match[2]
	return d
}

func (d *development) write(version string) {
	d.t.Helper()
	if err := os.WriteFile(d.file, []byte(strings.ReplaceAll(d.source, "VERSION", version)), 0o644); err != nil {
		d.t.Fatal(err)
	}
}

// call returns the status and the body of a call.
func (d *development) call() (int, string) {
	d.t.Helper()
	request, err := http.NewRequestWithContext(d.t.Context(), http.MethodGet, d.url, http.NoBody)
	if err != nil {
		d.t.Fatal(err)
	}
	request.Header.Set("X-Auth-Token", d.token)
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		d.t.Fatal(err)
	}
	defer response.Body.Close()
	body, err := io.ReadAll(response.Body)
	if err != nil {
		d.t.Fatal(err)
	}
	return response.StatusCode, string(body)
}

// edit changes the response of the function and returns the time until a call gets it.
func (d *development) edit(version string) time.Duration {
	d.t.Helper()
	began := time.Now()
	d.write(version)
	await.True(d.t, version+" is live", func() bool {
		status, body := d.call()
		return status == http.StatusOK && body == version
	})
	return time.Since(began)
}

// message waits for the next message that contains a text.
func (d *development) message(part string) {
	d.t.Helper()
	for {
		line := await.Receive(d.t, "a message with "+part, d.messages)
		if strings.Contains(line, part) {
			return
		}
	}
}

var devSources = map[string]struct{ file, source, broken, excerpt string }{
	"node": {
		"handler.js", "exports.handle = () => {\n  console.log('it is VERSION');\n  return 'VERSION';\n};\n",
		"exports.handle = () => {\n  return none.VERSION;\n};\n", "handler.js:2 | return none.x;",
	},
	"python": {
		"handler.py", "def handle(event, context):\n    print('it is VERSION')\n    return 'VERSION'\n",
		"def handle(event, context):\n    return none.VERSION\n", "handler.py:2 | return none.x",
	},
	"php": {
		"handler.php", "<?php\nfunction handle($event, $context) {\n  echo \"it is VERSION\\n\";\n  return 'VERSION';\n}\n",
		"<?php\nfunction handle($event, $context) {\n  return nothing_VERSION();\n}\n", "handler.php:3 | return nothing_x();",
	},
}

// TestDev_EditIsLiveSoon edits a file as a developer does, and calls the function until the
// change is live.
func TestDev_EditIsLiveSoon(t *testing.T) {
	program := buildJeton(t)
	jeton := jetontest.Start(t, func(c *server.Config) { c.WarmPool = server.DefaultConfig(c.DataDir).WarmPool })
	for language, code := range devSources {
		t.Run(language, func(t *testing.T) {
			d := develop(t, program, jeton, code.file, code.source)
			var times []time.Duration
			for _, version := range []string{"one", "two", "three", "four", "five", "six", "seven"} {
				times = append(times, d.edit(version))
			}
			slices.Sort(times)
			t.Logf("%s: edit to live: median %s, of %s to %s", language, times[len(times)/2].Round(time.Millisecond),
				times[0].Round(time.Millisecond), times[len(times)-1].Round(time.Millisecond))
			if times[0] > editToLive() {
				t.Errorf("got at least %s, want at most %s", times[0], editToLive())
			}
			d.message("it is seven")
			d.source = code.broken
			d.write("x")
			await.True(t, "the handler that fails is live", func() bool {
				status, _ := d.call()
				return status == http.StatusInternalServerError
			})
			d.message(code.excerpt)
			d.end()
		})
	}
}

// end interrupts the command, which revokes its token.
func (d *development) end() {
	d.t.Helper()
	if err := d.process.Process.Signal(os.Interrupt); err != nil {
		d.t.Fatal(err)
	}
	for range d.messages { //nolint:revive // The rest of the messages must be read.
	}
	if err := d.process.Wait(); err != nil {
		d.t.Errorf("jeton dev ended with %v, want status 0", err)
	}
	if status, _ := d.call(); status != http.StatusForbidden {
		d.t.Errorf("the token after the end: got %d, want 403", status)
	}
}

// TestDev_ShowsErrorsOfDeployments keeps the last version that works.
func TestDev_ShowsErrorsOfDeployments(t *testing.T) {
	program := buildJeton(t)
	jeton := jetontest.Start(t)
	d := develop(t, program, jeton, "handler.js", "exports.handle = () => 'VERSION';\n")
	d.source = "exports.handle = (VERSION\n"
	d.write("x")
	d.message("the previous deployment continues to serve")
	if status, body := d.call(); status != http.StatusOK || body != "first" {
		t.Errorf("got %d %q, want 200 from the previous version", status, body)
	}
	d.source = "exports.handle = () => 'VERSION';\n"
	d.edit("repaired")
	d.end()
}
