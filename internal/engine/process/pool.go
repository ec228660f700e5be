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

// BootstrapDir is where instances see the bootstraps of workers.
const BootstrapDir = "/opt/jeton"

// A Worker is an interpreter that can be started before it is known for which
// function. It then reads what that is from file descriptor 5, to the end: JSON
// with "arguments" and "environment".
type Worker struct {
	// Command is the program, as an absolute path, and its arguments.
	Command []string
	// Name and Bootstrap are the file in BootstrapDir that the interpreter runs.
	Name      string
	Bootstrap []byte
}

// Spare says how many sandboxes of each kind are made ahead of need. The zero
// value makes none.
type Spare struct {
	// Least is kept at all times, Most is what demand may raise it to.
	Least, Most int
	// Memory bounds what all of them take, in bytes.
	Memory int64
	// NoWorkers has nothing run in them.
	NoWorkers bool
}

// DefaultSpare serves calls that come now and then, and grows with them.
var DefaultSpare = Spare{Least: 2, Most: 8, Memory: 512 << 20}

const (
	// demandWindow is how long a claim counts as demand.
	demandWindow = time.Minute
	// calm is how long nothing was claimed before the pool is refilled, for the
	// instances that start have the CPU first, and restless is how long it waits
	// at most.
	calm     = 100 * time.Millisecond
	restless = time.Second
)

// empty is the kind of a box in which nothing runs yet. The other kinds are the
// languages of the workers.
const empty = ""

// A pool has boxes that were made ahead of need. It is as large as demand was
// lately, within bounds, and refills behind it. No box is used twice.
type pool struct {
	engine *Engine
	config Spare

	mu sync.Mutex
	// ready are the boxes, oldest first.
	ready map[string][]*box
	// wanted are the kinds that each revision has use for.
	wanted map[string][]string
	claims map[string][]time.Time
	closed bool
	// news holds a value while there is something to look at.
	news chan struct{}
	stop context.CancelFunc
	done chan struct{}
}

func newPool(e *Engine, config Spare) *pool {
	ctx, cancel := context.WithCancel(context.Background())
	p := &pool{
		engine: e, config: config,
		ready: map[string][]*box{}, wanted: map[string][]string{}, claims: map[string][]time.Time{},
		news: make(chan struct{}, 1), stop: cancel, done: make(chan struct{}),
	}
	go p.keep(ctx)
	return p
}

