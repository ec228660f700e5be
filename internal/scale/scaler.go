package scale

import (
	"context"
	"errors"
	"log/slog"
	"time"

	"github.com/jeton-dev/jeton/internal/engine"
)

// ErrUnknownRevision is returned for a revision that was never set, is being
// retired or was removed. A caller that routes calls looks its function up
// again: a newer revision has taken over, or there is none.
var ErrUnknownRevision = errors.New("unknown revision")

// ErrQueueFull is returned for a call that finds as many calls waiting as may wait.
var ErrQueueFull = errors.New("too many calls are waiting for an instance")

// ErrClosed is returned once Run has ended.
var ErrClosed = errors.New("no instances are handed out any more")

// A StartError says that an instance that was waited for did not start.
type StartError struct {
	// Reason is the engine's, for the operator and for the function's author.
	Reason string
}

// Error returns the reason, with what it is the reason of.
func (e *StartError) Error() string { return "instance did not start: " + e.Reason }

// The defaults of Config. The two idle times are from Scaleway's documentation;
// it names no length for the queue.
const (
	DefaultQueue      = 256
	DefaultIdleToOne  = 30 * time.Second
	DefaultIdleToZero = 15 * time.Minute
)

// Config is how a Scaler decides. A zero field stands for its default.
type Config struct {
	// Queue is how many calls may wait for an instance of one revision.
	Queue int
	// IdleToOne is how long an instance may be idle beside others.
	IdleToOne time.Duration
	// IdleToZero is how long a revision's last instance may be idle.
	IdleToZero time.Duration
}

// Limits are how many instances of a revision there may be.
type Limits struct {
	// Min instances are kept, called or not.
	Min int
	// Max is at least 1 and at least Min; less is taken for that.
	Max int
}

// An Instance serves one call at a time: that of the caller it was handed to by
// Acquire, until Release or Discard.
type Instance struct {
	// ID is the engine's.
	ID string
	// Address is the path of the unix socket at which the instance serves.
	Address string
}

// A Scaler hands out instances. Its methods may be called at once from several
// goroutines.
type Scaler struct{}

// New returns a Scaler over an engine. It does nothing until Run.
func New(e engine.Engine, config Config, logger *slog.Logger) *Scaler { panic("being built") }

// Run follows the engine and keeps the number of instances right until ctx ends
// or the engine's watch does. Whoever waits then gets ErrClosed.
func (s *Scaler) Run(ctx context.Context) error { panic("being built") }

// Set makes a revision, which the engine knows already, open for calls, or
// changes its limits. A revision that is being retired stays so.
func (s *Scaler) Set(revisionID string, limits Limits) { panic("being built") }

// Acquire returns an idle instance of the revision, or waits for one. The caller
// gives it back by Release or Discard, once. Returns ErrUnknownRevision,
// ErrQueueFull, a *StartError, ErrClosed or ctx's error.
func (s *Scaler) Acquire(ctx context.Context, revisionID string) (*Instance, error) {
	panic("being built")
}

// Release gives an instance back after a call.
func (s *Scaler) Release(in *Instance) { panic("being built") }

// Discard gives an instance back that must not serve again, because its call
// ran out of time or its connection broke. It is stopped at once.
func (s *Scaler) Discard(in *Instance) { panic("being built") }

// Warm returns when an instance of the revision is ready, and starts one if
// there is none: it proves that the revision starts. Returns the errors of
// Acquire, but for ErrQueueFull.
func (s *Scaler) Warm(ctx context.Context, revisionID string) error { panic("being built") }

// Retire closes a revision for new calls because a newer one has taken over.
// Calls that wait or are served end as they would have; then the engine deletes
// the revision and the channel is closed. It is closed at once for a revision
// that is not known.
func (s *Scaler) Retire(revisionID string) <-chan struct{} { panic("being built") }

// Remove ends a revision at once, with all its calls, and returns when the
// engine has deleted it. Calls that wait get ErrUnknownRevision.
func (s *Scaler) Remove(ctx context.Context, revisionID string) error { panic("being built") }
