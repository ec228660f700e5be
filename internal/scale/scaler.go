package scale

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"sync"
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
	// Memory is what all instances may reserve together, in bytes: each reserves
	// its revision's Limits.Memory. Zero is no bound.
	Memory int64
	// MemoryWait is how long a revision without instances waits for memory.
	MemoryWait time.Duration
	// Observer, where it is not nil, is told what becomes of starts.
	Observer Observer
}

// Limits are how many instances of a revision there may be.
type Limits struct {
	// Min instances are kept, called or not.
	Min int
	// Max is at least 1 and at least Min; less is taken for that.
	Max int
	// Memory is what each instance may take, in bytes, and Project whose it is, for
	// the budget of Config.Memory.
	Memory  int64
	Project string
}

// A Scaler hands out instances. Its methods may be called at once from several
// goroutines.
type Scaler struct {
	engine engine.Engine
	config Config
	logger *slog.Logger
	// wake holds a value while there are touched revisions.
	wake chan struct{}

	mu        sync.Mutex
	revisions map[string]*revision
	// touched are the revisions to decide about.
	touched map[*revision]struct{}
	// blocked are the revisions that wait for memory.
	blocked map[*revision]struct{}
	closed  bool
}

// New returns a Scaler over an engine. It starts nothing until Run.
func New(e engine.Engine, config Config, logger *slog.Logger) *Scaler {
	if config.Queue == 0 {
		config.Queue = DefaultQueue
	}
	if config.IdleToOne == 0 {
		config.IdleToOne = DefaultIdleToOne
	}
	if config.IdleToZero == 0 {
		config.IdleToZero = DefaultIdleToZero
	}
	if config.MemoryWait == 0 {
		config.MemoryWait = DefaultMemoryWait
	}
	if config.Observer == nil {
		config.Observer = nobody{}
	}
	return &Scaler{
		engine:    e,
		config:    config,
		logger:    logger,
		wake:      make(chan struct{}, 1),
		revisions: map[string]*revision{},
		touched:   map[*revision]struct{}{},
		blocked:   map[*revision]struct{}{},
	}
}

// Set makes a revision, which the engine knows already, open for calls, or
// changes its limits. A revision that is being retired stays so.
func (s *Scaler) Set(revisionID string, limits Limits) {
	limits.Max = max(limits.Max, limits.Min, 1)
	s.mu.Lock()
	defer s.mu.Unlock()
	r := s.revisions[revisionID]
	if r == nil {
		r = newRevision(revisionID)
		s.revisions[revisionID] = r
	}
	r.limits = limits
	s.touch(r)
}

// Retire closes a revision for new calls because a newer one has taken over.
// Calls that wait or are served end as they would have; then the engine deletes
// the revision and the channel is closed. It is closed at once for a revision
// that is not known.
func (s *Scaler) Retire(revisionID string) <-chan struct{} {
	s.mu.Lock()
	defer s.mu.Unlock()
	r := s.revisions[revisionID]
	if r == nil {
		done := make(chan struct{})
		close(done)
		return done
	}
	r.retired = true
	s.touch(r)
	return r.forgotten
}

// Remove ends a revision at once, with all its calls, and returns when the
// engine has deleted it. Calls that wait get ErrUnknownRevision. If the engine
// fails, Run has it delete the revision later, unless Remove is called again.
func (s *Scaler) Remove(ctx context.Context, revisionID string) error {
	r := s.empty(revisionID)
	err := s.engine.Delete(ctx, revisionID)
	if err != nil {
		err = fmt.Errorf("remove revision %s: %w", revisionID, err)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	switch {
	case r == nil || s.revisions[revisionID] != r:
	case err != nil:
		s.touch(r)
	default:
		s.forget(r)
		close(r.forgotten)
	}
	return err
}

// empty puts a retired revision without calls or instances in the place of a
// revision, and returns it, or nil if there is none.
func (s *Scaler) empty(revisionID string) *revision {
	s.mu.Lock()
	defer s.mu.Unlock()
	before := s.revisions[revisionID]
	if before == nil {
		return nil
	}
	s.forget(before)
	r := newRevision(revisionID)
	r.retired, r.forgotten = true, before.forgotten
	s.revisions[revisionID] = r
	return r
}

// forget drops a revision and whoever waits for it.
func (s *Scaler) forget(r *revision) {
	delete(s.revisions, r.id)
	delete(s.touched, r)
	s.unblock(r)
	s.freed()
	for _, in := range r.instances {
		in.phase = gone
	}
	r.endWaiting(ErrUnknownRevision)
	if r.timer != nil {
		r.timer.Stop()
	}
}

// touch has a revision decided about soon.
func (s *Scaler) touch(r *revision) {
	if s.revisions[r.id] != r {
		return
	}
	s.touched[r] = struct{}{}
	select {
	case s.wake <- struct{}{}:
	default:
	}
}
