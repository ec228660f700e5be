package foreign

import (
	"context"
	"net/netip"
	"sync"
	"time"

	"golang.org/x/time/rate"
)

// Limits bound the verification of signatures. Zero fields stand for the defaults.
type Limits struct {
	// Failures is the number of failed verifications per minute and client network, and
	// TotalFailures that of all networks. While one of them is exceeded, tokens that
	// were not adopted yet are not verified. Adopted tokens are not affected.
	Failures, TotalFailures int
	// Concurrent is the number of concurrent verifications per client network, and
	// TotalConcurrent that of all networks. More calls wait, for at most Wait.
	Concurrent, TotalConcurrent int
	Wait                        time.Duration
}

// DefaultLimits returns the default limits. A failed verification takes less than a
// millisecond, so that failures take less than a tenth of one CPU.
func DefaultLimits() Limits {
	return Limits{Failures: 60, TotalFailures: 6000, Concurrent: 2, TotalConcurrent: 4, Wait: 5 * time.Second}
}

// withDefaults returns the limits with the defaults in place of zeros.
func (l Limits) withDefaults() Limits {
	d := DefaultLimits()
	for _, field := range []struct{ value, otherwise *int }{
		{&l.Failures, &d.Failures},
		{&l.TotalFailures, &d.TotalFailures},
		{&l.Concurrent, &d.Concurrent},
		{&l.TotalConcurrent, &d.TotalConcurrent},
	} {
		if *field.value == 0 {
			*field.value = *field.otherwise
		}
	}
	if l.Wait == 0 {
		l.Wait = d.Wait
	}
	return l
}

// A limiter enforces Limits. It is safe for concurrent use.
type limiter struct {
	limits Limits
	slots  chan struct{}

	mu sync.Mutex
	// latest is the latest time of a call. rate.Limiter refills too much if its times go
	// back, and calls that wait arrive with earlier times.
	latest  time.Time
	total   *rate.Limiter
	running int
	// recent and older are two generations of networks. When recent is full it replaces
	// older, of which the networks without running verifications are dropped.
	recent, older map[netip.Prefix]*network
}

// network is the state of one client network.
type network struct {
	failures *rate.Limiter
	slots    chan struct{}
	// users is the number of calls that wait or run, and running that of the calls that
	// run.
	users, running int
}

// maxNetworks is the maximum size of a generation.
const maxNetworks = 4096

func newLimiter(l Limits) *limiter {
	return &limiter{
		limits: l, slots: make(chan struct{}, l.TotalConcurrent), total: perMinute(l.TotalFailures),
		recent: map[netip.Prefix]*network{},
	}
}

func perMinute(n int) *rate.Limiter {
	return rate.NewLimiter(rate.Every(time.Minute/time.Duration(n)), n)
}

// begin waits for a slot. It returns ErrBusy if there were too many failures, or if the
// wait takes too long. The caller calls end after the verification.
func (l *limiter) begin(ctx context.Context, from netip.Prefix, now time.Time) (end func(failed bool), err error) {
	l.mu.Lock()
	n := l.network(from)
	if !l.permits(n, now) {
		l.mu.Unlock()
		return nil, ErrBusy
	}
	n.users++
	l.mu.Unlock()
	ctx, cancel := context.WithTimeout(ctx, l.limits.Wait)
	defer cancel()
	for i, slots := range []chan struct{}{n.slots, l.slots} {
		select {
		case slots <- struct{}{}:
		case <-ctx.Done():
			if i > 0 {
				<-n.slots
			}
			l.leave(n)
			return nil, ErrBusy
		}
	}
	if !l.start(n, now) {
		l.release(n)
		return nil, ErrBusy
	}
	return func(failed bool) {
		l.finish(n, now, failed)
		l.release(n)
	}, nil
}

// permits reports whether another verification may fail. Each one that runs may fail. The
// caller holds l.mu.
func (l *limiter) permits(n *network, now time.Time) bool {
	now = l.monotonic(now)
	return n.failures.TokensAt(now) >= float64(n.running+1) && l.total.TokensAt(now) >= float64(l.running+1)
}

// start begins a verification unless calls have failed during the wait.
func (l *limiter) start(n *network, now time.Time) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	if !l.permits(n, now) {
		return false
	}
	n.running++
	l.running++
	return true
}

// finish ends a verification, and counts it if it has failed.
func (l *limiter) finish(n *network, now time.Time, failed bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	n.running--
	l.running--
	if failed {
		now = l.monotonic(now)
		n.failures.AllowN(now, 1)
		l.total.AllowN(now, 1)
	}
}

// monotonic returns the latest time so far. The caller holds l.mu.
func (l *limiter) monotonic(now time.Time) time.Time {
	if now.After(l.latest) {
		l.latest = now
	}
	return l.latest
}

// release gives both slots back.
func (l *limiter) release(n *network) {
	<-l.slots
	<-n.slots
	l.leave(n)
}

func (l *limiter) leave(n *network) {
	l.mu.Lock()
	defer l.mu.Unlock()
	n.users--
}

// network returns the state of a network. The caller holds l.mu.
func (l *limiter) network(from netip.Prefix) *network {
	if n := l.recent[from]; n != nil {
		return n
	}
	n := l.older[from]
	if n == nil {
		n = &network{failures: perMinute(l.limits.Failures), slots: make(chan struct{}, l.limits.Concurrent)}
	}
	if len(l.recent) >= maxNetworks {
		kept := map[netip.Prefix]*network{}
		for prefix, n := range l.older {
			if n.users > 0 {
				kept[prefix] = n
			}
		}
		l.recent, l.older = kept, l.recent
	}
	l.recent[from] = n
	return n
}
