package engine

import (
	"context"
	"errors"
)

// ErrUnknownRevision is returned for a revision that was never applied, or
// that has been deleted.
var ErrUnknownRevision = errors.New("unknown revision")

// A Revision describes one state of a function, without reference to the
// machine that runs it. It is immutable: a second Apply with the same ID has the
// same content.
type Revision struct {
	// ID identifies the revision.
	ID string
	// FunctionID is the function of the revision. Output and limits of functions
	// are attributed to it.
	FunctionID string
	// ProjectID is the project of the function. Limits of projects are attributed
	// to it.
	ProjectID string
	// Artifact identifies the built code among the artifacts of the function.
	Artifact string
	// Launch says how an instance of the artifact is started, as the builder of
	// the runtime recorded it. Engines do not interpret it: they pass it to the
	// program that starts instances. It holds no path of a machine.
	Launch []byte
	// Runtime is the name of the runtime, such as "python314".
	Runtime string
	// Handler is the name of the handler, in the syntax of the runtime's language.
	Handler string
	// Env is the environment of an instance, as "KEY=value"; the last of two
	// values of a key wins. It contains secrets and is never logged.
	Env []string
	// Secrets are the values in Env that engines remove from Line.Text and
	// Event.Reason. Values, and lines of values, shorter than 6 bytes stay: to
	// remove them would garble the text and protect nothing.
	Secrets []string
	// MemoryLimit is in megabytes, CPULimit in thousandths of a CPU.
	MemoryLimit, CPULimit int
}

// An Engine runs instances of revisions and reports them. Instances may run on
// other machines: every method except SetOutput may wait for a network. All
// methods are safe for concurrent use, except SetOutput.
type Engine interface {
	// SetOutput sets the function that receives the lines that instances print;
	// by default they are dropped. It is called before the first Apply.
	//
	// The engine calls receive from several goroutines, with the lines of one
	// stream of an instance in order, and with all lines of an instance before
	// that instance is reported as Gone. receive blocks the instance: no line is lost, and
	// nothing is buffered. If the engine limits the output of an instance, it adds a
	// line that says so.
	SetOutput(receive func(Line))
	// Apply prepares a revision, so that SetScale can start instances of it. It
	// starts none. Returns an error if the engine cannot run the revision.
	Apply(ctx context.Context, r Revision) error
	// SetScale requests n instances of a revision and returns before they are
	// ready. Each instance that it adds is reported as Starting, and later as
	// Ready or Gone. If there are more than n, the engine stops instances among
	// victims, in that order, and no others; the caller sends no more calls to
	// victims. Instances that are being stopped do not count. An instance that
	// ends by itself is replaced only by the next SetScale. Instances that were
	// reported as Leaving do not count, and are stopped if they are victims.
	// Returns ErrUnknownRevision.
	SetScale(ctx context.Context, revisionID string, n int, victims []string) error
	// Stop ends an instance immediately and returns before it has ended. It
	// returns nil for an instance that does not exist.
	Stop(ctx context.Context, instanceID string) error
	// Delete ends all instances of a revision immediately and forgets the
	// revision. It returns when no instance can read the artifact any more, or
	// with ctx's error. It returns nil for a revision that does not exist.
	Delete(ctx context.Context, revisionID string) error
	// Watch reports the instances that exist, then one Synced event, then every
	// change in order and without loss. Every instance that a SetScale added
	// before Watch was called, and that is not gone, comes before Synced. The
	// channel is closed when ctx ends, and when the engine can no longer report
	// every change: the caller then calls Watch again, and treats instances
	// that the new Watch does not report as gone.
	Watch(ctx context.Context) (<-chan Event, error)
}

// State is the state of an instance in an Event.
type State int

const (
	// Starting means that the instance exists and does not serve yet.
	Starting State = iota + 1
	// Ready means that the instance accepts connections at its address and
	// serves calls, one at a time.
	Ready
	// Leaving means that what runs the instance ends it soon. It may end the call that
	// it serves, and gets no other. The caller then makes it a victim of SetScale.
	Leaving
	// Gone means that the instance has ended.
	Gone
	// Synced is the state of the event that follows the existing instances at
	// the beginning of a Watch. It belongs to no instance.
	Synced
)

// An Event is one state of an instance. The states of an instance are Starting,
// then perhaps Ready, then perhaps Leaving, then Gone. An instance ID is never used again.
type Event struct {
	RevisionID string
	InstanceID string
	State      State
	// Address is where a ready instance serves.
	Address Address
	// Reason says why an instance is gone, for operators and authors of functions.
	// It is empty if the instance ended because Stop, SetScale or Delete asked for
	// it; an instance that crashed meanwhile has a reason. It contains none of the
	// revision's Secrets.
	Reason string
}

// A Line is one line that an instance printed.
type Line struct {
	FunctionID, RevisionID, InstanceID string
	// Stream is Stdout, Stderr or System.
	Stream string
	// Text is valid UTF-8 without the line's end and without the revision's
	// Secrets. A line of more than MaxLine bytes comes in parts.
	Text string
}

// The streams of a Line. Lines of System are the engine's: why an instance ended, unless Stop,
// SetScale or Delete asked for it.
const (
	Stdout = "stdout"
	Stderr = "stderr"
	System = "system"
)

// MaxLine is the longest Text of a Line before secrets are removed, in bytes.
const MaxLine = 8 << 10
