package gateway

import (
	"cmp"
	"context"
	"errors"
	"log/slog"
	"net/http"
	"net/http/httputil"
	"net/url"
	"sync/atomic"
	"time"

	"github.com/jeton-dev/jeton/internal/engine"
	"github.com/jeton-dev/jeton/internal/functions"
	"github.com/jeton-dev/jeton/internal/scale"
)

// Instances provides instances, each to one call at a time.
type Instances interface {
	// TryAcquire returns an idle instance, or nil if the call has to wait for one.
	TryAcquire(revisionID string) *scale.Instance
	// Acquire waits for an instance. It returns the errors of package scale.
	Acquire(ctx context.Context, revisionID string) (*scale.Instance, error)
	// Release returns an instance that can serve the next call. Discard stops an instance.
	Release(*scale.Instance)
	Discard(*scale.Instance)
}

// Config has the dependencies and limits of a Gateway. The fields up to Log are required.
type Config struct {
	Table     *Table
	Keys      Authenticator
	Instances Instances
	Now       func() time.Time
	NewID     func() string
	Log       *slog.Logger
	// Dialer opens connections to instances that only their engine can dial; nil if there
	// are none.
	Dialer engine.Dialer
	// HostsOnly disables path-style addresses: functions have hostnames only.
	HostsOnly bool
	// PassToken forwards the caller's token to the function.
	PassToken bool
	// Settled reports whether Table and Keys contain every stored change. While it returns
	// false, every call gets 503. Nil means always.
	Settled func() bool
	// Homes chooses the nodes that serve functions. Nil means that this node serves all.
	Homes Homes
	// PublicWithoutLease serves public functions also while Settled returns false: a
	// function that was made private elsewhere may be served.
	PublicWithoutLease bool
	// Launched returns when the current revision of a function accepts calls at this node,
	// or why it does not. It is called if Instances does not know the revision. Nil means
	// that every revision is known before Table has it.
	Launched func(ctx context.Context, functionID string) error
	// RefuseTokens and RefuseKeys deny all tokens and all API keys.
	RefuseTokens bool
	RefuseKeys   bool
	// MaxPayload is the maximum size of a body in bytes; zero means that of
	// functions.DefaultLimits.
	MaxPayload int64
	// Proxies are the trusted proxies, whose X-Forwarded-* headers are used.
	Proxies Proxies
	// Observer is notified of every call; nil for none.
	Observer Observer
	// Limits limit the number and rate of calls; the zero value has no limits.
	Limits Limits
	// Memory is the budget for buffered bodies, and HeaderMemory that for long headers
	// over HTTP/2, which Strict does not inspect; nil for no limit.
	Memory, HeaderMemory *Memory
	// Adopter adopts tokens of other issuers; nil if no such token is accepted.
	Adopter Adopter
	// MinBodyRate is the minimum rate of a body in bytes per second; zero means
	// DefaultBodyRate.
	MinBodyRate int
	// BodyGrace is the time before MinBodyRate applies; zero means DefaultBodyGrace.
	BodyGrace time.Duration
}

// Gateway serves the calls of all functions. It is safe for concurrent use.
type Gateway struct {
	config Config
	proxy  *httputil.ReverseProxy
	// away is the proxy to other nodes.
	away *httputil.ReverseProxy
	// forwarded is the number of calls that other nodes have forwarded and that run.
	forwarded atomic.Int64
	limits    limits
	upgrades  upgrades
}

// New returns a gateway. Returns an error if a required field is missing.
func New(c Config) (*Gateway, error) {
	if c.Table == nil || c.Keys == nil || c.Instances == nil || c.Now == nil || c.NewID == nil || c.Log == nil {
		return nil, errors.New("configure gateway: Table, Keys, Instances, Now, NewID and Log are required")
	}
	c.MaxPayload = cmp.Or(c.MaxPayload, functions.DefaultLimits().PayloadSize)
	g := &Gateway{config: c, limits: newLimits(c.Limits)}
	g.proxy = newProxy(g.rewrite, c.Dialer, c.Log)
	g.away = newAwayProxy(g, c.Log)
	return g, nil
}

// Handler returns the handler for calls of all functions.
func (g *Gateway) Handler() http.Handler { return g.handler(false) }

// Internal returns the handler for calls that the server itself makes, for crons and
// triggers. As in the real service, they need no token for a private function, and are
// neither redirected to HTTPS nor limited by Limits.
// They are made at the home of their function, and never forwarded.
func (g *Gateway) Internal() http.Handler { return g.handler(true) }

func (g *Gateway) handler(internal bool) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { g.serve(w, r, internal, nil) })
}

