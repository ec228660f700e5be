package process

import (
	"context"

	"github.com/jeton-dev/jeton/internal/engine"
)

// Artifacts provides built code on this machine.
type Artifacts interface {
	// Local returns the absolute path of the folder of a function's artifact, which
	// exists until release is called. The engine calls release once, when no
	// instance reads the folder; release must not block. Returns an error if there
	// is no such artifact.
	Local(ctx context.Context, functionID, artifact string) (dir string, release func(), err error)
}

// A Starter determines how instances of a revision are started on this machine.
type Starter interface {
	// Start returns how to start an instance that sees its artifact at the path
	// home. Returns an error if this machine cannot run the revision.
	Start(r engine.Revision, home string) (Start, error)
}

// A Start describes how instances of one revision are started.
type Start struct {
	// Language selects the system calls that instances may make, the warm workers
	// that can serve the revision, and the Cause of a failed start.
	Language string
	// Command is the absolute path of the program and its arguments, as instances
	// see them. The program finds its listening socket as file descriptor 3, and
	// writes one byte to file descriptor 4 when it serves.
	Command []string
	// Env is the whole environment of an instance, as "KEY=value"; the last of two
	// values of a key wins.
	Env []string
	// UseWorker reports whether a warm worker of Language that gets Env and
	// WorkerArguments behaves as Command does.
	UseWorker bool
	// WorkerArguments are the arguments of the worker's bootstrap.
	WorkerArguments []string
}
