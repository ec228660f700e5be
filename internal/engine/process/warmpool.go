package process

import (
	"context"
	"maps"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/jeton-dev/jeton/internal/sandbox"
)

// BootstrapDir is the folder in which instances see the bootstraps of workers.
const BootstrapDir = "/opt/jeton"

// A Worker is an interpreter that can be started before its function is known. It
// then reads a JSON object with "arguments" and "environment" from file descriptor
// 5, up to the end, and serves that function.
type Worker struct {
	// Command is the absolute path of the program and its arguments.
	Command []string
	// Name is the name in BootstrapDir of the file that the interpreter runs, and
	// Bootstrap its content.
	Name      string
	Bootstrap []byte
}

// WarmPool configures the sandboxes that are kept warm. The zero value keeps none.
type WarmPool struct {
	// Min is the number of warm sandboxes of each kind, and Max the number up to
	// which demand raises it.
	Min, Max int
	// Memory bounds the memory of all warm sandboxes together, in bytes.
	Memory int64
	// NoWorkers keeps all warm sandboxes empty.
	NoWorkers bool
}

// DefaultWarmPool is sufficient for occasional calls, and grows with demand.
var DefaultWarmPool = WarmPool{Min: 2, Max: 8, Memory: 512 << 20}

const (
	// demandWindow is how long a claim counts as demand.
	demandWindow = time.Minute
	// quietTime is the time without claims after which the pool is refilled, so that
	// starting instances get the CPU first. maxDelay bounds the wait for it.
	quietTime = 100 * time.Millisecond
	maxDelay  = time.Second
)

// empty is the kind of a warm sandbox without a program. The other kinds are the
// languages of the workers.
const empty = ""

// A pool holds warm sandboxes. Its size follows recent demand, within bounds. Each
// sandbox is used once. A nil pool is empty.
type pool struct {
	engine *Engine
	config WarmPool

	mu sync.Mutex
	// ready are the warm sandboxes by kind, the oldest first.
	ready map[string][]*sandboxedProcess
	// wanted are the kinds that can serve each revision.
	wanted map[string][]string
	claims map[string][]time.Time
	closed bool
	// changed receives a value after a change of the other fields.
	changed chan struct{}
	stop    context.CancelFunc
	done    chan struct{}
}

func newPool(e *Engine, config WarmPool) *pool {
	ctx, cancel := context.WithCancel(context.Background())
	p := &pool{
		engine: e, config: config,
		ready: map[string][]*sandboxedProcess{}, wanted: map[string][]string{}, claims: map[string][]time.Time{},
		changed: make(chan struct{}, 1), stop: cancel, done: make(chan struct{}),
	}
	go p.run(ctx)
	return p
}

