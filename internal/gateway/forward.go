package gateway

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log"
	"log/slog"
	"net/http"
	"net/http/httputil"
	"os"
	"strings"
	"sync"
	"time"

	"github.com/jeton-dev/jeton/internal/engine"
	"github.com/jeton-dev/jeton/internal/gateway/upstream"
	"github.com/jeton-dev/jeton/internal/scale"
	"github.com/jeton-dev/jeton/internal/store"
)

var (
	errTooManyCalls = errors.New("too many calls: the function or the caller has reached a limit")
	errNotDeployed  = errors.New("the function is not deployed")
	errUnsettled    = errors.New("the outcome of an earlier change is unknown")
	errNotAdmitted  = errors.New("the call is no longer admitted")
)

// minWait is the minimum time that a call waits for an instance, even if the function's timeout
// is shorter: an instance may have to start.
const minWait = 30 * time.Second

// forward forwards the call to the home of its function or, if that is this node, to an
// instance. It buffers the body if the function needs all of it.
func (g *Gateway) forward(w http.ResponseWriter, r *http.Request, c *call) {
	here := g.here(c)
	if !here && c.from != nil {
		// The home has changed since the call was routed. It is never forwarded again.
		g.answerMisdirected(w, c)
		return
	}
	defer c.releaseBody()
	for {
		// The home may change while the call waits for an instance.
		if here && g.serveHere(w, r, c) || !here && g.forwardAway(w, r, c) {
			return
		}
		here = g.here(c)
	}
}

// serveHere buffers the body if the function needs all of it, waits for an instance, and forwards
// the call to it. The function's timeout applies to the wait, and then again to the call. The
// limits of the function and of its callers count here, at its home. It returns false if another
// node has become the home: the call is then admitted, and no instance has received it.
func (g *Gateway) serveHere(w http.ResponseWriter, r *http.Request, c *call) (done bool) {
	end, retryAfter := g.countCall(r, c)
	if end == nil {
		c.failure = errTooManyCalls
		answerTooManyCalls(w, retryAfter)
		return true
	}
	defer end()
	if !g.readBody(w, r, c) {
		return true
	}
	err := g.acquire(r, c)
	if g.movedAway(c, err) {
		if err = g.readmit(r, c); err == nil {
			return false
		}
	}
	if err != nil {
		c.failure, c.clientDisconnected = err, r.Context().Err() != nil
		if errors.Is(err, errUnsettled) || errors.Is(err, store.ErrNotOwner) {
			c.markUnsettled(w)
		}
		answerNoInstance(w, err)
		return true
	}
	c.announce(w)
	defer g.returnInstance(c)
	c.context.start(r.Context(), c, c.to.timeout)
	defer c.context.finish()
	defer g.upgrades.remove(c)
	g.proxy.ServeHTTP(w, r.WithContext(&c.context))
	return true
}

// movedAway reports whether a call got no instance because another node has become the home. A
// forwarded call is never forwarded again: its sender tries again.
func (g *Gateway) movedAway(c *call, err error) bool {
	return errors.Is(err, store.ErrNotOwner) && c.from == nil && !g.here(c) && time.Now().Before(c.waitUntil())
}

// readBody limits the body, and buffers it if the function needs all of it. It does so once per
// call, and returns false if it has answered the call.
func (g *Gateway) readBody(w http.ResponseWriter, r *http.Request, c *call) bool {
	if c.release != nil {
		return true
	}
	g.limitBody(w, r, c)
	release, err := g.bufferBody(r, c)
	if err != nil {
		g.answerBodyError(w, r, c, err)
		return false
	}
	c.release = release
	return true
}

func (c *call) releaseBody() {
	if c.release != nil {
		c.release()
	}
}

// waitUntil returns when the call must have an instance, wherever it waits. The time begins with
// the first call of the method.
func (c *call) waitUntil() time.Time {
	if c.waitEnd.IsZero() {
		c.waitEnd = time.Now().Add(c.wait())
	}
	return c.waitEnd
}

