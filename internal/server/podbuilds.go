package server

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"path"

	"github.com/jeton-dev/jeton/internal/engine/kubernetes"
	"github.com/jeton-dev/jeton/internal/runtime"
)

// podBuilder is a runtime.Builder that builds in Pods.
type podBuilder struct {
	engine *kubernetes.Engine
	image  string
	// version is the version of this program, whose bootstraps are in the result.
	version string
	// crates replaces crates.io; only for Rust.
	crates string
	// executes is true if code of the archive or of its dependencies runs in a build. It could
	// change the cache for the other functions of the project: such builds have none.
	executes bool
}

// podBuilders returns a builder for each language.
func podBuilders(c Config, e *kubernetes.Engine) runtime.Builders {
	builders := runtime.Builders{}
	for _, language := range []string{runtime.Go, runtime.Node, runtime.Python, runtime.PHP, runtime.Rust} {
		b := podBuilder{engine: e, image: imageOf(c.Kubernetes, c.Version)(language), version: c.Version}
		if language == runtime.Rust {
			b.crates, b.executes = c.Crates, true
		}
		builders[language] = b
	}
	return builders
}

// Build implements runtime.Builder.
func (p podBuilder) Build(ctx context.Context, b runtime.Build) (launch runtime.Launch, err error) {
	build := kubernetes.Build{
		Language: b.Runtime.Language, Runtime: b.Runtime.Name, Handler: handlerText(b.Handler), Source: b.Source, Output: b.Output,
		Log: b.Log, Env: runtime.Downloads(), Crates: p.crates, Download: b.Fetch,
	}
	if !p.executes {
		build.Cache = b.Cache
	}
	if build.Log == nil {
		build.Log = io.Discard
	}
	text, err := p.engine.Build(ctx, build)
	if e, ok := errors.AsType[*kubernetes.BuildError](err); ok {
		return runtime.Launch{}, &runtime.BuildError{Message: e.Message}
	}
	if err != nil {
		return runtime.Launch{}, err
	}
	if err := json.Unmarshal(text, &launch); err != nil {
		return runtime.Launch{}, fmt.Errorf("decode the launch of a build: %w", err)
	}
	return launch, nil
}

// Fingerprint implements runtime.Builder. The image has the toolchain.
func (p podBuilder) Fingerprint() (string, error) {
	return runtime.Digest(p.image, p.version, p.crates), nil
}

// handlerText is the reverse of runtime.ParseHandler.
func handlerText(h runtime.Handler) string {
	if h.File == "" {
		return path.Join(h.Dir, h.Function)
	}
	return path.Join(h.Dir, h.File+"."+h.Function)
}
