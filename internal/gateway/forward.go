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
)

var (
	errTooManyCalls = errors.New("too many calls: a limit of the function or of the caller")
	errNotDeployed  = errors.New("the function is not deployed")
	errUnsettled    = errors.New("it is not known whether an earlier change was stored")
	errNotAdmitted  = errors.New("no longer admitted")
	errTimeout      = errors.New("the function did not answer in time")
)

// shortestWait is how long a call waits for an instance at least: one may have
// to start, however short the function's own timeout is.
const shortestWait = 30 * time.Second

// forward reads the body if the function needs the whole of it, waits for an
// instance, and lets it answer the call. The function's timeout bounds the
// waiting, and then again the call itself.
func (g *Gateway) forward(w http.ResponseWriter, r *http.Request, c *call) {
	end, retryAfter := g.enter(r, c)
	if end == nil {
		c.failure = errTooManyCalls
		answerTooManyCalls(w, retryAfter)
		return
	}
	defer end()
	g.bound(w, r, c)
	release, err := g.readFirst(r, c)
	if err != nil {
		g.failedBody(w, r, c, err)
		return
	}
	defer release()
	waiting, cancel := context.WithTimeout(r.Context(), max(c.to.timeout, shortestWait))
	err = g.acquire(waiting, r, c)
	cancel()
	if err != nil {
		c.failure, c.left = err, r.Context().Err() != nil
		answerNoInstance(w, err)
		return
	}
	ctx, cancel := context.WithTimeoutCause(context.WithValue(r.Context(), callKey{}, c), c.to.timeout, errTimeout)
	defer cancel()
	defer g.giveBack(c)
	caller := http.NewResponseController(w)
	defer context.AfterFunc(ctx, func() { hangUp(caller) })()
	c.end = cancel
	g.watchUpgrade(r, c)
	defer g.upgrades.remove(c)
	r = r.WithContext(ctx)
	g.proxy.ServeHTTP(w, r)
}

// hangUp ends whatever is still going on with a caller whose call is over: one
// that reads nothing, or sends nothing, would hold the instance otherwise.
func hangUp(caller *http.ResponseController) {
	now := time.Now()
	_ = caller.SetReadDeadline(now)
	_ = caller.SetWriteDeadline(now.Add(lastWords))
}

const (
	// lastWords is how long a caller has to take the answer that its time is up.
	lastWords = time.Second
	// stalled is how long a caller may pause within a body.
	stalled = 30 * time.Second
)

// giveBack returns the instance. One that has not given the whole of its
// answer may still be at work on the call, and is not used again.
func (g *Gateway) giveBack(c *call) {
	if c.answered {
		g.Instances.Release(c.instance)
	} else {
		g.Instances.Discard(c.instance)
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
		// Too many calls wait, or this one has waited too long.
		w.Header().Set("Retry-After", "1")
		answer(w, http.StatusServiceUnavailable, "the function is busy")
	}
}

// newProxy returns the proxy to the instances.
func (g *Gateway) newProxy() *httputil.ReverseProxy {
	transport := &upstream.Transport{Address: func(r *http.Request) engine.Address { return callOf(r).instance.Address }}
	return &httputil.ReverseProxy{
		Transport:      transport,
		Rewrite:        g.rewrite,
		ModifyResponse: received,
		ErrorHandler:   failed,
		BufferPool:     &Buffers{},
		ErrorLog:       log.New(proxyLog{g.Log}, "", 0),
	}
}

// Buffers keeps a proxy's copy buffers for the next call.
type Buffers struct{ pool sync.Pool }

// bufferSize is what httputil.ReverseProxy itself would allocate for each call.
const bufferSize = 32 << 10

// Get implements httputil.BufferPool.
func (b *Buffers) Get() []byte {
	if buffer, ok := b.pool.Get().(*[]byte); ok {
		return *buffer
	}
	return make([]byte, bufferSize)
}

