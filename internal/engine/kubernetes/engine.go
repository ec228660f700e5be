package kubernetes

import (
	"context"
	"errors"
	"fmt"
	"net"
	"sync"
	"sync/atomic"
	"time"

	"github.com/jeton-dev/jeton/internal/agent"
	"github.com/jeton-dev/jeton/internal/engine"
	"github.com/jeton-dev/jeton/internal/engine/feed"
)

var errClosed = errors.New("kubernetes engine is closed")

// endTimeout bounds the deletion of Pods when the engine is closed.
const endTimeout = 10 * time.Second

// An Engine runs instances as Pods. It implements engine.Engine and engine.Dialer; all methods are
// safe for concurrent use, except SetOutput.
type Engine struct {
	config Config
	// id identifies this engine among all that have used the namespace.
	id       string
	identity *agent.Identity
	verifier *verifier
	view     *view
	pool     *pool
	output   atomic.Pointer[func(engine.Line)]
	// ctx ends when the engine is closed and all instances have ended.
	ctx                context.Context
	stop               context.CancelFunc
	running, disposing sync.WaitGroup

	mu        sync.Mutex
	closed    bool
	revisions map[string]*revision
	instances map[string]*instance
	feed      *feed.Feed
	// expected are the names of the Pods that this engine uses.
	expected map[string]struct{}
}

var (
	_ engine.Engine = (*Engine)(nil)
	_ engine.Dialer = (*Engine)(nil)
)

// New returns an engine without instances, when it knows the Pods of the installation. It deletes
// those that earlier engines of this node have left. The caller closes the engine.
func New(ctx context.Context, config Config) (*Engine, error) {
	config, err := config.orDefaults()
	if err != nil {
		return nil, err
	}
	identity, err := agent.NewIdentity()
	if err != nil {
		return nil, fmt.Errorf("kubernetes engine: %w", err)
	}
	e := &Engine{
		config: config, id: config.NewID(), identity: identity,
		verifier:  &verifier{fetch: config.Keys, namespace: config.Namespace, now: config.Now},
		revisions: map[string]*revision{}, instances: map[string]*instance{}, expected: map[string]struct{}{},
	}
	e.feed = feed.New(&e.mu)
	e.ctx, e.stop = context.WithCancel(context.WithoutCancel(ctx))
	if e.view, err = e.openView(ctx); err != nil {
		e.stop()
		return nil, fmt.Errorf("kubernetes engine: %w", err)
	}
	e.running.Go(func() { e.sweepUntil(e.ctx) })
	e.pool = newPool(e)
	return e, nil
}

// SetOutput implements engine.Engine. The engine also logs the lines at level Debug.
func (e *Engine) SetOutput(receive func(engine.Line)) { e.output.Store(&receive) }

// Close terminates all instances and deletes all Pods. Watches end after the last event.
func (e *Engine) Close() error {
	e.mu.Lock()
	if e.closed {
		e.mu.Unlock()
		return nil
	}
	e.closed = true
	ending := make([]*instance, 0, len(e.instances))
	for _, in := range e.instances {
		in.terminate()
		ending = append(ending, in)
	}
	e.mu.Unlock()
	for _, in := range ending {
		<-in.ended
	}
	e.pool.close()
	disposed := make(chan struct{})
	go func() {
		e.disposing.Wait()
		close(disposed)
	}()
	var err error
	select {
	case <-disposed:
	case <-time.After(endTimeout):
		err = fmt.Errorf("kubernetes engine: some Pods could not be deleted within %v: the next start deletes them", endTimeout)
	}
	e.stop()
	<-disposed
	e.running.Wait()
	e.view.close()
	e.mu.Lock()
	defer e.mu.Unlock()
	e.feed.Close()
	for _, r := range e.revisions {
		r.drop()
	}
	return err
}