// add keeps sandboxes warm for a revision.
func (p *pool) add(r *revision) {
	if p == nil {
		return
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	p.wanted[r.source.ID] = r.kinds
	p.notify()
}

// remove reverts add.
func (p *pool) remove(revisionID string) {
	if p == nil {
		return
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	delete(p.wanted, revisionID)
	p.notify()
}

// claim removes and returns the best sandbox for a revision, or nil if none is ready.
func (p *pool) claim(r *revision) *sandboxedProcess {
	if p == nil {
		return nil
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	defer p.notify()
	if p.closed {
		return nil
	}
	if len(r.kinds) > 0 {
		best := r.kinds[0]
		p.claims[best] = append(p.claims[best], p.engine.config.Now())
	}
	for _, kind := range r.kinds {
		if ready := p.ready[kind]; len(ready) > 0 {
			p.ready[kind] = ready[1:]
			return ready[0]
		}
	}
	return nil
}

// target returns how many sandboxes of a kind should be ready.
func (p *pool) target(kind string) int {
	if !p.isWanted(kind) {
		return 0
	}
	now := p.engine.config.Now()
	recent := slices.DeleteFunc(p.claims[kind], func(at time.Time) bool { return now.Sub(at) > demandWindow })
	p.claims[kind] = recent
	return min(max(p.config.Min, len(recent)), max(p.config.Min, p.config.Max))
}

func (p *pool) isWanted(kind string) bool {
	for _, kinds := range p.wanted {
		if slices.Contains(kinds, kind) {
			return true
		}
	}
	return false
}

// missing returns a kind of which too few sandboxes are ready, except those in
// failed. It returns false if there is none, or if the pool uses all its memory.
func (p *pool) missing(failed map[string]bool) (kind string, found bool) {
	if p.memory() >= p.config.Memory {
		return "", false
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.closed {
		return "", false
	}
	for _, kind := range p.allKinds() {
		if !failed[kind] && len(p.ready[kind]) < p.target(kind) {
			return kind, true
		}
	}
	return "", false
}

// allKinds returns all kinds in order of saved time: workers, then empty sandboxes.
func (p *pool) allKinds() []string {
	return append(slices.Sorted(maps.Keys(p.engine.config.Workers)), empty)
}

// removeSurplus removes and returns the sandboxes in excess of the target.
func (p *pool) removeSurplus() []*sandboxedProcess {
	p.mu.Lock()
	defer p.mu.Unlock()
	var surplus []*sandboxedProcess
	for kind, ready := range p.ready {
		if n := len(ready) - p.target(kind); n > 0 {
			surplus = append(surplus, ready[:n]...)
			p.ready[kind] = ready[n:]
		}
	}
	return surplus
}

// memory returns the memory of the warm sandboxes in bytes.
func (p *pool) memory() int64 {
	p.mu.Lock()
	var all []*sandboxedProcess
	for _, ready := range p.ready {
		all = append(all, ready...)
	}
	p.mu.Unlock()
	var sum int64
	for _, s := range all {
		sum += s.Memory()
	}
	return sum
}

func (p *pool) notify() {
	select {
	case p.changed <- struct{}{}:
	default:
	}
}

// run keeps the pool at its target until ctx ends. It creates one sandbox at a time,
// so that it takes at most one CPU from calls.
func (p *pool) run(ctx context.Context) {
	defer close(p.done)
	again := time.NewTicker(demandWindow)
	defer again.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-p.changed:
			p.awaitQuiet(ctx)
		case <-again.C:
		}
		for _, s := range p.removeSurplus() {
			s.discard()
		}
		p.refill(ctx)
	}
}

// awaitQuiet returns after quietTime without a change, or after maxDelay.
func (p *pool) awaitQuiet(ctx context.Context) {
	limit := time.NewTimer(maxDelay)
	defer limit.Stop()
	for {
		quiet := time.NewTimer(quietTime)
		select {
		case <-p.changed:
			quiet.Stop()
			continue
		case <-quiet.C:
		case <-limit.C:
		case <-ctx.Done():
		}
		quiet.Stop()
		return
	}
}

func (p *pool) refill(ctx context.Context) {
	failed := map[string]bool{}
	for kind, found := p.missing(failed); found; kind, found = p.missing(failed) {
		s, err := p.engine.newWarm(ctx, kind)
		if ctx.Err() != nil && err != nil {
			return
		}
		if err != nil {
			p.engine.logger.Error("create a warm sandbox failed: cold starts take longer", "kind", kindName(kind), "error", err)
			failed[kind] = true
			continue
		}
		p.mu.Lock()
		p.ready[kind] = append(p.ready[kind], s)
		p.mu.Unlock()
	}
}

// close ends all sandboxes in the pool.
func (p *pool) close() {
	if p == nil {
		return
	}
	p.mu.Lock()
	p.closed = true
	p.mu.Unlock()
	p.stop()
	<-p.done
	for _, ready := range p.ready {
		for _, s := range ready {
			s.discard()
		}
	}
}

func kindName(kind string) string {
	if kind == empty {
		return "empty"
	}
	return strings.ToLower(kind)
}

// newWarm returns a new warm sandbox of a kind.
func (e *Engine) newWarm(ctx context.Context, kind string) (*sandboxedProcess, error) {
	s, err := e.newSandboxed(ctx, nil)
	if err != nil || kind == empty {
		return s, err
	}
	s.worker = true
	command := e.config.Workers[kind].Command
	err = s.Exec(sandbox.Program{
		Path: command[0], Args: command, Env: s.environment(), Dir: sandbox.HomeDir, Profile: profileOf(kind), Assigned: true,
	})
	if err != nil {
		s.discard()
		return nil, err
	}
	return s, nil
}

// WarmCounts returns the number of warm sandboxes by kind.
func (e *Engine) WarmCounts() map[string]int {
	counts := map[string]int{}
	if e.pool == nil {
		return counts
	}
	e.pool.mu.Lock()
	defer e.pool.mu.Unlock()
	for kind, ready := range e.pool.ready {
		counts[kindName(kind)] = len(ready)
	}
	return counts
}

// WarmMemory returns the memory of the warm sandboxes in bytes.
func (e *Engine) WarmMemory() int64 {
	if e.pool == nil {
		return 0
	}
	return e.pool.memory()
}
