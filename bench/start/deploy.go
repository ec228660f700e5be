package main

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"time"

	"github.com/jeton-dev/jeton/bench/cold"
	"github.com/jeton-dev/jeton/bench/harness"
)

// deployRounds is odd, so that there is a middle one.
var deployRounds = harness.Sized(7, 1)

// deployGo measures the time from the upload of a Go function until it is ready, with
// a warm build cache, and compares it with go build alone. Each round has new code.
func deployGo(ctx context.Context, t *toolchains) ([]harness.Result, error) {
	s, err := t.start(ctx, "deploy")
	if err != nil {
		return nil, err
	}
	defer s.Close()
	l := cold.Languages[3]
	f, err := s.DeployHello(ctx, l, "deploy")
	if err != nil {
		return nil, err
	}
	round := 0
	var files map[string]string
	redeploy := func() (float64, error) {
		began := time.Now()
		_, err := s.Redeploy(ctx, f.ID, files)
		return harness.Milliseconds(time.Since(began)), err
	}
	took, err := harness.Rounds(deployRounds,
		func() (float64, error) {
			round++
			files = map[string]string{"go.mod": l.Files["go.mod"], "handler.go": l.Files["handler.go"] + fmt.Sprintf("\nconst round = %d\n", round)}
			return redeploy()
		},
		redeploy, // The same archive again, which is built already.
		func() (float64, error) { return t.goBuild(ctx, files) })
	if err != nil {
		return nil, err
	}
	const changed, again, baseline = 0, 1, 2
	return []harness.Result{
		harness.Compare("deploy-go", "ms", "", "from the upload of changed code to ready, compared with go build of a server with the same handler, both with a warm cache", took[changed], took[baseline]),
		harness.Compare("deploy-go-again", "ms", "", "the same for an archive that was built before", took[again], took[baseline]),
	}, nil
}

// baselineMain is the program around the handler for the baseline.
const baselineMain = `package main

import (
	"net/http"
	"os"
)

func main() { _ = http.ListenAndServe(os.Args[1], http.HandlerFunc(Handle)) }
`

// goBuild returns the milliseconds that go build takes for a program that serves the
// handler with net/http.
func (t *toolchains) goBuild(ctx context.Context, files map[string]string) (float64, error) {
	dir := filepath.Join(t.dir, "baseline")
	err := writeFiles(dir, map[string]string{
		"go.mod": files["go.mod"], "main.go": baselineMain,
		"handler.go": strings.Replace(files["handler.go"], "package hello", "package main", 1),
	})
	if err != nil {
		return 0, err
	}
	c := exec.CommandContext(ctx, "go", "build", "-trimpath", "-ldflags=-s -w", "-o", filepath.Join(dir, "out"), ".")
	c.Dir = dir
	c.Env = append(os.Environ(), "CGO_ENABLED=0", "GOCACHE="+filepath.Join(t.cache, "go-build"))
	began := time.Now()
	out, err := c.CombinedOutput()
	if err != nil {
		return 0, fmt.Errorf("go build: %w: %s", err, out)
	}
	return harness.Milliseconds(time.Since(began)), nil
}