// Put implements httputil.BufferPool.
func (b *Buffers) Put(buffer []byte) { b.pool.Put(&buffer) }

// rewrite makes the request that the instance gets.
func (g *Gateway) rewrite(p *httputil.ProxyRequest) {
	c := callOf(p.In)
	p.Out.URL.Scheme = "http"
	p.Out.URL.Host = p.In.Host
	// net/http has answered it.
	p.Out.Header.Del("Expect")
	g.setForwarded(p)
	p.Out.Header.Set(requestIDHeader, c.requestID)
	if !g.PassToken {
		withoutTokens(p.Out.Header)
	}
}

// received prepares a function's answer for the caller.
func received(response *http.Response) error {
	setDefaultHeaders(response.Header)
	c := callOf(response.Request)
	response.Header.Del(requestIDHeader)
	if response.StatusCode == http.StatusSwitchingProtocols {
		// The instance is not used again after another protocol was spoken.
		leaveHTTP(response.Request.Context())
		c.leave()
		return nil
	}
	response.Body = &answerBody{ReadCloser: response.Body, ctx: response.Request.Context(), call: c}
	return nil
}

// answerBody notes that an answer has been read to its end, or why not.
type answerBody struct {
	io.ReadCloser
	ctx  context.Context
	call *call
}

func (b *answerBody) Read(p []byte) (int, error) {
	n, err := b.ReadCloser.Read(p)
	switch {
	case err == io.EOF:
		b.call.answered = true
	case err != nil:
		b.call.failure = err
		if b.ctx.Err() != nil {
			b.call.failure = context.Cause(b.ctx)
		}
	}
	return n, err
}

// failed answers a call whose instance did not.
func failed(w http.ResponseWriter, r *http.Request, err error) {
	c := callOf(r)
	if body := c.badBody.Load(); body != nil {
		err = *body
	}
	switch {
	case isBodyFault(c, err):
		answerBadBody(w, c, err)
	case errors.Is(context.Cause(r.Context()), errTimeout):
		c.failure = errTimeout
		if r.ProtoMajor == 1 {
			// hangUp has ended the connection for whatever would follow on it.
			w.Header().Set("Connection", "close")
		}
		answer(w, http.StatusGatewayTimeout, "the function did not answer in time")
	default:
		c.failure, c.left = err, r.Context().Err() != nil
		answer(w, http.StatusBadGateway, "the function crashed or broke the connection")
	}
}

// failedBody answers a call whose body could not be read, or not be kept.
func (g *Gateway) failedBody(w http.ResponseWriter, r *http.Request, c *call, err error) {
	if errors.Is(err, errNoMemory) {
		c.failure = err
		answerNoMemory(w)
		return
	}
	c.left = r.Context().Err() != nil
	answerBadBody(w, c, err)
}

// isBodyFault reports whether a call failed because of its body.
func isBodyFault(c *call, err error) bool {
	_, tooLarge := errors.AsType[*http.MaxBytesError](err)
	return tooLarge || c.badBody.Load() != nil
}

// answerBadBody answers a call whose body is too large, too slow or broken.
func answerBadBody(w http.ResponseWriter, c *call, err error) {
	if tooLarge, ok := errors.AsType[*http.MaxBytesError](err); ok {
		answerTooLarge(w, tooLarge.Limit)
		return
	}
	c.failure = fmt.Errorf("read the caller's body: %w", err)
	if errors.Is(err, os.ErrDeadlineExceeded) {
		answer(w, http.StatusRequestTimeout, "the request's body came too slowly")
		return
	}
	answer(w, http.StatusBadRequest, "the request's body ended before its end, or is malformed")
}

// proxyLog writes the proxy's own complaints, such as of an answer that
// was cut short, into the log.
type proxyLog struct{ log *slog.Logger }

func (d proxyLog) Write(line []byte) (int, error) {
	d.log.Debug("proxy", "message", strings.TrimSpace(string(line)))
	return len(line), nil
}
