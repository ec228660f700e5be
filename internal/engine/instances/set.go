package instances

import (
	"context"
	"fmt"
	"log/slog"
	"sync"
	"sync/atomic"

	"github.com/jeton-dev/jeton/internal/engine"
)

// A Revision is what an engine needs to start instances of an engine.Revision.
type Revision interface {
	// Source returns the revision that was applied.
	Source() engine.Revision
	// Release ends the use of the artifact. It is called once, when the revision is deleted
	// and its last instance has ended.
	Release()
}

// member is implemented by types that embed an *Instance.
type member interface{ base() *Instance }

// Config configures a Set. All fields but Applied and Deleted are required.
type Config[R Revision, I member] struct {
	// Name is that of the engine in errors, for example "process engine".
	Name string
	// NewID returns the ID of a new instance, which is unique.
	NewID func() string
	// New returns an instance, which embeds base. It must not wait for anything.
	New func(base *Instance, r R) I
	// Run runs an instance until it has ended, and returns why. It stops it as Terminated and
	// Killed demand.
	Run func(in I) string
	// Log receives the lines that instances print, at level Debug.
	Log *slog.Logger
	// Applied and Deleted are called after a revision was added, and after it was removed.
	// They must not call methods of the set.
	Applied func(r R)
	Deleted func(revisionID string)
}

// A Set has the revisions and the instances of one engine. It has the methods of engine.Engine
// except Apply; all are safe for concurrent use, except SetOutput.
type Set[R Revision, I member] struct {
	config Config[R, I]
	core
	running sync.WaitGroup

	// The mutex of core guards the following fields.
	closed    bool
	revisions map[string]*applied[R]
	instances map[string]I
}

// core is what the instances of a set share.
type core struct {
	log    *slog.Logger
	output atomic.Pointer[func(engine.Line)]
	mu     sync.Mutex
	feed   *feed
}

// applied is a revision, and how often it is used: once by each instance, and once until it
// is deleted.
type applied[R Revision] struct {
	revision R
	uses     int
}

// drop ends one use of a revision. The caller holds the mutex.
func (a *applied[R]) drop() {
	if a.uses--; a.uses == 0 {
		a.revision.Release()
	}
}

// New returns an empty set. The caller closes it.
func New[R Revision, I member](config Config[R, I]) *Set[R, I] {
	if config.Applied == nil {
		config.Applied = func(R) {}
	}
	if config.Deleted == nil {
		config.Deleted = func(string) {}
	}
	s := &Set[R, I]{config: config, revisions: map[string]*applied[R]{}, instances: map[string]I{}}
	s.log = config.Log
	s.feed = newFeed(&s.mu)
	return s
}

func (s *Set[R, I]) closedError() error { return fmt.Errorf("%s is closed", s.config.Name) }

// SetOutput implements engine.Engine. The lines are also logged at level Debug.
func (s *Set[R, I]) SetOutput(receive func(engine.Line)) { s.output.Store(&receive) }

// Add adds a revision, in place of another with its ID. It releases the revision if it returns
// an error.
func (s *Set[R, I]) Add(r R) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closed {
		r.Release()
		return s.closedError()
	}
	id := r.Source().ID
	if before := s.revisions[id]; before != nil {
		before.drop()
	}
	s.revisions[id] = &applied[R]{revision: r, uses: 1}
	s.config.Applied(r)
	return nil
}

// SetScale implements engine.Engine.
func (s *Set[R, I]) SetScale(_ context.Context, revisionID string, n int, victims []string) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	r, ok := s.revisions[revisionID]
	switch {
	case s.closed:
		return s.closedError()
	case !ok:
		return fmt.Errorf("set scale of %q: %w", revisionID, engine.ErrUnknownRevision)
	}
	live := 0
	for _, in := range s.instances {
		if b := in.base(); b.source.ID == revisionID && !b.stopping && !b.leaving {
			live++
		}
	}
	for ; live < n; live++ {
		s.start(r)
	}
	for _, id := range victims {
		in, ok := s.instances[id]
		if !ok {
			continue
		}
		switch b := in.base(); {
		case b.source.ID != revisionID || b.stopping:
		case b.leaving:
			b.terminate()
		case live > n:
			b.terminate()
			live--
		}
	}
	return nil
}

