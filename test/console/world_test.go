//go:build console

package console_test

import (
	"archive/zip"
	"context"
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/jeton-dev/jeton/internal/server"
	"github.com/jeton-dev/jeton/test/jetontest"
)

// scriptTimeout is the maximum duration of a script.
const scriptTimeout = 8 * time.Minute

// world is a server and a control port, by which scripts ask the test for what a browser
// cannot do.
type world struct {
	*jetontest.Jeton

	t       *testing.T
	control *http.ServeMux
	env     []string
	// report is what the script has reported, by name.
	mu     sync.Mutex
	report map[string]json.RawMessage
}

func newWorld(t *testing.T, options ...jetontest.Option) *world {
	t.Helper()
	return newWorldOf(t, jetontest.Start(t, options...))
}

// newWorldOf returns the world of a running server.
func newWorldOf(t *testing.T, j *jetontest.Jeton) *world {
	t.Helper()
	w := &world{Jeton: j, t: t, control: http.NewServeMux(), report: map[string]json.RawMessage{}}
	w.control.HandleFunc("POST /report/{name}", func(_ http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		w.mu.Lock()
		defer w.mu.Unlock()
		w.report[r.PathValue("name")] = body
	})
	w.env = append(os.Environ(), "JETON_URL="+w.APIURL, "JETON_GATEWAY="+w.GatewayURL, "JETON_KEY="+w.SecretKey, "CODE="+writeCode(t))
	return w
}

// run runs a script, and fails the test if the script fails.
func (w *world) run(script string, env ...string) {
	w.t.Helper()
	control := httptest.NewServer(w.control)
	defer control.Close()
	ctx, cancel := context.WithTimeout(w.t.Context(), scriptTimeout)
	defer cancel()
	cmd := exec.CommandContext(ctx, "node", script)
	cmd.Env = append(append(w.env, "CONTROL="+control.URL, "PROFILE="+w.t.TempDir(), "SCREENSHOTS="+screenshots(w.t)), env...)
	cmd.WaitDelay = 10 * time.Second
	output, err := cmd.CombinedOutput()
	w.t.Logf("%s:\n%s", script, output)
	if err != nil {
		w.t.Fatalf("%s: %v", script, err)
	}
}

// number returns a number that the script has reported.
func (w *world) number(name string) float64 {
	w.t.Helper()
	var value float64
	w.mu.Lock()
	defer w.mu.Unlock()
	if err := json.Unmarshal(w.report[name], &value); err != nil {
		w.t.Fatalf("the script has not reported %s: %v", name, err)
	}
	return value
}

// screenshots returns the folder for screenshots: docs/images/console with
// `make screenshots`.
func screenshots(t *testing.T) string {
	t.Helper()
	if dir := os.Getenv("JETON_SCREENSHOTS"); dir != "" {
		return dir
	}
	return t.TempDir()
}

// code is a function that prints its path, fails on request, and answers with JSON.
const code = `exports.handle = async (event) => {
  console.log('Hello', event.path);
  if (event.path === '/fail') throw new Error('this call fails');
  await new Promise((done) => setTimeout(done, 3 + 25 * Math.random()));
  return { statusCode: 200, headers: { 'Content-Type': 'application/json' }, body: JSON.stringify({ hello: 'world', path: event.path }) };
};
`

// writeCode writes the zip archive of the function.
func writeCode(t *testing.T) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "function.zip")
	file, err := os.Create(path)
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	archive := zip.NewWriter(file)
	for name, content := range map[string]string{"handler.js": code} {
		entry, err := archive.Create(name)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := io.Copy(entry, strings.NewReader(content)); err != nil {
			t.Fatal(err)
		}
	}
	if err := archive.Close(); err != nil {
		t.Fatal(err)
	}
	return path
}

// catchUp makes the clock of the server begin an hour ago and run faster, until it shows
// the time. The history of metrics then covers an hour within minutes.
func catchUp(c *server.Config) {
	const behind, speed = time.Hour, 20
	began := time.Now()
	c.Now = func() time.Time {
		now := time.Now()
		return now.Add(-max(behind-(speed-1)*now.Sub(began), 0)).UTC()
	}
}