// wait returns how long the call may wait for an instance.
func (c *call) wait() time.Duration {
	wait := max(c.to.timeout, minWait)
	if c.from != nil {
		wait = min(wait, c.from.wait)
	}
	return wait
}

// abortTransfer aborts the transfer from and to the client after the context of the call has ended.
// Without it a client that sends or reads nothing would occupy the instance.
func (c *call) abortTransfer() {
	now := time.Now()
	_ = c.body.client.SetReadDeadline(now)
	_ = c.body.client.SetWriteDeadline(now.Add(finalWriteTimeout))
}

const (
	// finalWriteTimeout is the time to send the answer of a call that timed out.
	finalWriteTimeout = time.Second
	// maxPause is the maximum time without data within a body.
	maxPause = 30 * time.Second
)

// returnInstance returns the instance of a call. An instance whose answer was not read to its
// end may still work on the call, and is not used again.
func (g *Gateway) returnInstance(c *call) {
	if c.answered {
		g.config.Instances.Release(c.instance)
	} else {
		g.config.Instances.Discard(c.instance)
	}
}

func answerNoInstance(w http.ResponseWriter, err error) {
	_, failed := errors.AsType[*scale.StartError](err)
	switch {
	case failed, errors.Is(err, scale.ErrUnknownRevision):
		answer(w, http.StatusBadGateway, "the function does not start")
	case errors.Is(err, errNotAdmitted):
		answerDenied(w)
	case errors.Is(err, errUnsettled):
		answerUnsettled(w)
	case errors.Is(err, errNotDeployed):
		answer(w, http.StatusServiceUnavailable, "the function has not been deployed")
	default:
		// The queue is full, or the call has waited too long.
		w.Header().Set("Retry-After", "1")
		answer(w, http.StatusServiceUnavailable, "the function is busy")
	}
}

// newProxy returns the proxy to the instances. It passes requests on after rewrite.
func newProxy(rewrite func(*httputil.ProxyRequest), dialer engine.Dialer, to *slog.Logger) *httputil.ReverseProxy {
	transport := &upstream.Transport{
		Address:   func(r *http.Request) engine.Address { return callOf(r).instance.Address },
		Watcher:   func(r *http.Request) upstream.Watcher { return &callOf(r).context },
		Instances: dialer,
	}
	return &httputil.ReverseProxy{
		Transport:      transport,
		Rewrite:        rewrite,
		ModifyResponse: prepareResponse,
		ErrorHandler:   answerError,
		BufferPool:     &Buffers{},
		ErrorLog:       log.New(proxyLog{to}, "", 0),
	}
}

// Buffers is an httputil.BufferPool. The zero value is ready for use.
type Buffers struct{ pool sync.Pool }

// bufferSize is the size that httputil.ReverseProxy allocates without a pool.
const bufferSize = 32 << 10

// Get implements httputil.BufferPool.
func (b *Buffers) Get() []byte {
	if buffer, ok := b.pool.Get().(*[bufferSize]byte); ok {
		return buffer[:]
	}
	return make([]byte, bufferSize)
}

// Put implements httputil.BufferPool. The buffer must be one of Get. A pointer to its array
// takes no memory of its own in the pool, unlike one to the slice.
func (b *Buffers) Put(buffer []byte) { b.pool.Put((*[bufferSize]byte)(buffer)) }

// rewrite prepares the request for the instance.
func (g *Gateway) rewrite(p *httputil.ProxyRequest) {
	c := callOf(p.In)
	p.Out.URL.Scheme = "http"
	p.Out.URL.Host = p.In.Host
	// net/http has already answered 100 Continue.
	delete(p.Out.Header, "Expect")
	delete(p.Out.Header, timingHeader)
	delete(p.Out.Header, ForwardedHeader)
	g.setForwarded(p, c.added[:])
	c.added[3] = c.requestID
	p.Out.Header[requestIDHeader] = c.added[3:]
	if c.prefix != "" {
		p.Out.Header.Set(prefixHeader, c.prefix)
	}
	if !g.config.PassToken {
		removeTokens(p.Out.Header)
	}
}

