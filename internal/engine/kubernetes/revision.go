package kubernetes

import (
	"context"
	"errors"
	"fmt"

	"github.com/jeton-dev/jeton/internal/agent/wire"
	"github.com/jeton-dev/jeton/internal/engine"
	"github.com/jeton-dev/jeton/internal/engine/printed"
)

// A revision is an engine.Revision with what a start of an instance needs. It is immutable.
type revision struct {
	engine.Revision

	kind kind
	// dir is the folder of the artifact, and release ends its use.
	dir     string
	release func()
	secrets *printed.Redactor
}

func (e *Engine) resolve(ctx context.Context, r engine.Revision) (*revision, error) {
	if r.ID == "" {
		return nil, errors.New("revision has no ID")
	}
	language, ok := e.config.Language(r.Runtime)
	if !ok {
		return nil, fmt.Errorf("unknown runtime %.100q", r.Runtime)
	}
	dir, release, err := e.config.Artifacts.Local(ctx, r.FunctionID, r.Artifact)
	if err != nil {
		return nil, err
	}
	return &revision{
		Revision: r, kind: kind{component: ComponentInstance, language: language, memory: r.MemoryLimit, cpu: r.CPULimit},
		dir: dir, release: release, secrets: printed.NewRedactor(r.Secrets),
	}, nil
}

// Source implements instances.Revision.
func (r *revision) Source() engine.Revision { return r.Revision }

// Release implements instances.Revision.
func (r *revision) Release() { r.release() }

// task returns the order of an instance.
func (r *revision) task() wire.Task {
	return wire.Task{Runtime: r.Runtime, Handler: r.Handler, Launch: r.Launch, Env: r.Env}
}