// start starts an instance. The caller holds the mutex.
func (s *Set[R, I]) start(r *applied[R]) {
	base := newInstance(&s.core, s.config.NewID(), r.revision.Source())
	in := s.config.New(base, r.revision)
	r.uses++
	s.instances[base.ID] = in
	s.feed.emit(base.event(engine.Starting))
	s.running.Go(func() { s.run(in, r) })
}

// run runs an instance from its start to its end.
func (s *Set[R, I]) run(in I, r *applied[R]) {
	base := in.base()
	reason := base.unasked(s.config.Run(in))
	if reason != "" {
		base.Output(engine.System)("the instance ended: " + reason)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	base.stopStart()
	event := base.event(engine.Gone)
	event.Reason = reason
	delete(s.instances, base.ID)
	r.drop()
	s.feed.emit(event)
	close(base.ended)
}

// Stop implements engine.Engine.
func (s *Set[R, I]) Stop(_ context.Context, instanceID string) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if in, ok := s.instances[instanceID]; ok {
		in.base().kill()
	}
	return nil
}

// Delete implements engine.Engine.
func (s *Set[R, I]) Delete(ctx context.Context, revisionID string) error {
	var ending []*Instance
	s.mu.Lock()
	if r := s.revisions[revisionID]; r != nil {
		delete(s.revisions, revisionID)
		r.drop()
	}
	s.config.Deleted(revisionID)
	for _, in := range s.instances {
		if b := in.base(); b.source.ID == revisionID {
			b.kill()
			ending = append(ending, b)
		}
	}
	s.mu.Unlock()
	for _, in := range ending {
		select {
		case <-in.ended:
		case <-ctx.Done():
			return fmt.Errorf("wait for the end of instance %s: %w", in.ID, ctx.Err())
		}
	}
	return nil
}

// Watch implements engine.Engine. The channel is also closed after the last event of a set that
// is being closed.
func (s *Set[R, I]) Watch(ctx context.Context) (<-chan engine.Event, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closed {
		return nil, s.closedError()
	}
	var existing []engine.Event
	for _, in := range s.instances {
		b := in.base()
		existing = append(existing, b.event(engine.Starting))
		if b.ready {
			existing = append(existing, b.event(engine.Ready))
		}
		if b.leaving {
			existing = append(existing, b.event(engine.Leaving))
		}
	}
	return s.feed.watch(ctx, existing), nil
}

// Get returns an instance; false if it has ended or never existed.
func (s *Set[R, I]) Get(instanceID string) (I, bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	in, ok := s.instances[instanceID]
	return in, ok
}

// All returns the instances that have not ended, in no order.
func (s *Set[R, I]) All() []I {
	s.mu.Lock()
	defer s.mu.Unlock()
	all := make([]I, 0, len(s.instances))
	for _, in := range s.instances {
		all = append(all, in)
	}
	return all
}

// Revisions returns the revisions that were not deleted, in no order.
func (s *Set[R, I]) Revisions() []R {
	s.mu.Lock()
	defer s.mu.Unlock()
	all := make([]R, 0, len(s.revisions))
	for _, r := range s.revisions {
		all = append(all, r.revision)
	}
	return all
}

// Close terminates all instances and returns when they have ended. Watches end after the last
// event. It returns false if it was called before.
func (s *Set[R, I]) Close() bool {
	s.mu.Lock()
	if s.closed {
		s.mu.Unlock()
		return false
	}
	s.closed = true
	for _, in := range s.instances {
		in.base().terminate()
	}
	s.mu.Unlock()
	s.running.Wait()
	s.mu.Lock()
	defer s.mu.Unlock()
	s.feed.close()
	for _, r := range s.revisions {
		r.drop()
	}
	return true
}
