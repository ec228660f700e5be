package kubernetes

import (
	"context"
	"fmt"
	"net"
	"sync"
	"time"

	"github.com/jeton-dev/jeton/internal/agent"
	"github.com/jeton-dev/jeton/internal/engine"
	"github.com/jeton-dev/jeton/internal/engine/instances"
)

// endTimeout bounds the deletion of Pods when the engine is closed.
const endTimeout = 10 * time.Second

// An Engine runs instances as Pods. It implements engine.Engine and engine.Dialer; all methods are
// safe for concurrent use, except SetOutput.
type Engine struct {
	*instances.Set[*revision, *instance]
	config Config
	// id identifies this engine among all that have used the namespace.
	id       string
	identity *agent.Identity
	verifier *verifier
	view     *view
	pool     *pool
	caches   *caches
	// ctx ends when the engine is closed and all instances have ended.
	ctx                context.Context
	stop               context.CancelFunc
	running, disposing sync.WaitGroup

	mu sync.Mutex
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
		verifier: &verifier{fetch: config.Keys, namespace: config.Namespace, now: config.Now},
		caches:   newCaches(), expected: map[string]struct{}{},
	}
	e.Set = instances.New(instances.Config[*revision, *instance]{
		Name: "kubernetes engine", NewID: config.NewID, New: newInstance, Run: e.execute, Log: config.Log,
		Applied: func(*revision) { e.pool.wake() },
	})
	e.ctx, e.stop = context.WithCancel(context.WithoutCancel(ctx))
	if e.view, err = e.openView(ctx); err != nil {
		e.stop()
		return nil, fmt.Errorf("kubernetes engine: %w", err)
	}
	e.running.Go(func() { e.sweepUntil(e.ctx) })
	e.pool = newPool(e)
	return e, nil
}

// Close terminates all instances and deletes all Pods. Watches end after the last event.
func (e *Engine) Close() error {
	if !e.Set.Close() {
		return nil
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
	return err
}

// Apply implements engine.Engine.
func (e *Engine) Apply(ctx context.Context, r engine.Revision) error {
	resolved, err := e.resolve(ctx, r)
	if err != nil {
		return fmt.Errorf("apply revision %q: %w", r.ID, err)
	}
	return e.Add(resolved)
}

// Dial implements engine.Dialer. The other side has proved to be the instance.
func (e *Engine) Dial(ctx context.Context, address engine.Address) (net.Conn, error) {
	in, ok := e.Get(address.Endpoint())
	if !ok || !in.Ready() {
		return nil, fmt.Errorf("connect to instance %s: it has ended", address.Endpoint())
	}
	s := in.session.Load()
	if !s.alive() {
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
