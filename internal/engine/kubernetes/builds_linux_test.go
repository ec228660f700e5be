package kubernetes_test

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"github.com/jeton-dev/jeton/internal/engine/kubernetes"
	"github.com/jeton-dev/jeton/test/await"
	"github.com/jeton-dev/jeton/test/needs"
)

// buildLog collects the log of a build.
type buildLog struct {
	mu   sync.Mutex
	text strings.Builder
}

func (l *buildLog) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.Write(p)
}

func (l *buildLog) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.String()
}

func TestBuild_ReturnsResultOrError(t *testing.T) {
	t.Parallel()
	needs.Root(t, "starts launchers in process namespaces")
	c := newCluster(t)
	e := open(t, c.config())
	for handler, want := range map[string]string{"right": "", "wrong": "line 1: no such thing", "broken": "permission denied"} {
		source, output, log := t.TempDir(), t.TempDir(), new(buildLog)
		if err := os.WriteFile(filepath.Join(source, "code"), []byte("text"), 0o600); err != nil {
			t.Fatal(err)
		}
		launch, err := e.Build(t.Context(), kubernetes.Build{Language: "Go", Runtime: "go126", Handler: handler, Source: source, Output: output, Log: log})
		if _, isBuildError := errors.AsType[*kubernetes.BuildError](err); isBuildError != (handler == "wrong") {
			t.Errorf("%s: Build() = %v, a *BuildError: %t", handler, err, isBuildError)
		}
		if want != "" {
			if err == nil || !strings.Contains(err.Error(), want) {
				t.Errorf("%s: Build() = %v, want %q", handler, err, want)
			}
			continue
		}
		text, readErr := os.ReadFile(filepath.Join(output, "function", "code"))
		if err != nil || readErr != nil || string(text) != "text" || string(launch) != `{"command":["{dir}/program"]}` || log.String() != "building right\n" {
			t.Errorf("Build() = %s, %v with the code %q (%v) and the log %q", launch, err, text, readErr, log.String())
		}
	}
	await.True(t, "no Pod is left", func() bool { return len(c.list()) == 0 })
}

// TestBuild_DownloadsWhenItMay checks that a step that waits for the network runs within Download, with
// the sources of the build.
func TestBuild_DownloadsWhenItMay(t *testing.T) {
	t.Parallel()
	needs.Root(t, "starts launchers in process namespaces")
	c := newCluster(t)
	e := open(t, c.config())
	source, output, log := t.TempDir(), t.TempDir(), new(buildLog)
	steps := 0
	const fetching = "fetching with [GOPROXY=https://proxy.example.com] from sparse+https://crates.example.com/"
	_, err := e.Build(t.Context(), kubernetes.Build{
		Language: "Go", Runtime: "go126", Handler: "fetches", Source: source, Output: output, Log: log,
		Env: []string{"GOPROXY=https://proxy.example.com"}, Crates: "sparse+https://crates.example.com/",
		Download: func(ctx context.Context, step func(context.Context) error) error {
			if steps++; strings.Contains(log.String(), "fetching") {
				t.Error("the build downloads before it may")
			}
			err := step(ctx)
			if !strings.Contains(log.String(), fetching) {
				t.Errorf("the step has ended, and the log is %q, want %q", log, fetching)
			}
			return err
		},
	})
	if err != nil || steps != 1 {
		t.Errorf("Build() = %v after %d steps, want 1", err, steps)
	}
	refused := errors.New("no slot")
	if _, err := e.Build(t.Context(), kubernetes.Build{
		Language: "Go", Runtime: "go126", Handler: "fetches", Source: source, Output: t.TempDir(), Log: log,
		Download: func(context.Context, func(context.Context) error) error { return refused },
	}); err == nil {
		t.Error("Build() succeeds although its download is refused")
	}
	await.True(t, "no Pod is left", func() bool { return len(c.list()) == 0 })
}

// TestBuild_SharesCacheWithinAProject builds for two projects in turn: no build finds what a build of the
// other project has written.
func TestBuild_SharesCacheWithinAProject(t *testing.T) {
	t.Parallel()
	needs.Root(t, "starts launchers in process namespaces")
	c := newCluster(t)
	e := open(t, c.config())
	first, second := t.TempDir(), t.TempDir()
	for _, build := range []struct{ cache, adds, finds string }{
		{first, "a", ""}, {second, "b", ""}, {first, "c", "a"}, {second, "d", "b"}, {first, "e", "ac"},
	} {
		log := new(buildLog)
		_, err := e.Build(t.Context(), kubernetes.Build{
			Language: "Go", Runtime: "go126", Handler: "caches", Source: t.TempDir(), Output: t.TempDir(), Log: log,
			Env: []string{build.adds}, Cache: build.cache,
		})
		if want := fmt.Sprintf("the cache has %q", build.finds); err != nil || !strings.Contains(log.String(), want) {
			t.Errorf("build %s: got error %v and the log %q, want %q", build.adds, err, log, want)
		}
	}
	for cache, want := range map[string]string{first: "ace", second: "bd"} {
		entries, err := os.ReadDir(cache)
		text, readErr := os.ReadFile(filepath.Join(cache, "builds", "latest"))
		if err := errors.Join(err, readErr); err != nil || len(entries) != 1 || string(text) != want {
			t.Errorf("the cache has %v with %q, error %v, want one folder with %q", entries, text, err, want)
		}
	}
}
