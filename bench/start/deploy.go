package main

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	function "github.com/scaleway/scaleway-sdk-go/api/function/v1beta1"
	"github.com/scaleway/scaleway-sdk-go/scw"

	"github.com/jeton-dev/jeton/bench/measure"
	"github.com/jeton-dev/jeton/bench/stage"
)

func makeFolders(dir string, n int) error {
	for i := range n {
		err := os.Mkdir(filepath.Join(dir, strconv.Itoa(i)), 0o755)
		if err != nil && !errors.Is(err, fs.ErrExist) {
			return err
		}
	}
	return nil
}

// deployRounds is odd, for there to be a middle one.
var deployRounds = measure.Sized(7, 1)

// deployGo measures from the upload of a Go function to its being ready, with a
// warm build cache, beside go build alone. Each round has other code.
func deployGo(ctx context.Context, dir, crates string) ([]measure.Result, error) {
	w, err := newWorkshop(ctx, dir, crates)
	if err != nil {
		return nil, err
	}
	s, err := openSite(ctx, dir, "deploy", w.flags...)
	if err != nil {
		return nil, err
	}
	defer s.close()
	l := languages[3]
	f, err := s.deploy(ctx, l, "deploy")
	if err != nil {
		return nil, err
	}
	// The program around the handler is what is compiled alone, too.
	source := filepath.Join(dir, "alone")
	var ours, alone, again []float64
	for n := range deployRounds {
		files := map[string]string{"go.mod": l.files["go.mod"], "handler.go": l.files["handler.go"] + fmt.Sprintf("\nconst round = %d\n", n)}
		began := time.Now()
		if err := s.redeploy(ctx, f.ID, files); err != nil {
			return nil, err
		}
		ours = append(ours, milliseconds(time.Since(began)))
		// The same archive once more, which was built already.
		began = time.Now()
		if err := s.redeploy(ctx, f.ID, files); err != nil {
			return nil, err
		}
		again = append(again, milliseconds(time.Since(began)))
		took, err := buildAlone(ctx, source, files, n, w.cache)
		if err != nil {
			return nil, err
		}
		alone = append(alone, milliseconds(took))
	}
	return []measure.Result{
		measure.Compare("deploy-go", "ms", "", "from the upload of changed code to ready, beside go build of a server around it, both with a warm cache", ours, alone),
		measure.Compare("deploy-go-again", "ms", "", "the same of an archive that was built before", again, alone),
	}, nil
}

func (s *site) redeploy(ctx context.Context, id string, files map[string]string) error {
	if err := stage.Upload(ctx, s.API, id, files); err != nil {
		return err
	}
	_, err := stage.Redeploy(ctx, s.API, id)
	return err
}

const aloneMain = `package main

import (
	"net/http"
	"os"
)

func main() { _ = http.ListenAndServe(os.Args[1], http.HandlerFunc(Handle)) }
`

// buildAlone builds a program that serves the handler with net/http.
func buildAlone(ctx context.Context, dir string, files map[string]string, n int, cache string) (time.Duration, error) {
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return 0, err
	}
	for name, content := range map[string]string{
		"go.mod": files["go.mod"], "main.go": aloneMain,
		"handler.go": strings.Replace(files["handler.go"], "package hello", "package main", 1),
	} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(content), 0o644); err != nil {
			return 0, err
		}
	}
	c := exec.CommandContext(ctx, "go", "build", "-trimpath", "-ldflags=-s -w", "-o", filepath.Join(dir, "out"+strconv.Itoa(n)), ".")
	c.Dir = dir
	c.Env = append(os.Environ(), "CGO_ENABLED=0", "GOCACHE="+filepath.Join(cache, "go-build"))
	began := time.Now()
	out, err := c.CombinedOutput()
	if err != nil {
		return 0, fmt.Errorf("go build: %w: %s", err, out)
	}
	return time.Since(began), nil
}

// many is how many functions are deployed and not called.
var many = measure.Sized(1000, 20)

// idleThousand counts the processes of a server with a thousand functions that
// nobody calls, beside the same without one.
func idleThousand(ctx context.Context, dir, crates string) ([]measure.Result, error) {
	w, err := newWorkshop(ctx, dir, crates)
	if err != nil {
		return nil, err
	}
	s, err := openSite(ctx, dir, "idle", append(w.flags, "--max-functions=2000", "--spare-most=2")...)
	if err != nil {
		return nil, err
	}
	defer s.close()
	l := languages[1]
	var processes, memory [2][]float64
	for i, n := range []int{1, many - 1} {
		for m := range n {
			if _, err := s.deploy(ctx, l, fmt.Sprintf("idle-%d-%d", i, m)); err != nil {
				return nil, err
			}
		}
		if err := s.ready(ctx); err != nil {
			return nil, err
		}
		count, bytes, err := descendants(s.PID())
		if err != nil {
			return nil, err
		}
		processes[i], memory[i] = []float64{float64(count)}, []float64{float64(bytes) / (1 << 20)}
	}
	if _, err := s.ListFunctions(&function.ListFunctionsRequest{NamespaceID: s.namespace.ID}, scw.WithContext(ctx)); err != nil {
		return nil, err
	}
	return []measure.Result{
		measure.Compare("idle-1000-processes", "processes", "<= 1", "with 1000 functions that nobody calls, beside one", processes[1], processes[0]),
		measure.Compare("idle-1000-memory", "MiB", "", "resident memory of the server and all its processes then, beside the same with one function", memory[1], memory[0]),
	}, nil
}

// descendants counts the processes below one, and sums their resident memory and
// its own.
func descendants(pid int) (count int, bytes int64, err error) {
	content, err := os.ReadFile(fmt.Sprintf("/proc/%d/statm", pid))
	if errors.Is(err, fs.ErrNotExist) {
		return 0, 0, nil
	}
	if err != nil {
		return 0, 0, err
	}
	pages, err := strconv.ParseInt(strings.Fields(string(content))[1], 10, 64)
	if err != nil {
		return 0, 0, err
	}
	bytes = pages * int64(os.Getpagesize())
	tasks, _ := filepath.Glob(fmt.Sprintf("/proc/%d/task/*/children", pid))
	for _, path := range tasks {
		children, _ := os.ReadFile(path)
		for _, child := range strings.Fields(string(children)) {
			number, _ := strconv.Atoi(child)
			n, b, err := descendants(number)
			if err != nil {
				return 0, 0, err
			}
			count, bytes = count+n+1, bytes+b
		}
	}
	return count, bytes, nil
}
