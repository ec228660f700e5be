package kubernetes

import (
	"cmp"
	"context"
	"slices"
	"strings"
	"sync"
	"time"

	corev1 "k8s.io/api/core/v1"
)

const (
	// demandWindow is how long a claim counts as demand.
	demandWindow = time.Minute
	// quietTime is the time without claims after which the pool is refilled, so that starting
	// instances come first. maxDelay bounds the wait for it.
	quietTime = 100 * time.Millisecond
	maxDelay  = time.Second
	// checkInterval is the interval at which the pool is compared with the demand.
	checkInterval = 5 * time.Second
	// failurePause is the pause after a warm Pod could not be started.
	failurePause = 15 * time.Second
)

// A pool holds warm Pods: of the kinds that revisions use, as many as recent demand needs, within
// bounds. Each Pod is used once.
type pool struct {
	engine *Engine
	config WarmPool

	mu     sync.Mutex
	ready  map[kind][]*session
	claims map[kind][]time.Time
	// opening are the Pods that are being started.
	opening map[kind]int
	// failed is the time of the last failure.
	failed time.Time
	closed bool
	// changed receives a value after a claim.
	changed chan struct{}
	stop    context.CancelFunc
	done    sync.WaitGroup
}

func newPool(e *Engine) *pool {
	ctx, cancel := context.WithCancel(e.ctx)
	p := &pool{
		engine: e, config: e.config.WarmPool, ready: map[kind][]*session{}, claims: map[kind][]time.Time{},
		opening: map[kind]int{}, changed: make(chan struct{}, 1), stop: cancel,
	}
	if p.config.Max > 0 {
		p.done.Go(func() { p.run(ctx) })
	}
	return p
}

// claim removes and returns a warm Pod of a kind, or nil. The claim counts as demand.
func (p *pool) claim(k kind) *session {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.closed || p.config.Max == 0 {
		return nil
	}
	p.claims[k] = append(p.claims[k], p.engine.config.Now())
	p.wake()
	return p.take(k)
}

// wake makes the pool look for missing Pods.
func (p *pool) wake() {
	select {
	case p.changed <- struct{}{}:
	default:
	}
}

// take removes and returns the best Pod of a kind, or nil: the oldest one with a prepared launcher,
// or else the oldest.
func (p *pool) take(k kind) *session {
	ready := p.ready[k]
	if len(ready) == 0 {
		return nil
	}
	best := 0
	for i, s := range ready {
		if s.isPrepared() {
			best = i
			break
		}
	}
	s := ready[best]
	p.ready[k] = append(ready[:best:best], ready[best+1:]...)
	return s
}

func (s *session) isPrepared() bool {
	select {
	case <-s.prepared:
		return true
	default:
		return false
	}
}

// run fills the pool until ctx ends.
func (p *pool) run(ctx context.Context) {
	ticker := time.NewTicker(checkInterval)
	defer ticker.Stop()
	for {
		p.adjust(ctx)
		select {
		case <-p.changed:
			p.awaitQuiet(ctx)
		case <-ticker.C:
		case <-ctx.Done():
			return
		}
	}
}

// awaitQuiet waits until no Pod is claimed for quietTime, or for maxDelay.
func (p *pool) awaitQuiet(ctx context.Context) {
	latest := time.After(maxDelay)
	for {
		select {
		case <-p.changed:
		case <-time.After(quietTime):
			return
		case <-latest:
			return
		case <-ctx.Done():
			return
		}
	}
}

// adjust starts missing Pods and ends those in excess.
func (p *pool) adjust(ctx context.Context) {
	kinds, others := p.engine.kinds(), p.engine.foreignWarmBytes()
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.closed {
		return
	}
	now := p.engine.config.Now()
	for k, sessions := range p.ready {
		p.ready[k] = p.living(sessions)
		for len(p.ready[k]) > p.target(k, kinds[k], now) {
			p.engine.discard(p.take(k))
		}
	}
	p.trim()
	free := p.config.Memory - others - p.bytes()
	for k := range kinds {
		for len(p.ready[k])+p.opening[k] < p.target(k, true, now) && free >= k.bytes() && now.Sub(p.failed) >= failurePause {
			free -= k.bytes()
			p.opening[k]++
			p.done.Go(func() { p.add(ctx, k) })
		}
	}
}