// Apply implements engine.Engine.
func (e *Engine) Apply(ctx context.Context, r engine.Revision) error {
	resolved, err := e.resolve(ctx, r)
	if err != nil {
		return fmt.Errorf("apply revision %q: %w", r.ID, err)
	}
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.closed {
		resolved.drop()
		return errClosed
	}
	if before := e.revisions[r.ID]; before != nil {
		before.drop()
	}
	e.revisions[r.ID] = resolved
	e.pool.wake()
	return nil
}

// SetScale implements engine.Engine.
func (e *Engine) SetScale(_ context.Context, revisionID string, n int, victims []string) error {
	e.mu.Lock()
	defer e.mu.Unlock()
	r, ok := e.revisions[revisionID]
	switch {
	case e.closed:
		return errClosed
	case !ok:
		return fmt.Errorf("set scale of %q: %w", revisionID, engine.ErrUnknownRevision)
	}
	live := 0
	for _, in := range e.instances {
		if in.revision.ID == revisionID && !in.stopping && !in.leaving {
			live++
		}
	}
	for ; live < n; live++ {
		e.start(r)
	}
	for _, id := range victims {
		in := e.instances[id]
		switch {
		case in == nil || in.revision.ID != revisionID || in.stopping:
		case in.leaving:
			in.terminate()
		case live > n:
			in.terminate()
			live--
		}
	}
	return nil
}

// start starts an instance. The caller holds the mutex.
func (e *Engine) start(r *revision) {
	in := newInstance(e.ctx, e.config.NewID(), r)
	r.users++
	e.instances[in.id] = in
	e.feed.Emit(in.event(engine.Starting))
	go e.run(in)
}

// Stop implements engine.Engine.
func (e *Engine) Stop(_ context.Context, instanceID string) error {
	e.mu.Lock()
	defer e.mu.Unlock()
	if in := e.instances[instanceID]; in != nil {
		in.kill()
	}
	return nil
}

// Delete implements engine.Engine.
func (e *Engine) Delete(ctx context.Context, revisionID string) error {
	var ending []*instance
	e.mu.Lock()
	if r := e.revisions[revisionID]; r != nil {
		delete(e.revisions, revisionID)
		r.drop()
	}
	for _, in := range e.instances {
		if in.revision.ID == revisionID {
			in.kill()
			ending = append(ending, in)
		}
	}
	e.mu.Unlock()
	for _, in := range ending {
		select {
		case <-in.ended:
		case <-ctx.Done():
			return fmt.Errorf("wait for the end of instance %s: %w", in.id, ctx.Err())
		}
	}
	return nil
}

// Watch implements engine.Engine. The channel is also closed after the last event of an engine that
// is being closed.
func (e *Engine) Watch(ctx context.Context) (<-chan engine.Event, error) {
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.closed {
		return nil, errClosed
	}
	var existing []engine.Event
	for _, in := range e.instances {
		existing = append(existing, in.event(engine.Starting))
		if in.ready {
			existing = append(existing, in.event(engine.Ready))
		}
		if in.leaving {
			existing = append(existing, in.event(engine.Leaving))
		}
	}
	return e.feed.Watch(ctx, existing), nil
}

// Dial implements engine.Dialer. The other side has proved to be the instance.
func (e *Engine) Dial(ctx context.Context, address engine.Address) (net.Conn, error) {
	e.mu.Lock()
	in := e.instances[address.Endpoint()]
	var s *session
	if in != nil && in.ready {
		s = in.session
	}
	e.mu.Unlock()
	if s == nil || !s.alive() {
		return nil, fmt.Errorf("connect to instance %s: it has ended", address.Endpoint())
	}
	conn, err := s.call(ctx)
	if err != nil {
		return nil, fmt.Errorf("connect to instance %s: %w", address.Endpoint(), err)
	}
	return conn, nil
}

// expect records the name of a Pod that this engine uses, and forget reverts it.
func (e *Engine) expect(name string) {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.expected[name] = struct{}{}
}

func (e *Engine) forget(name string) {
	e.mu.Lock()
	defer e.mu.Unlock()
	delete(e.expected, name)
}

func (e *Engine) expects(name string) bool {
	e.mu.Lock()
	defer e.mu.Unlock()
	_, ok := e.expected[name]
	return ok
}
