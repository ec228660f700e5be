package kubernetes

import (
	"context"
	"errors"
	"fmt"

	"github.com/jeton-dev/jeton/internal/agent/wire"
	"github.com/jeton-dev/jeton/internal/engine"
	"github.com/jeton-dev/jeton/internal/engine/printed"
)

// A revision is an engine.Revision with what a start of an instance needs. It is immutable, except
// users.
type revision struct {
	engine.Revision

	kind kind
	// dir is the folder of the artifact, and release ends its use.
	dir     string
	release func()
	// users counts the instances, and 1 for the revision until it is deleted. The engine's mutex
	// guards it.
	users   int
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
		dir: dir, release: release, users: 1, secrets: printed.NewRedactor(r.Secrets),
	}, nil
}

// drop ends one use of a revision. The caller holds the engine's mutex.
func (r *revision) drop() {
	if r.users--; r.users == 0 {
		r.release()
	}
}

// task returns the order of an instance.
func (r *revision) task() wire.Task {
	return wire.Task{Runtime: r.Runtime, Handler: r.Handler, Launch: r.Launch, Env: r.Env}
}
