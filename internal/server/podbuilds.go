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
}

// podBuilders returns a builder for each language.
func podBuilders(c Config, e *kubernetes.Engine) runtime.Builders {
	builders := runtime.Builders{}
	for _, language := range []string{runtime.Go, runtime.Node, runtime.Python, runtime.PHP, runtime.Rust} {
		builders[language] = podBuilder{e, imageOf(c.Kubernetes, c.Version)(language), c.Version}
	}
	return builders
}

// Build implements runtime.Builder.
func (p podBuilder) Build(ctx context.Context, b runtime.Build) (launch runtime.Launch, err error) {
	build := kubernetes.Build{
		Language: b.Runtime.Language, Runtime: b.Runtime.Name, Handler: handlerText(b.Handler), Source: b.Source, Output: b.Output,
		Log: b.Log,
	}
	if build.Log == nil {
		build.Log = io.Discard
	}
	// The Pod uses no CPU of this node: other builds can run.
	err = b.Fetch(ctx, func(ctx context.Context) error {
		text, err := p.engine.Build(ctx, build)
		if e, ok := errors.AsType[*kubernetes.BuildError](err); ok {
			return &runtime.BuildError{Message: e.Message}
		}
		if err != nil {
			return err
		}
		if err := json.Unmarshal(text, &launch); err != nil {
			return fmt.Errorf("decode the launch of a build: %w", err)
		}
		return nil
	})
	return launch, err
}

// Fingerprint implements runtime.Builder. The image has the toolchain.
func (p podBuilder) Fingerprint() (string, error) { return runtime.Digest(p.image, p.version), nil }

// handlerText is the reverse of runtime.ParseHandler.
func handlerText(h runtime.Handler) string {
	if h.File == "" {
		return path.Join(h.Dir, h.Function)
	}
	return path.Join(h.Dir, h.File+"."+h.Function)
}
