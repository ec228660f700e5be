package gateway

import (
	"cmp"
	"context"
	"errors"
	"log/slog"
	"net/http"
	"net/http/httputil"
	"sync"
	"sync/atomic"
	"time"

	"github.com/jeton-dev/jeton/internal/functions"
	"github.com/jeton-dev/jeton/internal/scale"
)

// Instances hands out instances, each for one call at a time.
type Instances interface {
	// Acquire waits for an instance. Its errors are those of package scale.
	Acquire(ctx context.Context, revisionID string) (*scale.Instance, error)
	// Release gives an instance back after a call that went well; Discard one
	// that must not serve again.
	Release(*scale.Instance)
	Discard(*scale.Instance)
}

// Gateway lets calls in. The fields up to Log must be set.
type Gateway struct {
	Table     *Table
	Keys      Authenticator
	Instances Instances
	Now       func() time.Time
	NewID     func() string
	Log       *slog.Logger
	// PassToken lets functions see the token that they were called with.
	PassToken bool
	// Settled reports whether Table and Keys have every change that was stored.
	// While it returns false, every call gets 503. Nil means always.
	Settled func() bool
	// RefuseTokens and RefuseKeys turn one way of admission off.
	RefuseTokens bool
	RefuseKeys   bool
	// MaxPayload is the largest body of a call, in bytes; zero for that of
	// functions.DefaultLimits.
	MaxPayload int64
	// Proxies are believed what they say of their callers.
	Proxies  Proxies
	Observer Observer
	// Limits bound the calls; the zero Limits do not.
	Limits Limits
	// Memory is the budget for bodies that wait, and Heads the one for long heads
	// over HTTP/2, which Strict does not see; nil for no bound.
	Memory, Heads *Memory
	// MinBodyRate is the least rate of a body, in bytes per second; zero for
	// DefaultBodyRate.
	MinBodyRate int
	// BodyGrace is how long a body may take whatever its rate; zero for
	// DefaultBodyGrace.
	BodyGrace time.Duration

	once     sync.Once
	proxy    *httputil.ReverseProxy
	limits   limits
	upgrades upgrades
}

// Handler returns the handler of all functions' hosts.
func (g *Gateway) Handler() http.Handler { return g.handler(false) }

// Inside returns a handler for the calls that the server itself makes. They go
// the way of all calls, but nobody asks them for a token: as in the real
// service, a function's privacy stops none of them.
func (g *Gateway) Inside() http.Handler { return g.handler(true) }

func (g *Gateway) handler(inside bool) http.Handler {
	g.once.Do(func() { g.proxy, g.limits = g.newProxy(), newLimits(g.Limits) })
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { g.serve(w, r, inside) })
}

// A call is one request on its way through the gateway.
type call struct {
	requestID string
	// inside tells that the server itself calls.
	inside    bool
	to        route
	admission admission
	// body is the caller's.
	body *pacedBody
	// seen is how many changes the table had when the call was looked at first.
	seen int64
	// end ends a call that is forwarded, leave notes that it has left HTTP, and
	// recheck reports whether it is still admitted.
	end     context.CancelFunc
	leave   func()
	recheck func() bool
	// instance serves the call; answered tells that the whole of its answer
	// has been read, so that it can serve the next call.
	instance *scale.Instance
	answered bool
	// badBody is what was wrong with the caller's body.
	badBody atomic.Pointer[error]
	// failure is why the call was not answered by the function; left tells that
	// nobody was there any more to be answered.
	failure error
	left    bool
	// began, decided and acquired are those of Outcome.
	began, decided, acquired time.Time
}

type callKey struct{}

func callOf(r *http.Request) *call {
	c, _ := r.Context().Value(callKey{}).(*call)
	return c
}

func (g *Gateway) serve(w http.ResponseWriter, r *http.Request, inside bool) {
	noteEncryption(r)
	c := &call{requestID: g.requestID(r), inside: inside, began: g.Now()}
	if g.Observer != nil {
		r = g.Observer.Begin(r)
	}
	recorded := &statusRecorder{ResponseWriter: w, requestID: c.requestID}
	defer func() { g.note(r, g.outcome(c, recorded.status)) }()
	c.body = newPacedBody(w, r.Body, g.MinBodyRate, g.BodyGrace)
	length := r.ContentLength
	cost := headCost2(r)
	if !g.Heads.take("", "", cost) {
		c.failure = errNoMemory
		answerNoMemory(recorded)
		return
	}
	defer g.Heads.give("", "", cost)
	g.route(recorded, r, c)
	c.body.drop(length)
}

