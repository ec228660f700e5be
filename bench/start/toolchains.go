package main

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"slices"

	"github.com/jeton-dev/jeton/bench/cold"
	"github.com/jeton-dev/jeton/internal/runtime"
	"github.com/jeton-dev/jeton/internal/runtime/golang"
	"github.com/jeton-dev/jeton/internal/runtime/node"
	"github.com/jeton-dev/jeton/internal/runtime/php"
	"github.com/jeton-dev/jeton/internal/runtime/python"
	"github.com/jeton-dev/jeton/internal/runtime/rust"
)

// toolchains builds functions like the server, for the baselines. It writes to dir.
type toolchains struct {
	dir      string
	found    *runtime.Toolchains
	builders runtime.Builders
	// flags make a server use the same crates and the same cache of compilers.
	flags []string
	// cache is the build cache of the baselines.
	cache string
}

func findToolchains(ctx context.Context, dir string) (*toolchains, error) {
	registry, err := filepath.Abs(filepath.Join("test", "crates", "registry"))
	if err != nil {
		return nil, err
	}
	cache, err := filepath.Abs(".cache")
	if err != nil {
		return nil, err
	}
	t := runtime.FindToolchains(ctx, nil)
	return &toolchains{dir: dir, found: t, builders: runtime.Builders{
		runtime.Node: node.New(t), runtime.Python: python.New(t), runtime.PHP: php.New(php.Config{}, t),
		runtime.Go:   golang.New(golang.Config{Base: filepath.Join(cache, "base")}, t),
		runtime.Rust: rust.New(rust.Config{Crates: registry, Share: true}, t),
	}, flags: []string{"--crates=" + registry, "--cache-dir=" + cache}, cache: filepath.Join(cache, "bench")}, nil
}

// build builds the language's function, and returns its command line and its
// environment.
func (t *toolchains) build(ctx context.Context, l cold.Language) (command, env []string, err error) {
	info, _ := runtime.Lookup(l.Runtime)
	handler, err := runtime.ParseHandler(info.Language, l.Handler)
	if err != nil {
		return nil, nil, err
	}
	build := runtime.Build{Runtime: info, Handler: handler, Source: filepath.Join(t.dir, l.Name, "source"), Output: filepath.Join(t.dir, l.Name, "output"), Cache: t.cache}
	if err := errors.Join(writeFiles(build.Source, l.Files), os.MkdirAll(build.Output, 0o755), os.MkdirAll(build.Cache, 0o700)); err != nil {
		return nil, nil, err
	}
	launch, err := t.builders.Build(ctx, build)
	if err != nil {
		return nil, nil, err
	}
	return launch.Resolve(build.Output, t.found)
}

// writeFiles writes files, given as path and content, below a folder.
func writeFiles(dir string, files map[string]string) error {
	for name, content := range files {
		path := filepath.Join(dir, name)
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			return err
		}
		if err := os.WriteFile(path, []byte(content), 0o644); err != nil {
			return err
		}
	}
	return nil
}

// start starts a server that uses the same crates and the same cache of compilers.
func (t *toolchains) start(ctx context.Context, name string, flags ...string) (*cold.Server, error) {
	return cold.Start(ctx, filepath.Join(t.dir, name), append(slices.Clone(t.flags), flags...)...)
}
