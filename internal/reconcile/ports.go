package reconcile

import (
	"context"

	"github.com/jeton-dev/jeton/internal/engine"
	"github.com/jeton-dev/jeton/internal/functions"
	"github.com/jeton-dev/jeton/internal/runtime"
	"github.com/jeton-dev/jeton/internal/scale"
	"github.com/jeton-dev/jeton/internal/token"
)

// KeyPairs provides key pairs for new namespaces.
type KeyPairs interface {
	// Take waits for a key pair that was not returned before.
	Take(ctx context.Context) (token.KeyPair, error)
}

// Builders builds functions. Package runtime implements it.
type Builders interface {
	// Build returns how to launch what it left in the build's Output. Returns a
	// *runtime.BuildError if the function's author can correct the cause.
	Build(ctx context.Context, b runtime.Build) (runtime.Launch, error)
	// Name returns the name in the build cache for an archive with the digest. It
	// returns false if the result cannot be cached.
	Name(projectID string, r runtime.Runtime, h runtime.Handler, digest string) (name string, ok bool)
}

// Engine makes revisions known to an engine. Package engine declares the whole
// interface.
type Engine interface {
	Apply(ctx context.Context, r engine.Revision) error
}

// Instances starts and stops instances of revisions. Package scale implements it.
type Instances interface {
	// Set admits calls to a revision, or changes its limits.
	Set(revisionID string, limits scale.Limits)
	// Warm returns when an instance of the revision is ready. Returns
	// *scale.StartError or scale.ErrNoMemory.
	Warm(ctx context.Context, revisionID string) error
	// Retire ends a revision as soon as its calls have ended; then it closes the
	// channel.
	Retire(revisionID string) <-chan struct{}
	// Resume makes a retired revision accept calls again. It returns false if the revision
	// is unknown or already being deleted.
	Resume(revisionID string) bool
	// Remove ends a revision and its calls, and returns when no instance is left.
	Remove(ctx context.Context, revisionID string) error
}

// Sources checks whether the messages of triggers can be consumed.
type Sources interface {
	// Check returns nil, or an error whose text the trigger shows to users.
	Check(t functions.Trigger) error
}

// Logs stores the logs of functions.
type Logs interface {
	// WriteBuild replaces the log of a function's latest build.
	WriteBuild(f functions.Function, text string) error
	// Remove removes all logs of a function.
	Remove(functionID string) error
}

// Caches provides a folder per project that speeds up the builds of the project.
type Caches interface {
	// Use returns the folder, which exists until done is called.
	Use(ctx context.Context, projectID string) (folder string, done func(), err error)
}

// Certificates obtains TLS certificates for custom hostnames.
type Certificates interface {
	// Obtain returns when there is a certificate for the host.
	Obtain(ctx context.Context, host, project string) error
}