// trim ends warm Pods of this node if those of all nodes exceed the budget: several nodes may have
// started Pods before they saw those of each other. The Pods that were created last are in excess.
// All nodes see the same order, so that each ends its own. The caller holds p.mu.
func (p *pool) trim() {
	own := map[string]kind{}
	for k, sessions := range p.ready {
		for _, s := range sessions {
			own[s.name] = k
		}
	}
	warm := slices.DeleteFunc(p.engine.view.all(), func(pod *corev1.Pod) bool {
		_, ready := own[pod.Name]
		return !isWarm(pod) || !ready && p.engine.expects(pod.Name)
	})
	slices.SortFunc(warm, func(a, b *corev1.Pod) int {
		return cmp.Or(a.CreationTimestamp.Compare(b.CreationTimestamp.Time), strings.Compare(string(a.UID), string(b.UID)))
	})
	total := int64(0)
	for _, pod := range warm {
		if total += memoryOf(pod); total <= p.config.Memory {
			continue
		}
		if k, ready := own[pod.Name]; ready {
			i := slices.IndexFunc(p.ready[k], func(s *session) bool { return s.name == pod.Name })
			p.engine.discard(p.ready[k][i])
			p.ready[k] = slices.Delete(p.ready[k], i, i+1)
		}
	}
}

// bytes returns the memory limits of the Pods that are ready or being started.
func (p *pool) bytes() int64 {
	total := p.readyBytes()
	for k, n := range p.opening {
		total += int64(n) * k.bytes()
	}
	return total
}

// readyBytes returns the memory limits of the Pods that are ready.
func (p *pool) readyBytes() (total int64) {
	for k, sessions := range p.ready {
		total += int64(len(sessions)) * k.bytes()
	}
	return total
}

// living returns the sessions that can serve a function, and deletes the Pods of the others.
func (p *pool) living(sessions []*session) []*session {
	var living []*session
	for _, s := range sessions {
		if s.stays() {
			living = append(living, s)
		} else {
			p.engine.discard(s)
		}
	}
	return living
}

// target returns how many Pods of a kind should be warm.
func (p *pool) target(k kind, used bool, now time.Time) int {
	if !used {
		return 0
	}
	recent := p.claims[k][:0]
	for _, at := range p.claims[k] {
		if now.Sub(at) <= demandWindow {
			recent = append(recent, at)
		}
	}
	p.claims[k] = recent
	return min(max(p.config.Min, len(recent)), max(p.config.Min, p.config.Max))
}

// add starts a warm Pod.
func (p *pool) add(ctx context.Context, k kind) {
	s, err := p.engine.open(ctx, k, func(string) {})
	if err == nil {
		s.warm(ctx)
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	p.opening[k]--
	switch {
	case err != nil && ctx.Err() == nil:
		p.failed = p.engine.config.Now()
		p.engine.config.Log.Warn("a warm Pod does not start", "kind", k.String(), "error", err)
	case err == nil && p.closed:
		p.engine.discard(s)
	case err == nil:
		p.ready[k] = append(p.ready[k], s)
	}
}

// close ends all warm Pods.
func (p *pool) close() {
	p.stop()
	p.mu.Lock()
	p.closed = true
	p.mu.Unlock()
	p.done.Wait()
	p.mu.Lock()
	defer p.mu.Unlock()
	for k, sessions := range p.ready {
		for _, s := range sessions {
			p.engine.discard(s)
		}
		delete(p.ready, k)
	}
}

// kinds returns the kinds that revisions use.
func (e *Engine) kinds() map[kind]bool {
	kinds := map[kind]bool{}
	for _, r := range e.Revisions() {
		kinds[r.kind] = true
	}
	return kinds
}

// foreignWarmBytes returns the memory limits of the warm Pods of other nodes, in bytes. The pool
// knows its own before the API server reports them.
func (e *Engine) foreignWarmBytes() int64 {
	total := int64(0)
	for _, pod := range e.view.all() {
		if isWarm(pod) && !e.expects(pod.Name) {
			total += memoryOf(pod)
		}
	}
	return total
}

// WarmCounts returns the number of warm Pods by language whose launcher waits for an order.
func (e *Engine) WarmCounts() map[string]int {
	e.pool.mu.Lock()
	defer e.pool.mu.Unlock()
	counts := map[string]int{}
	for k, ready := range e.pool.ready {
		for _, s := range ready {
			if s.isPrepared() {
				counts[k.language]++
			}
		}
	}
	return counts
}

// WarmMemory returns the memory limits of the warm Pods of this node, in bytes.
func (e *Engine) WarmMemory() int64 {
	e.pool.mu.Lock()
	defer e.pool.mu.Unlock()
	return e.pool.readyBytes()
}