// prepareResponse prepares the response of an instance for the caller.
func prepareResponse(response *http.Response) error {
	setDefaultHeaders(response.Header)
	c := callOf(response.Request)
	response.Header.Del(requestIDHeader)
	delete(response.Header, ForwardedHeader)
	if response.StatusCode == http.StatusSwitchingProtocols {
		// answered stays false: the instance is not used again after another protocol.
		stopInspection(response.Request.Context())
		c.upgraded()
		return nil
	}
	c.received = receivedBody{response.Body, c}
	response.Body = &c.received
	return nil
}

// receivedBody records in the call that its answer was read to the end, or why not.
type receivedBody struct {
	io.ReadCloser
	call *call
}

func (b *receivedBody) Read(p []byte) (int, error) {
	n, err := b.ReadCloser.Read(p)
	switch {
	case err == io.EOF:
		b.call.answered = true
	case err != nil:
		b.call.failure = err
		if reason := b.call.context.reason(); reason != nil {
			b.call.failure = reason
		}
	}
	return n, err
}

// answerError answers a call that the instance did not answer.
func answerError(w http.ResponseWriter, r *http.Request, err error) {
	c := callOf(r)
	if bodyError := c.bodyError.Load(); bodyError != nil {
		err = *bodyError
	} else if errors.Is(err, context.Canceled) && c.body.timedOut(time.Now()) {
		// net/http cancels the context before Read returns the error to callBody.
		err = os.ErrDeadlineExceeded
		c.bodyError.Store(&err)
	}
	switch {
	case isBodyError(c, err):
		answerBadBody(w, c, err)
	case errors.Is(c.context.reason(), errTimeout):
		c.failure = errTimeout
		if r.ProtoMajor == 1 {
			// abortTransfer has set deadlines, so the connection cannot be used again.
			w.Header().Set("Connection", "close")
		}
		answer(w, http.StatusGatewayTimeout, "the function did not answer in time")
	default:
		c.failure, c.clientDisconnected = err, r.Context().Err() != nil
		answer(w, http.StatusBadGateway, "the function crashed or broke the connection")
	}
}

// answerBodyError answers a call whose body could not be read or buffered.
func (g *Gateway) answerBodyError(w http.ResponseWriter, r *http.Request, c *call, err error) {
	if errors.Is(err, errNoMemory) {
		c.failure = err
		answerNoMemory(w)
		return
	}
	c.clientDisconnected = r.Context().Err() != nil
	answerBadBody(w, c, err)
}

// isBodyError reports whether a call failed because of its body.
func isBodyError(c *call, err error) bool {
	_, tooLarge := errors.AsType[*http.MaxBytesError](err)
	return tooLarge || c.bodyError.Load() != nil
}

// answerBadBody answers a call whose body is too large, too slow or broken.
func answerBadBody(w http.ResponseWriter, c *call, err error) {
	if tooLarge, ok := errors.AsType[*http.MaxBytesError](err); ok {
		answerTooLarge(w, tooLarge.Limit)
		return
	}
	c.failure = fmt.Errorf("read request body: %w", err)
	if errors.Is(err, os.ErrDeadlineExceeded) {
		answer(w, http.StatusRequestTimeout, "the request body was sent too slowly")
		return
	}
	answer(w, http.StatusBadRequest, "the request body is incomplete or malformed")
}

// proxyLog writes the messages of httputil.ReverseProxy to the log, such as about an aborted
// answer.
type proxyLog struct{ log *slog.Logger }

func (p proxyLog) Write(line []byte) (int, error) {
	p.log.Debug("proxy", "message", strings.TrimSpace(string(line)))
	return len(line), nil
}