// A call is the state of one request. It is allocated once, with everything that all calls need.
type call struct {
	gateway   *Gateway
	requestID string
	// answer records the answer.
	answer statusRecorder
	// host and header are those of the caller's request.
	host   string
	header http.Header
	// internal means that the server itself makes the call.
	internal bool
	// from is what the node knows that has forwarded the call to this one; nil for other
	// calls. hop is not nil if this node has forwarded the call.
	from *origin
	hop  *hop
	// misdirected means that another node is the home of the function, and comeHome that
	// this one became it while the call was being forwarded.
	misdirected, comeHome bool
	// url is the URL of the request, and buffered its body if it was buffered.
	url      *url.URL
	buffered []byte
	// release returns the memory of the body; nil until the body was limited. waitEnd is the
	// result of waitUntil.
	release func()
	waitEnd time.Time
	// prefix is the part of a path-style address that the function does not receive; empty
	// if the hostname addresses the function.
	prefix string
	// path is the path that the function receives; empty if no function was found.
	path      string
	to        route
	admission admission
	// body is the body that the caller sends.
	body pacedBody
	// changesSeen is the number of changes in the table before the call was admitted. It
	// does not count changes of API keys.
	changesSeen int64
	// context is the context of a forwarded call, and received the body of its response.
	context  callContext
	received receivedBody
	// added are the values of headers that the gateway adds to the request.
	added [4]string
	// instance serves the call. answered means that the complete response was read, so
	// that the instance can serve the next call.
	instance *scale.Instance
	answered bool
	// cold means that the call waited for the start of its instance.
	cold bool
	// bodyError is the first error of reading the caller's body.
	bodyError atomic.Pointer[error]
	// failure is the reason why the function did not answer the call.
	failure            error
	clientDisconnected bool
	// began, decided and acquired are the times of Outcome.
	began, decided, acquired time.Time
}

type callKey struct{}

func callOf(r *http.Request) *call {
	c, _ := r.Context().Value(callKey{}).(*call)
	return c
}

func (g *Gateway) serve(w http.ResponseWriter, r *http.Request, internal bool, from *origin) {
	setTLS(r)
	c := &call{gateway: g, from: from, url: r.URL, requestID: g.requestID(r), host: r.Host, header: r.Header, internal: internal, began: g.config.Now()}
	if g.config.Observer != nil {
		r = g.config.Observer.Begin(r)
	}
	c.answer = statusRecorder{ResponseWriter: w, requestID: c.requestID}
	recorded := &c.answer
	if r.Header.Get(timingHeader) != "" {
		recorded.timing = c.timing
	}
	defer func() { g.report(r, g.outcome(c, r.Method, recorded.status)) }()
	c.body.init(w, r.Body, g.config.MinBodyRate, g.config.BodyGrace)
	length := r.ContentLength
	cost := http2HeaderCost(r)
	if !g.config.HeaderMemory.reserve("", "", cost) {
		c.failure = errNoMemory
		answerNoMemory(recorded)
		return
	}
	defer g.config.HeaderMemory.release("", "", cost)
	g.route(recorded, r, c)
	c.body.discardRest(length)
}

// route finds the function, performs the checks that need no instance, and forwards the
// call.
func (g *Gateway) route(w http.ResponseWriter, r *http.Request, c *call) {
	if c.from != nil {
		g.catchUp(r, c)
	}
	c.changesSeen = g.config.Table.changes()
	// The lease first, the table second.
	settled := g.settled()
	if !settled && !g.config.PublicWithoutLease && c.from == nil {
		answerUnsettled(w)
		return
	}
	to, r, ok := g.find(r, c)
	if !ok && settled {
		answerUnknownHost(w)
		return
	}
	c.to, c.path = to, r.URL.EscapedPath()
	switch {
	case ok && c.from != nil && !g.here(c):
		g.answerMisdirected(w, c)
	case !g.decidable(settled, to) || !ok:
		c.markUnsettled(w)
		answerUnsettled(w)
	case !r.ProtoAtLeast(1, 1):
		// Scaleway documents this status for HTTP/1.0. RFC 9110 requires both headers;
		// net/http drops Connection unless it contains close.
		w.Header().Set("Upgrade", "HTTP/1.1")
		w.Header().Set("Connection", "Upgrade, close")
		answer(w, http.StatusUpgradeRequired, "HTTP/1.1 or HTTP/2 is required")
	case to.redirect && !c.internal && c.from == nil && !g.overHTTPS(r):
		http.Redirect(w, r, "https://"+hostname(r.Host)+r.URL.RequestURI(), http.StatusMovedPermanently)
	case !g.admitted(r, c):
		answerNotAdmitted(w, c.admission)
	case reserved(r.URL.Path):
		answer(w, http.StatusNotFound, "not found")
	case r.ContentLength > g.config.MaxPayload:
		answerTooLarge(w, g.config.MaxPayload)
	default:
		g.forward(w, r, c)
	}
}

