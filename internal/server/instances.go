package server

import (
	"context"

	"github.com/jeton-dev/jeton/internal/blob"
	"github.com/jeton-dev/jeton/internal/engine"
	"github.com/jeton-dev/jeton/internal/engine/process"
	"github.com/jeton-dev/jeton/internal/runtime"
)

// localArtifacts implements process.Artifacts.
type localArtifacts struct{ artifacts blob.Local }

func (l localArtifacts) Local(ctx context.Context, functionID, artifact string) (dir string, release func(), err error) {
	return l.artifacts.Local(ctx, blob.Ref{FunctionID: functionID, Name: artifact})
}

// starter implements process.Starter.
type starter struct{ runtime.Starter }

func (s starter) Start(r engine.Revision, home string) (process.Start, error) {
	start, err := s.Starter.Start(r.Runtime, r.Handler, r.Launch, r.Env, home)
	return process.Start(start), err
}