// want has boxes made that the revision will need.
func (p *pool) want(r *revision) {
	if p == nil {
		return
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	p.wanted[r.id] = r.kinds
	p.tell()
}

// forget is told of a revision that is gone.
func (p *pool) forget(revisionID string) {
	if p == nil {
		return
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	delete(p.wanted, revisionID)
	p.tell()
}

// claim returns the best box for the revision, or nil if none is ready.
func (p *pool) claim(r *revision) *box {
	if p == nil {
		return nil
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	defer p.tell()
	if p.closed {
		return nil
	}
	if len(r.kinds) > 0 {
		best := r.kinds[0]
		p.claims[best] = append(p.claims[best], p.engine.config.Now())
	}
	for _, kind := range r.kinds {
		if boxes := p.ready[kind]; len(boxes) > 0 {
			p.ready[kind] = boxes[1:]
			return boxes[0]
		}
	}
	return nil
}

// target is how many boxes of a kind there should be.
func (p *pool) target(kind string) int {
	if !p.isWanted(kind) {
		return 0
	}
	now := p.engine.config.Now()
	recent := slices.DeleteFunc(p.claims[kind], func(at time.Time) bool { return now.Sub(at) > demandWindow })
	p.claims[kind] = recent
	return min(max(p.config.Least, len(recent)), max(p.config.Least, p.config.Most))
}

func (p *pool) isWanted(kind string) bool {
	for _, kinds := range p.wanted {
		if slices.Contains(kinds, kind) {
			return true
		}
	}
	return false
}

// lacking returns a kind of which there are too few, but for those that cannot be
// made now, unless the pool takes too much memory already.
func (p *pool) lacking(failed map[string]bool) (kind string, lacks bool) {
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

// allKinds are the workers', and then empty boxes: those serve a call later.
func (p *pool) allKinds() []string {
	return append(slices.Sorted(maps.Keys(p.engine.config.Workers)), empty)
}

// surplus takes out the boxes that are more than there should be.
func (p *pool) surplus() []*box {
	p.mu.Lock()
	defer p.mu.Unlock()
	var surplus []*box
	for kind, boxes := range p.ready {
		if n := len(boxes) - p.target(kind); n > 0 {
			surplus = append(surplus, boxes[:n]...)
			p.ready[kind] = boxes[n:]
		}
	}
	return surplus
}

// memory is what the boxes take, in bytes.
func (p *pool) memory() int64 {
	p.mu.Lock()
	var all []*box
	for _, boxes := range p.ready {
		all = append(all, boxes...)
	}
	p.mu.Unlock()
	var sum int64
	for _, b := range all {
		sum += b.Memory()
	}
	return sum
}

func (p *pool) tell() {
	select {
	case p.news <- struct{}{}:
	default:
	}
}

// keep makes one box after another, so that it takes no more than one CPU from
// the calls that are served, and ends those that are no longer needed.
func (p *pool) keep(ctx context.Context) {
	defer close(p.done)
	again := time.NewTicker(demandWindow)
	defer again.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-p.news:
			p.awaitCalm(ctx)
		case <-again.C:
		}
		for _, b := range p.surplus() {
			b.discard()
		}
		p.refill(ctx)
	}
}

// awaitCalm returns when no news has come for a while.
func (p *pool) awaitCalm(ctx context.Context) {
	limit := time.NewTimer(restless)
	defer limit.Stop()
	for {
		quiet := time.NewTimer(calm)
		select {
		case <-p.news:
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
	for kind, lacks := p.lacking(failed); lacks; kind, lacks = p.lacking(failed) {
		b, err := p.engine.prepare(ctx, kind)
		if ctx.Err() != nil && err != nil {
			return
		}
		if err != nil {
			p.engine.logger.Error("no sandbox can be prepared: functions start without", "kind", kindName(kind), "error", err)
			failed[kind] = true
			continue
		}
		p.mu.Lock()
		p.ready[kind] = append(p.ready[kind], b)
		p.mu.Unlock()
	}
}

// close ends all boxes that were not used.
func (p *pool) close() {
	if p == nil {
		return
	}
	p.mu.Lock()
	p.closed = true
	p.mu.Unlock()
	p.stop()
	<-p.done
	for _, boxes := range p.ready {
		for _, b := range boxes {
			b.discard()
		}
	}
}

func (b *box) discard() {
	b.Kill()
	_ = b.Wait() // It was killed, which is no news.
	_ = b.channels.readiness.Close()
}

func kindName(kind string) string {
	if kind == empty {
		return "empty"
	}
	return strings.ToLower(kind)
}

// prepare makes a box of a kind.
func (e *Engine) prepare(ctx context.Context, kind string) (*box, error) {
	b, err := e.newBox(ctx, nil)
	if err != nil || kind == empty {
		return b, err
	}
	b.worker = true
	command := e.config.Workers[kind].Command
	err = b.Exec(sandbox.Program{
		Path: command[0], Args: command, Env: b.environment(), Dir: sandbox.HomeDir, Profile: profileOf(kind), Assigned: true,
	})
	if err != nil {
		b.discard()
		return nil, err
	}
	return b, nil
}

// Prepared tells how many sandboxes of each kind are ready.
func (e *Engine) Prepared() map[string]int {
	counts := map[string]int{}
	if e.pool == nil {
		return counts
	}
	e.pool.mu.Lock()
	defer e.pool.mu.Unlock()
	for kind, boxes := range e.pool.ready {
		counts[kindName(kind)] = len(boxes)
	}
	return counts
}

// PreparedMemory is what those sandboxes take, in bytes.
func (e *Engine) PreparedMemory() int64 {
	if e.pool == nil {
		return 0
	}
	return e.pool.memory()
}
