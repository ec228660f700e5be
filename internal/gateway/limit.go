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

// Limits limit the rate and number of calls. A zero rate or number means no limit.
type Limits struct {
	// FunctionRate is the maximum rate of calls of one function per second, and
	// FunctionBurst the number of calls that may exceed it at once. FunctionCalls is the
	// maximum number of concurrent calls, including those that wait for an instance.
	FunctionRate  float64
	FunctionBurst int
	FunctionCalls int
	// CallerRate, CallerBurst and CallerCalls limit the calls of one function by one caller:
	// a token, an API key or, without either, the caller's address.
	CallerRate  float64
	CallerBurst int
	CallerCalls int
}

// limitKey identifies a counter: a function, or one caller of a function.
type limitKey struct {
	function uuid.UUID
	token    uuid.UUID
	key      string
	address  netip.Prefix
}

// maxCounters is the maximum number of counters of one generation, of about 200 bytes each.
// Counters of the previous generation with running calls are kept in addition.
const maxCounters = 1 << 16

// limiter counts calls and their rate. It is safe for concurrent use.
type limiter struct {
	rate  rate.Limit
	burst int
	calls int

	mu                sync.Mutex
	current, previous map[limitKey]*counter
}

// counter contains the rate and the number of running calls for one key.
type counter struct {
	rate   *rate.Limiter
	active int
}

// newLimiter returns a limiter; nil if there is no limit.
func newLimiter(perSecond float64, burst, calls int) *limiter {
	if perSecond <= 0 && calls <= 0 {
		return nil
	}
	limit := rate.Inf
	if perSecond > 0 {
		limit = rate.Limit(perSecond)
	}
	return &limiter{rate: limit, burst: max(burst, 1), calls: calls, current: map[limitKey]*counter{}}
}

// begin counts a call, or returns false and the time after which the caller may try again. The
// caller of begin must call end after a counted call. A nil limiter allows everything.
func (l *limiter) begin(key limitKey, now time.Time) (retryAfter time.Duration, ok bool) {
	if l == nil {
		return 0, true
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	c := l.counter(key)
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

func (l *limiter) end(key limitKey) {
	if l == nil {
		return
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	l.counter(key).active--
}

// counter returns the counter of a key. The caller holds l.mu.
func (l *limiter) counter(key limitKey) *counter {
	c := l.current[key]
	if c != nil {
		return c
	}
	if c = l.previous[key]; c == nil {
		c = &counter{rate: rate.NewLimiter(l.rate, l.burst)}
	}
	if len(l.current) >= maxCounters {
		l.rotate()
	}
	l.current[key] = c
	return c
}

// rotate starts a new generation of counters. It drops the counters of the previous generation
// without running calls. The caller holds l.mu.
func (l *limiter) rotate() {
	kept := map[limitKey]*counter{}
	for key, c := range l.previous {
		if c.active > 0 {
			kept[key] = c
		}
	}
	l.previous, l.current = l.current, kept
}

// limits are the limiters of a gateway.
type limits struct{ function, caller *limiter }

func newLimits(l Limits) limits {
	return limits{
		function: newLimiter(l.FunctionRate, l.FunctionBurst, l.FunctionCalls),
		caller:   newLimiter(l.CallerRate, l.CallerBurst, l.CallerCalls),
	}
}

// none reports whether there are no limits.
func (l limits) none() bool { return l.function == nil && l.caller == nil }

// countCall counts an admitted call for its function and its caller. It returns a function that
// ends the call; or nil and the time after which the caller may try again. The limits of the
// caller are checked first, so that denied calls of one caller do not use up the rate of the
// function.
func (g *Gateway) countCall(r *http.Request, c *call) (end func(), retryAfter time.Duration) {
	if c.internal || g.limits.none() {
		return func() {}, 0
	}
	now := g.config.Now()
	function := limitKey{function: c.to.function}
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