// route finds the function and holds the call against what does not need an
// instance.
func (g *Gateway) route(w http.ResponseWriter, r *http.Request, c *call) {
	c.seen = g.Table.changes()
	if !g.settled() {
		answerUnsettled(w)
		return
	}
	to, ok := g.Table.route(r.Host)
	if !ok {
		answerUnknownHost(w)
		return
	}
	c.to = to
	switch {
	case !r.ProtoAtLeast(1, 1):
		// Scaleway's documentation names this status for HTTP/1.0. RFC 9110 wants
		// both headers; net/http drops the second unless it says to close, too.
		w.Header().Set("Upgrade", "HTTP/1.1")
		w.Header().Set("Connection", "Upgrade, close")
		answer(w, http.StatusUpgradeRequired, "HTTP/1.1 or HTTP/2 is required")
	case to.redirect && !c.inside && !g.overHTTPS(r):
		http.Redirect(w, r, "https://"+hostname(r.Host)+r.URL.RequestURI(), http.StatusMovedPermanently)
	case !g.admitted(r, c):
		answerDenied(w)
	case reserved(r.URL.Path):
		answer(w, http.StatusNotFound, "not found")
	case r.ContentLength > g.maxPayload():
		answerTooLarge(w, g.maxPayload())
	default:
		g.forward(w, r, c)
	}
}

func (g *Gateway) settled() bool { return g.Settled == nil || g.Settled() }

func (g *Gateway) maxPayload() int64 {
	return cmp.Or(g.MaxPayload, functions.DefaultLimits().PayloadSize)
}

func (g *Gateway) admitted(r *http.Request, c *call) bool {
	if !c.to.private || c.inside {
		return true
	}
	c.decided = g.Now()
	c.admission = g.admit(r.Header, c.to, c.decided)
	return c.admission.admitted
}

// reserved paths never reach a handler. The real runtimes drop them without a
// documented answer; 404 is ours.
func reserved(path string) bool {
	return path == "/favicon.ico" || path == "/robots.txt"
}

// tries is how often a call looks for a revision that is replaced while it
// does.
const tries = 3

// acquire waits for an instance of the function's current revision.
func (g *Gateway) acquire(ctx context.Context, r *http.Request, c *call) error {
	for try := 1; ; try++ {
		if c.to.revisionID == "" {
			return errNotDeployed
		}
		instance, err := g.Instances.Acquire(ctx, c.to.revisionID)
		if err == nil {
			c.instance, c.acquired = instance, g.Now()
			instance.Serve(c.requestID)
			return g.stillAdmitted(r, c)
		}
		if !errors.Is(err, scale.ErrUnknownRevision) || try == tries {
			return err
		}
		if err := g.readmit(r, c); err != nil {
			return err
		}
	}
}

// longWait is how long a call may have waited without being looked at again,
// if nothing has changed meanwhile.
const longWait = time.Second

// stillAdmitted looks again at a call that may have waited: its token may have
// been revoked, or have expired, since it was admitted.
func (g *Gateway) stillAdmitted(r *http.Request, c *call) error {
	if g.settled() && g.Table.changes() == c.seen && c.acquired.Sub(c.began) < longWait {
		return nil
	}
	err := g.readmit(r, c)
	if err != nil {
		g.Instances.Release(c.instance)
	}
	return err
}

// readmit decides on a call anew, by what is true now.
func (g *Gateway) readmit(r *http.Request, c *call) error {
	if !g.settled() {
		return errUnsettled
	}
	to, ok := g.Table.route(r.Host)
	if !ok {
		return errNotDeployed
	}
	c.to = to
	if !g.admitted(r, c) {
		return errNotAdmitted
	}
	return nil
}

// note tells of a call that is over: the log, and whoever watches.
func (g *Gateway) note(r *http.Request, o Outcome) {
	if g.Observer != nil {
		g.Observer.End(r, o)
	}
	attributes := []slog.Attr{
		slog.String("request_id", o.RequestID), slog.String("function_id", o.FunctionID),
		slog.String("method", truncate(r.Method)), slog.Int("status", o.Status), slog.Duration("took", o.Ended.Sub(o.Began)),
	}
	for _, a := range []slog.Attr{
		slog.String("token_id", o.TokenID), slog.String("access_key", o.AccessKey), slog.String("refused", o.Reason),
	} {
		if a.Value.String() != "" {
			attributes = append(attributes, a)
		}
	}
	if o.InstanceID != "" {
		attributes = append(attributes, slog.Duration("waited", o.Waited()), slog.String("instance", o.InstanceID))
	}
	if o.Failure != nil {
		attributes = append(attributes, slog.Any("error", o.Failure))
	}
	g.Log.LogAttrs(r.Context(), slog.LevelInfo, "call", attributes...)
}
