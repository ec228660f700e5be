package engine

import (
	"context"
	"errors"
)

// ErrUnknownRevision is returned for a revision that was never applied, or
// that has been deleted.
var ErrUnknownRevision = errors.New("unknown revision")

// A Revision is all that an engine needs to run one state of a function. What
// a revision is never changes: a second Apply with the same ID has the same
// content.
type Revision struct {
	// ID names the revision, and nothing else.
	ID string
	// FunctionID is the function that the revision belongs to, for the log.
	FunctionID string
	// ProjectID is the project that the function belongs to, for its share of what
	// all have together.
	ProjectID string
	// Language names the runtime's language, for the list of system calls that
	// its instances may make.
	Language string
	// Command is the program, as an absolute path, and its arguments, as the
	// instance sees them. The instance finds its listening socket as file descriptor 3, and reports
	// that it serves by writing one byte to file descriptor 4.
	Command []string
	// Work has the instance served by an interpreter that the engine has started
	// ahead of need, if there is one; nil if that would not be the same.
	Work *Work
	// Dir holds the built code. An instance may read it and never writes it; the
	// engine's Home says where it finds it.
	Dir string
	// Env is the whole environment of an instance, as "KEY=value". Secrets
	// are among it: it is never logged.
	Env []string
	// Secrets are the values in Env that must not be seen. The engine takes
	// them out of what it tells of an instance: of Event.Reason, and of the
	// output that it logs. One that is shorter than 6 bytes is left in, for it
	// guards nothing, and so is such a line of one that has several.
	Secrets []string
	// MemoryLimit is in megabytes, CPULimit in thousandths of a CPU.
	MemoryLimit, CPULimit int
}

// Work is what an interpreter that runs already needs to be told, beside its
// environment, to serve a revision.
type Work struct {
	// Arguments are those of the bootstrap.
	Arguments []string
}

// An Engine makes instances of revisions exist and says where they are. All
// methods may be called at once from several goroutines.
type Engine interface {
	// Home is the path at which instances see the folder that is their
	// revision's Dir.
	Home(dir string) string
	// Apply makes a revision known. It starts nothing. It is idempotent.
	Apply(ctx context.Context, r Revision) error
	// SetScale asks for n instances of a revision and returns before they are
	// there: Watch tells when they are. Each instance that it asks for is
	// reported as Starting, and later as Ready or Gone, however it goes. Where
	// n is lower than what exists, the engine stops instances out of spare, in
	// that order, and never another one; the caller has stopped sending calls
	// to those. An instance that is being stopped is not counted. An instance
	// that ends by itself is reported, and not replaced until SetScale is
	// called again. Returns ErrUnknownRevision.
	SetScale(ctx context.Context, revisionID string, n int, spare []string) error
	// Stop ends one instance at once, whatever it is doing, and returns before
	// it has ended. Stopping an instance that is gone is no error.
	Stop(ctx context.Context, instanceID string) error
	// Delete ends all instances of a revision at once, forgets it, and returns
	// when none is left that could read the revision's Dir, or with ctx's
	// error. Deleting what is not there is no error.
	Delete(ctx context.Context, revisionID string) error
	// Watch reports the instances that exist now, as events, and then every
	// change, in order and without loss, until ctx ends; then the channel is
	// closed.
	Watch(ctx context.Context) (<-chan Event, error)
}

// State is what an Event says of an instance.
type State int

const (
	// Starting: the instance exists and does not serve yet.
	Starting State = iota + 1
	// Ready: the instance serves at its address.
	Ready
	// Gone: the instance has ended.
	Gone
)

// An Event is one step in the life of an instance: Starting, then Ready or
// Gone, then Gone. An instance never comes back.
type Event struct {
	RevisionID string
	InstanceID string
	State      State
	// Address is the path of the unix socket at which a ready instance serves.
	Address string
	// Reason says in words for the operator why an instance is gone, and is
	// empty when it went because it was asked to. One that crashed says so even
	// if it was asked while it did. It holds none of the revision's
	// Secrets.
	Reason string
}
