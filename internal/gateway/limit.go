package gateway

import (
	"net/http"
	"net/netip"
	"sync"
	"time"

	"github.com/google/uuid"
	"golang.org/x/time/rate"

	"github.com/jeton-dev/jeton/internal/iam"
)

// Limits bound how often, and how many at a time, functions are called. A zero
// rate or number is no limit.
type Limits struct {
	// FunctionRate is the calls per second of one function, and FunctionBurst how
	// many may exceed it at once. FunctionCalls is how many there may be at a time,
	// those that wait for an instance included.
	FunctionRate  float64
	FunctionBurst int
	FunctionCalls int
	// The same for the calls of one function by one caller: a token, an API key,
	// or, if there is neither, the caller's address.
	CallerRate  float64
	CallerBurst int
	CallerCalls int
}

// party is who or what a limit counts for: a function, or one caller of it.
type party struct {
	function uuid.UUID
	token    uuid.UUID
	key      string
	address  netip.Prefix
}

// maxParties is how many parties of one generation are remembered, 200 bytes
// each. Of those before, the ones with calls under way are kept.
const maxParties = 1 << 16

// limiter counts calls.
type limiter struct {
	rate  rate.Limit
	burst int
	calls int

	mu             sync.Mutex
	recent, before map[party]*counted
}

// counted is what one party does.
type counted struct {
	rate   *rate.Limiter
	active int
}

func newLimiter(perSecond float64, burst, calls int) *limiter {
	if perSecond <= 0 && calls <= 0 {
		return nil
	}
	limit := rate.Inf
	if perSecond > 0 {
		limit = rate.Limit(perSecond)
	}
	return &limiter{rate: limit, burst: max(burst, 1), calls: calls, recent: map[party]*counted{}}
}

// begin counts a call, and returns how long its caller should wait if it is one
// too many. A call that was counted must end. Nil counts nothing.
func (l *limiter) begin(p party, now time.Time) (retryAfter time.Duration, ok bool) {
	if l == nil {
		return 0, true
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	c := l.party(p)
	if l.calls > 0 && c.active >= l.calls {
		return time.Second, false
	}
	if reserved := c.rate.ReserveN(now, 1); reserved.DelayFrom(now) > 0 {
		retryAfter = reserved.DelayFrom(now)
		reserved.CancelAt(now)
		return retryAfter, false
	}
	c.active++
	return 0, true
}

func (l *limiter) end(p party) {
	if l == nil {
		return
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	l.party(p).active--
}

// party finds what is counted of a party. The caller holds the lock.
func (l *limiter) party(p party) *counted {
	c := l.recent[p]
	if c != nil {
		return c
	}
	if c = l.before[p]; c == nil {
		c = &counted{rate: rate.NewLimiter(l.rate, l.burst)}
	}
	if len(l.recent) >= maxParties {
		l.turn()
	}
	l.recent[p] = c
	return c
}

// turn makes the recent parties the ones before, and forgets the older ones but
// for those with calls under way.
func (l *limiter) turn() {
	kept := map[party]*counted{}
	for p, c := range l.before {
		if c.active > 0 {
			kept[p] = c
		}
	}
	l.before, l.recent = l.recent, kept
}

// limits are both limiters of a gateway.
type limits struct{ function, caller *limiter }

func newLimits(l Limits) limits {
	return limits{
		function: newLimiter(l.FunctionRate, l.FunctionBurst, l.FunctionCalls),
		caller:   newLimiter(l.CallerRate, l.CallerBurst, l.CallerCalls),
	}
}

// none reports whether nothing is counted.
func (l limits) none() bool { return l.function == nil && l.caller == nil }

// enter counts an admitted call for its function and its caller. It returns what
// ends the counting, or nil and how long the caller should wait. The caller comes
// first: what one sends too much does not use up the function's rate.
func (g *Gateway) enter(r *http.Request, c *call) (end func(), retryAfter time.Duration) {
	if c.inside || g.limits.none() {
		return func() {}, 0
	}
	now := g.Now()
	function := party{function: c.to.function}
	caller := function
	switch {
	case c.admission.token != uuid.Nil:
		caller.token = c.admission.token
	case c.admission.accessKey != "":
		caller.key = c.admission.accessKey
	default:
		caller.address = iam.ClientNetwork(g.callerAddress(r))
	}
	if wait, ok := g.limits.caller.begin(caller, now); !ok {
		return nil, wait
	}
	if wait, ok := g.limits.function.begin(function, now); !ok {
		g.limits.caller.end(caller)
		return nil, wait
	}
	return func() {
		g.limits.function.end(function)
		g.limits.caller.end(caller)
	}, 0
}
