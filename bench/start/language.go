package main

import (
	"context"
	"errors"
	"os"
	"path/filepath"

	"github.com/jeton-dev/jeton/internal/runtime"
	"github.com/jeton-dev/jeton/internal/runtime/golang"
	"github.com/jeton-dev/jeton/internal/runtime/node"
	"github.com/jeton-dev/jeton/internal/runtime/php"
	"github.com/jeton-dev/jeton/internal/runtime/python"
	"github.com/jeton-dev/jeton/internal/runtime/rust"
)

// A language is one whose functions are started.
type language struct {
	name, runtime, handler string
	// goals are those with what was prepared, and without.
	goal, unprepared string
	files            map[string]string
}

const manifest = `[package]
name = "hello"
version = "0.1.0"
edition = "2021"
[lib]
path = "src/handler.rs"
[dependencies]
axum = "0.8"
http = "1"
`

var languages = []language{
	{"node", "node24", "handler.handle", "<= 0.2", "<= 1.3", map[string]string{
		"handler.js": "exports.handle = () => ({ statusCode: 200, body: 'hello' });\n",
	}},
	{"python", "python314", "handler.handle", "<= 0.2", "<= 1.3", map[string]string{
		"handler.py": "def handle(event, context):\n    return {'statusCode': 200, 'body': 'hello'}\n",
	}},
	{"php", "php85", "handler.handle", "<= 0.2", "<= 1.3", map[string]string{
		"handler.php": "<?php\nfunction handle($event, $context) {\n    return ['statusCode' => 200, 'body' => 'hello'];\n}\n",
	}},
	{"go", "go126", "Handle", "<= 1.3", "", map[string]string{
		"go.mod":     "module hello\n\ngo 1.21\n",
		"handler.go": "package hello\n\nimport \"net/http\"\n\nfunc Handle(w http.ResponseWriter, r *http.Request) { _, _ = w.Write([]byte(\"hello\")) }\n",
	}},
	{"rust", "rust196", "handle", "<= 1.3", "", map[string]string{
		"Cargo.toml":     manifest,
		"src/handler.rs": "use axum::body::Body;\nuse axum::extract::Request;\nuse http::Response;\n\npub async fn handle(_: Request<Body>) -> Response<Body> {\n    Response::new(Body::from(\"hello\"))\n}\n",
	}},
}

// workshop builds functions as the server does, for the bare side.
type workshop struct {
	dir        string
	toolchains *runtime.Toolchains
	builders   runtime.Builders
	// flags have the server use the same crates, and cache keeps what makes builds
	// quick.
	flags []string
	cache string
}

func newWorkshop(ctx context.Context, dir, crates string) (*workshop, error) {
	crates, err := filepath.Abs(crates)
	if err != nil {
		return nil, err
	}
	registry := filepath.Join(crates, "registry")
	t := runtime.FindToolchains(ctx, nil)
	cache, err := filepath.Abs(".cache")
	if err != nil {
		return nil, err
	}
	return &workshop{dir: dir, toolchains: t, builders: runtime.Builders{
		runtime.Node: node.New(t), runtime.Python: python.New(t), runtime.PHP: php.New(php.Config{}, t),
		runtime.Go:   golang.New(golang.Config{Base: filepath.Join(cache, "base")}, t),
		runtime.Rust: rust.New(rust.Config{Crates: registry, Share: true}, t),
	}, flags: []string{"--crates=" + registry, "--cache-dir=" + cache}, cache: filepath.Join(cache, "bench")}, nil
}

// command returns the command line of a built function, and its environment.
func (w *workshop) command(ctx context.Context, l language) (command, env []string, err error) {
	info, _ := runtime.Lookup(l.runtime)
	handler, err := runtime.ParseHandler(info.Language, l.handler)
	if err != nil {
		return nil, nil, err
	}
	build := runtime.Build{Runtime: info, Handler: handler, Source: filepath.Join(w.dir, l.name, "source"), Output: filepath.Join(w.dir, l.name, "output"), Cache: w.cache}
	for name, content := range l.files {
		path := filepath.Join(build.Source, name)
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			return nil, nil, err
		}
		if err := os.WriteFile(path, []byte(content), 0o644); err != nil {
			return nil, nil, err
		}
	}
	if err := errors.Join(os.MkdirAll(build.Output, 0o755), os.MkdirAll(build.Cache, 0o700)); err != nil {
		return nil, nil, err
	}
	launch, err := w.builders.Build(ctx, build)
	if err != nil {
		return nil, nil, err
	}
	return launch.Resolve(build.Output, w.toolchains)
}
