package runtimetest

import (
	"context"
	"encoding/json"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/jeton-dev/jeton/internal/runtime"
)

// Toolchains returns the toolchains of this machine.
func Toolchains(tb testing.TB) *runtime.Toolchains {
	tb.Helper()
	return runtime.FindToolchains(tb.Context(), nil)
}

// A Built function can be started.
type Built struct {
	Command, Env []string
	// Launch is the result of the build, from which Command and Env were resolved.
	Launch runtime.Launch
	// Dir is the folder of the artifact.
	Dir string
}

// InCache returns a builder whose builds share one cache folder.
func InCache(b runtime.Builder, cache string) runtime.Builder { return cached{b, cache} }

type cached struct {
	runtime.Builder
	cache string
}

func (c cached) Build(ctx context.Context, b runtime.Build) (runtime.Launch, error) {
	b.Cache = c.cache
	return c.Builder.Build(ctx, b)
}

// Build builds a function from files, moves the output, and encodes and decodes the launch
// as JSON, as the server does.
func Build(tb testing.TB, b runtime.Builder, language, handler string, files map[string]string) Built {
	tb.Helper()
	launch, output, err := build(tb, b, language, handler, files)
	if err != nil {
		tb.Fatalf("Build() = %v", err)
	}
	stored, err := json.Marshal(launch)
	if err != nil {
		tb.Fatal(err)
	}
	if strings.Contains(string(stored), filepath.Dir(output)) {
		tb.Errorf("got launch %s, want no folder of the build in it", stored)
	}
	var read runtime.Launch
	if err := json.Unmarshal(stored, &read); err != nil {
		tb.Fatal(err)
	}
	built := Built{Launch: read, Dir: filepath.Join(tb.TempDir(), "moved")}
	if err := os.Rename(output, built.Dir); err != nil {
		tb.Fatal(err)
	}
	built.Command, built.Env, err = read.Resolve(built.Dir, Toolchains(tb))
	if err != nil {
		tb.Fatalf("Resolve() = %v", err)
	}
	return built
}

// BuildFails builds files that are invalid, and returns the message for their author.
func BuildFails(tb testing.TB, b runtime.Builder, language, handler string, files map[string]string) string {
	tb.Helper()
	_, output, err := build(tb, b, language, handler, files)
	var failed *runtime.BuildError
	if !errors.As(err, &failed) {
		tb.Fatalf("Build() = %v, want a *BuildError", err)
	}
	if strings.Contains(failed.Message, filepath.Dir(output)) {
		tb.Errorf("got message %s, want no folder of the server in it", failed.Message)
	}
	return failed.Message
}

func build(tb testing.TB, b runtime.Builder, language, handler string, files map[string]string) (runtime.Launch, string, error) {
	tb.Helper()
	parsed, err := runtime.ParseHandler(language, handler)
	if err != nil {
		tb.Fatalf("ParseHandler() = %v", err)
	}
	dir := tb.TempDir()
	source, output := filepath.Join(dir, "source"), filepath.Join(dir, "output")
	for _, folder := range []string{source, output} {
		if err := os.Mkdir(folder, 0o755); err != nil {
			tb.Fatal(err)
		}
	}
	for name, content := range files {
		file := filepath.Join(source, filepath.FromSlash(name))
		if err := os.MkdirAll(filepath.Dir(file), 0o755); err != nil {
			tb.Fatal(err)
		}
		if err := os.WriteFile(file, []byte(content), 0o644); err != nil {
			tb.Fatal(err)
		}
	}
	launch, err := b.Build(tb.Context(), runtime.Build{
		Runtime: runtime.Runtime{Name: "test", Language: language},
		Handler: parsed,
		Source:  source,
		Output:  output,
		Cache:   tb.TempDir(),
	})
	return launch, output, err
}
