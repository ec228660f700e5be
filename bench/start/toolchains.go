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

// A language is a language with a function that answers harness.Hello.
type language struct {
	name, runtime, handler string
	// goal is the goal with a warm worker, and sandboxGoal the goal with a warm
	// sandbox only. A language without workers has no sandboxGoal.
	goal, sandboxGoal string
	files             map[string]string
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
func (t *toolchains) build(ctx context.Context, l language) (command, env []string, err error) {
	info, _ := runtime.Lookup(l.runtime)
	handler, err := runtime.ParseHandler(info.Language, l.handler)
	if err != nil {
		return nil, nil, err
	}
	build := runtime.Build{Runtime: info, Handler: handler, Source: filepath.Join(t.dir, l.name, "source"), Output: filepath.Join(t.dir, l.name, "output"), Cache: t.cache}
	if err := errors.Join(writeFiles(build.Source, l.files), os.MkdirAll(build.Output, 0o755), os.MkdirAll(build.Cache, 0o700)); err != nil {
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
