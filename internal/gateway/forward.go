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
	"strings"
	"sync"
	"time"

	"github.com/jeton-dev/jeton/internal/gateway/upstream"
	"github.com/jeton-dev/jeton/internal/scale"
)

var (
	errNotDeployed = errors.New("the function is not deployed")
	errUnsettled   = errors.New("it is not known whether an earlier change was stored")
	errNotAdmitted = errors.New("no longer admitted")
	errTimeout     = errors.New("the function did not answer in time")
)

// shortestWait is how long a call waits for an instance at least: one may have
// to start, however short the function's own timeout is.
const shortestWait = 30 * time.Second

// forward waits for an instance and has it answer the call. The function's
// timeout bounds the waiting, and then again the call itself.
func (g *Gateway) forward(w http.ResponseWriter, r *http.Request, c *call) {
	waiting, cancel := context.WithTimeout(r.Context(), max(c.to.timeout, shortestWait))
	err := g.acquire(waiting, r, c)
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
	r = r.WithContext(ctx)
	if r.ContentLength != 0 {
		r.Body = &callBody{ReadCloser: http.MaxBytesReader(w, r.Body, g.maxPayload()), call: c, caller: caller}
	}
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

// callBody is the body of a call. It notes what goes wrong with it, which is
// the caller's fault and not the function's.
type callBody struct {
	io.ReadCloser
	call   *call
	caller *http.ResponseController
}

func (b *callBody) Read(p []byte) (int, error) {
	_ = b.caller.SetReadDeadline(time.Now().Add(stalled))
	n, err := b.ReadCloser.Read(p)
	if err != nil {
		_ = b.caller.SetReadDeadline(time.Time{})
	}
	if err != nil && err != io.EOF {
		b.call.badBody.Store(&err)
	}
	return n, err
}

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
	transport := &upstream.Transport{Address: func(r *http.Request) string { return callOf(r).instance.Address }}
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
	tooLarge, ok := errors.AsType[*http.MaxBytesError](err)
	switch {
	case ok:
		answerTooLarge(w, tooLarge.Limit)
	case c.badBody.Load() != nil:
		c.failure = fmt.Errorf("read the caller's body: %w", err)
		answer(w, http.StatusBadRequest, "the request's body ended before its end, or is malformed")
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

// proxyLog writes the proxy's own complaints, such as of an answer that
// was cut short, into the log.
type proxyLog struct{ log *slog.Logger }

func (d proxyLog) Write(line []byte) (int, error) {
	d.log.Debug("proxy", "message", strings.TrimSpace(string(line)))
	return len(line), nil
}
