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

// ErrUnknownRevision is returned for a revision that was never set, is retired or
// was removed. A caller that routes calls looks up the current revision of the
// function and tries again.
var ErrUnknownRevision = errors.New("unknown revision")

// ErrQueueFull is returned for a call when Config.Queue calls wait already.
var ErrQueueFull = errors.New("too many calls are waiting for an instance")

// ErrClosed is returned once Run has ended.
var ErrClosed = errors.New("the server is stopping: no calls are accepted")

// A StartError is returned if the instance that a caller waited for did not start.
type StartError struct {
	// Reason is the engine's reason, for operators and authors of functions.
	Reason string
}

// Error returns the message.
func (e *StartError) Error() string { return "instance did not start: " + e.Reason }

// The defaults of Config. The two idle times are those of Scaleway's
// documentation, which names no length of the queue.
const (
	DefaultQueue      = 256
	DefaultIdleToOne  = 30 * time.Second
	DefaultIdleToZero = 15 * time.Minute
)

// Config configures a Scaler. A zero field means its default.
type Config struct {
	// Queue is the number of calls that may wait for an instance of one revision.
	Queue int
	// IdleToOne is how long an instance may be idle while its revision has others.
	IdleToOne time.Duration
	// IdleToZero is how long the only instance of a revision may be idle.
	IdleToZero time.Duration
	// Memory bounds the memory that all instances reserve, in bytes: each reserves
	// the Limits.Memory of its revision. Zero means no bound.
	Memory int64
	// MemoryWait is how long calls of a revision without instances wait for memory.
	MemoryWait time.Duration
	// MayStart reports whether instances may be started; nil means always.
	MayStart func() bool
	// Observer is notified of starts; nil for none.
	Observer Observer
}

// Limits bound the instances of a revision.
type Limits struct {
	// Min is the number of instances that run even without calls.
	Min int
	// Max is the maximum number of instances; a value below max(Min, 1) counts as
	// max(Min, 1).
	Max int
	// Memory is the memory that each instance reserves of Config.Memory, in bytes,
	// on behalf of the project with the ID Project.
	Memory  int64
	Project string
}

// A Scaler assigns instances to calls. Its methods are safe for concurrent use.
type Scaler struct {
	engine engine.Engine
	config Config
	logger *slog.Logger
	// wake receives a value when revisions were touched.
	wake chan struct{}

	mu        sync.Mutex
	revisions map[string]*revision
	// touched are the revisions to decide about next.
	touched map[*revision]struct{}
	// blocked are the revisions that wait for memory.
	blocked map[*revision]struct{}
	closed  bool
}

// New returns a Scaler of the instances of an engine. It starts none before Run.
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
		config.Observer = noObserver{}
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

// Set adds a revision, which must have been applied to the engine, or changes its
// limits. A retired revision stays retired.
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

// Retire stops accepting calls of a revision that another one has replaced. Calls
// that wait or are being served end normally; then the engine deletes the revision
// and the returned channel is closed. For an unknown revision it is closed already.
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

// Resume makes a retired revision accept calls again. It returns false if the revision is
// unknown or already being deleted.
func (s *Scaler) Resume(revisionID string) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	r := s.revisions[revisionID]
	if r == nil || r.deleting {
		return false
	}
	r.retired = false
	s.touch(r)
	return true
}

// Remove ends a revision and its calls immediately, and returns when the engine
// has deleted it. Waiting calls get ErrUnknownRevision. If the engine fails, Run
// deletes the revision later.
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

// empty replaces a revision by a retired one without calls and instances, and
// returns that; nil for an unknown revision.
func (s *Scaler) empty(revisionID string) *revision {
	s.mu.Lock()
	defer s.mu.Unlock()
	before := s.revisions[revisionID]
	if before == nil {
		return nil
	}
	s.forget(before)
	r := newRevision(revisionID)
	r.retired, r.deleting, r.forgotten = true, true, before.forgotten
	s.revisions[revisionID] = r
	return r
}

// forget removes a revision, and ends the calls that wait for it.
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

// touch schedules a decision about a revision, unless it was removed.
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