// decidable reports whether calls of a function can be decided about. settled must have been
// read before the route.
func (g *Gateway) decidable(settled bool, to route) bool {
	return settled || g.config.PublicWithoutLease && !to.private
}

func (g *Gateway) settled() bool { return g.config.Settled == nil || g.config.Settled() }

// admitted decides whether the call is admitted, and stores the decision in c.
func (g *Gateway) admitted(r *http.Request, c *call) bool {
	if !c.to.private || c.internal {
		return true
	}
	c.decided = g.config.Now()
	c.admission = g.adopt(r, c, g.admit(r.Header, c.to, c.decided))
	return c.admission.admitted
}

// reserved reports whether a path is never forwarded. The real runtimes drop these requests
// without a documented answer; Jeton answers 404.
func reserved(path string) bool {
	return path == "/favicon.ico" || path == "/robots.txt"
}

// maxAttempts is the number of attempts to acquire an instance of a revision that is being
// replaced.
const maxAttempts = 3

// acquire takes an instance of the function's current revision, and waits for one if none is
// idle. It checks afterwards that the call is still admitted.
func (g *Gateway) acquire(r *http.Request, c *call) error {
	if instance := g.config.Instances.TryAcquire(c.to.revisionID); instance != nil {
		return g.take(r, c, instance)
	}
	ctx, cancel := context.WithDeadline(r.Context(), c.waitUntil())
	defer cancel()
	return g.wait(ctx, r, c)
}

// take assigns an acquired instance to the call.
func (g *Gateway) take(r *http.Request, c *call, instance *scale.Instance) error {
	c.instance, c.cold, c.acquired = instance, instance.Cold(), g.config.Now()
	instance.Serve(c.requestID)
	return g.stillAdmitted(r, c)
}

// wait waits for an instance until ctx ends.
func (g *Gateway) wait(ctx context.Context, r *http.Request, c *call) error {
	for attempt := 1; ; attempt++ {
		if c.to.revisionID == "" {
			return errNotDeployed
		}
		instance, err := g.config.Instances.Acquire(ctx, c.to.revisionID)
		if err == nil {
			return g.take(r, c, instance)
		}
		if !errors.Is(err, scale.ErrUnknownRevision) || attempt == maxAttempts {
			return err
		}
		if g.config.Launched != nil {
			if err := g.config.Launched(ctx, c.to.functionID); err != nil {
				return err
			}
		}
		if err := g.readmit(r, c); err != nil {
			return err
		}
	}
}

// maxUncheckedWait is the maximum time that a call may wait without being admitted again, if
// the table has not changed.
const maxUncheckedWait = time.Second

// stillAdmitted repeats the admission check of a call that may have waited: its token or API
// key may have been revoked or may have expired. If the call is denied it releases the instance.
func (g *Gateway) stillAdmitted(r *http.Request, c *call) error {
	settled := g.settled() // The lease first, the table second.
	unchanged := g.config.Table.changes() == c.changesSeen && c.admission.accessKey == ""
	if g.decidable(settled, c.to) && unchanged && c.acquired.Sub(c.began) < maxUncheckedWait {
		return nil
	}
	err := g.readmit(r, c)
	if err != nil {
		g.config.Instances.Release(c.instance)
	}
	return err
}

// readmit repeats the admission check, with the current table and time. A call whose host
// belongs to another function now is denied: it may have an instance of the first one.
func (g *Gateway) readmit(r *http.Request, c *call) error {
	settled := g.settled()
	to, ok := g.current(r.Host, c)
	if !g.decidable(settled, to) || !ok && !settled {
		return errUnsettled
	}
	if !ok {
		return errNotDeployed
	}
	c.to = to
	if !g.admitted(r, c) {
		return errNotAdmitted
	}
	return nil
}

// report writes a completed call to the log and notifies the observer.
func (g *Gateway) report(r *http.Request, o Outcome) {
	if g.config.Observer != nil {
		g.config.Observer.End(r, o)
	}
	if !g.config.Log.Enabled(r.Context(), slog.LevelInfo) {
		return
	}
	attributes := []slog.Attr{
		slog.String("request_id", o.RequestID), slog.String("function_id", o.FunctionID),
		slog.String("method", truncate(r.Method)), slog.Int("status", o.Status), slog.Duration("took", o.Ended.Sub(o.Began)),
		slog.String("function", g.config.Table.Name(o.FunctionID)), slog.String("path", truncate(r.URL.Path)),
	}
	for _, a := range []slog.Attr{
		slog.String("token_id", o.TokenID), slog.String("access_key", o.AccessKey), slog.String("refused", o.Reason),
		slog.String("home", o.Home),
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
	g.config.Log.LogAttrs(r.Context(), slog.LevelInfo, "call", attributes...)
}
